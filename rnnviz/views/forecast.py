"""What networks say of the weeks that a series holds out: one step ahead, and free-running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.jobs.training import Training
from rnnviz.plots import forecast as plots
from rnnviz.plots import theme
from rnnviz.tasks.stocks import held_out_weeks, weekly_returns
from rnnviz.training import Forecast, forecast
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.lists import apart
from rnnviz.wording.lists import names as listed
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import loss_words
from rnnviz.wording.texts import fill, say, texts

TASK = "stocks"


@dataclass(frozen=True, eq=False)
class View:
    """company: which one is drawn, of `companies`. known (n, 6): what came in the weeks from `week`
    on (1 is the first of all); past: weeks that were read before. forecasts: of the networks that
    can read their answers back; others: labels of those that cannot."""

    styles: dict[str, theme.Style]
    companies: tuple[str, ...]
    company: str
    known: Array
    week: int
    past: int
    forecasts: dict[str, Forecast]
    others: tuple[str, ...]


def view(run: Training, company: str = "") -> View:
    """Of the networks that `run` shows."""
    companies, returns = weekly_returns()
    history, known = held_out_weeks(run.plan.seq_len)
    found: dict[str, Forecast] = {}
    for label, trainee in run.trainees.items():
        with suppress(ValueError):  # reads backwards, or has blown up
            network = run.plan.networks[label]
            found[label] = forecast(network, trainee.shown.params, history, known)
    return View(
        styles=theme.model_styles(list(run.trainees)),
        companies=companies,
        company=company if company in companies else companies[0],
        known=known,
        week=len(returns) - len(known) + 1,
        past=len(history),
        forecasts=found,
        others=tuple(label for label in run.trainees if label not in found),
    )


def pictures(view: View) -> Iterator[Picture | Words]:
    """The series with both forecasts, one panel a model; how far off they are."""
    text, column = texts("train"), view.companies.index(view.company)
    if view.forecasts:
        yield Picture(
            "forecast",
            plots.forecast_figure.plain(
                view.known[:, column],
                {label: (f.one_step[:, column], f.free[:, column])
                 for label, f in view.forecasts.items()},
                first=view.week,
                styles=view.styles,
            ),
            fill(text["alt_forecast"], company=view.company),
            fill(text["how_to_read_forecast"], company=view.company, past=view.past),
        )  # fmt: skip
        yield Words("note", (errors(view),))
    if view.others:
        names = listed(map(display_name, view.others))
        yield Words("note", (fill(text["no_forecast"], models=names),))


def errors(view: View) -> str:
    """Half the squared error of a held-out week, all companies together, beside that of 0."""
    parts = [
        say("train", "forecast_error", model=display_name(label),
            one_step=loss_words(_error(f.one_step, view.known)),
            free=loss_words(_error(f.free, view.known)))
        for label, f in view.forecasts.items()
    ]  # fmt: skip
    nothing = loss_words(_error(np.zeros_like(view.known), view.known))
    return say("train", "forecast_errors", models=apart(parts), nothing=nothing)


def _error(said: Array, known: Array) -> float:
    return float(np.mean(np.sum((said - known) ** 2, axis=1)) / 2)
