"""What everybody says: is it true? The results of the chosen claim, the verdicts of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnnviz.claims import growth, highway, reduction, truncation
from rnnviz.claims.counterexamples import EXAMPLES, counterexample
from rnnviz.claims.growth import PREDICTORS, Draw, Score, score
from rnnviz.claims.influence import EXACT, influence_curve
from rnnviz.claims.stability import SEQUENCES
from rnnviz.jobs.claims import CLAIMS, SHARED, UPDATES, Claims
from rnnviz.plots import claims as plots
from rnnviz.plots import claims_cells, claims_training, theme
from rnnviz.plots.drawing import Drawing
from rnnviz.views.picture import Picture, Words
from rnnviz.wording import claims as wording
from rnnviz.wording.claims import Said, waiting
from rnnviz.wording.names import setting_name
from rnnviz.wording.numbers import general
from rnnviz.wording.texts import fill, say, texts

Results = Sequence[Any]
HEIGHT, LOW_HEIGHT = 318, 330
STYLES = theme.model_styles(("rnn", "lstm", "gru"))
"""Cells are named in their colours."""


def _truncation_words(found: Results) -> Said:
    return wording.truncation_words(found, influence_curve().last_wrong)


def _truncation_figure(found: Results, *, height: int) -> Drawing:
    return claims_training.truncation_figure.plain(found, influence_curve(), EXACT, height=height)


WORDS: dict[str, Callable[[Results], Said]] = {
    "sigma": wording.growth_words,
    "reduction": wording.reduction_words,
    "highway": wording.carry_words,
    "clipping": wording.clipping_words,
    "truncation": _truncation_words,
    "stability": wording.stability_words,
}
FIGURES: dict[str, Callable[..., Drawing]] = {
    "sigma": plots.growth_figure.plain,
    "reduction": claims_cells.reduction_figure.plain,
    "highway": claims_cells.carry_figure.plain,
    "clipping": claims_training.clipping_figure.plain,
    "truncation": _truncation_figure,
    "stability": plots.stability_figure.plain,
}
MEASURED: dict[str, dict[str, object]] = {
    "sigma": {
        "gain_low": growth.GAINS[0],
        "gain_high": growth.GAINS[1],
        "input_low": growth.INPUTS[0],
        "input_high": growth.INPUTS[1],
        "steps": growth.STEPS,
        "stretch": growth.STRETCH,
    },
    "reduction": {
        "low": reduction.GAINS[0],
        "high": reduction.GAINS[1],
        "steps": reduction.STEPS,
    },
    "highway": {"steps": highway.STEPS},
    "clipping": {"steps": SHARED["seq_len"], "updates": UPDATES},
    "truncation": {
        "low": truncation.GAINS[0],
        "high": truncation.GAINS[1],
        "bias_low": truncation.BIASES[0],
        "bias_high": truncation.BIASES[1],
        "steps": truncation.STEPS,
        "good": truncation.GOOD,
    },
    "stability": {"sequences": f"{SEQUENCES:,}"},
}
"""What the texts on how the draws are made are filled with."""


@dataclass(frozen=True)
class Choices:
    """claim: one of `CLAIMS`. example: a counterexample that is shown in place of the draws; "" for
    none."""

    claim: str = "sigma"
    example: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """What the page says of the claims. results: of the chosen one so far; total: how many it will
    have. so_far: how far it is, "" if it is finished. verdicts: of every claim."""

    claim: str
    example: str
    results: tuple[Any, ...]
    total: int
    so_far: str
    verdicts: dict[str, Said]
    styles: dict[str, theme.Style]


def view(claims: Claims, choices: Choices = Choices()) -> View:
    """What the page says of `claims`, as far as they are measured."""
    name, current = choices.claim, claims.current
    results = claims.results[name]
    later = {n for n, found in claims.results.items() if not found and n not in (name, current)}
    return View(
        claim=name,
        example=choices.example if choices.example in EXAMPLES else "",
        results=results,
        total=claims.total(name),
        so_far="" if claims.is_finished(name) else so_far(claims, name),
        verdicts={n: waiting() if n in later else WORDS[n](claims.results[n]) for n in CLAIMS},
        styles=STYLES,
    )


def so_far(claims: Claims, name: str) -> str:
    """How far a claim is: "280 of 300 draws"."""
    most, count = CLAIMS[name].count, len(claims.results[name])
    return fill(
        texts("claims")["so_far" if count <= most else "so_far_own"],
        done=f"{min(count, most):,}",
        most=f"{most:,}",
        unit=texts("claims")[f"unit_{CLAIMS[name].unit}"],
        own=count - most,
        models=claims.total(name) - most,
    )


def pictures(view: View) -> Iterator[Picture | Words]:
    """The verdict in words and the figure of the chosen claim, as far as they are, or of the chosen
    counterexample."""
    text, name = texts("claims"), view.claim
    if view.example:
        yield Words("verdict", (text[f"help_{view.example}"],))
        yield examples_picture((view.example,), view.example)
        return
    why = text.get(f"why_{name}")
    yield Words("verdict", (*view.verdicts[name].lines, *([why] if why else [])))
    yield Picture(
        f"claims-{name}",
        FIGURES[name](view.results, height=HEIGHT),
        text[f"alt_{name}"],
        text[f"how_to_read_{name}"],
    )


def examples_picture(names: Sequence[str] = EXAMPLES, key: str = "examples") -> Picture:
    """Counterexamples to the claim of σ_max, side by side; one of them under its own key."""
    text = texts("claims")
    alt = text["alt_examples" if key == "examples" else f"help_{key}"]
    height = HEIGHT if len(names) == 1 else LOW_HEIGHT
    figure = plots.examples_figure.plain([counterexample(n) for n in names], height=height)
    return Picture(f"claims-{key}", figure, alt, text["how_to_read_examples"])


def how_it_is_measured(name: str) -> str:
    """How the draws of a claim are made, with its numbers."""
    said = {key: general(value) for key, value in MEASURED[name].items()}
    text = texts("claims")
    return fill(text["how_it_is_measured"], drawn=fill(text[f"drawn_{name}"], **said))


def scores(found: Sequence[Draw]) -> pd.DataFrame:
    """A row a predictor of growth, a column for all draws and for each activation."""
    text = texts("claims")
    groups = {"all": found, **plots.members(found)}
    table = []
    for predictor in PREDICTORS:
        judged = {name: score(group, predictor) for name, group in groups.items()}
        hits = {setting_name(name): _hits(s) for name, s in judged.items()}
        row = {text["column_predictor"]: text[f"predictor_{predictor}"], **hits}
        table.append({**row, text["column_error"]: judged["all"].median_error})
    return pd.DataFrame(table)


def _hits(of: Score) -> str:
    return say("claims", "hits", hits=of.hits, draws=of.draws) if of.draws else "–"


def rows(found: Results) -> list[dict[str, Any]]:
    """Each result as a row of a table; arrays as text."""
    return [{key: _plain(value) for key, value in vars(result).items()} for result in found]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return " ".join(f"{x:.6g}" for x in value.ravel())
    return value
