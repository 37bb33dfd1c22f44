"""A colour of a model means that model, in every figure of every page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.phase import QUANTITIES
from rnnviz.claims.influence import EXACT, influence_curve, influence_runs
from rnnviz.plots import theme
from rnnviz.plots.claims_training import runs_figure, slope_figure
from rnnviz.plots.drawing import to_json
from rnnviz.plots.phase import phase_figure
from rnnviz.views import gates, gradient_flow, spectrum, states, weights
from rnnviz.views.picture import Picture
from tests.plots.test_claims import FIGURES
from tests.plots.test_phase import grid

MODELS = {c for shades in theme.KIND_COLOURS.values() for c in shades} | set(theme.OTHER_COLOURS)
MODELS |= {theme.DARK[colour] for colour in MODELS}
EVERY = Experiment(("rnn", "lstm", "gru", "lstm:forget_bias=0"), seq_len=12, hidden_size=6,
                   batch_size=3, loss_at="every")  # fmt: skip
NAMES = re.compile(r"RNN|LSTM|GRU")
HEX = re.compile(r"#[0-9a-f]{6}")


def worn(figure: dict) -> Iterator[tuple[str, str]]:
    """Each colour of a figure, and the piece that wears it, as text."""
    layout = figure["layout"]
    for key in ("annotations", "shapes"):
        for piece in layout.get(key, []):
            yield from _of(piece)
    for piece in figure["data"]:
        yield from _of({k: v for k, v in piece.items() if k not in ("x", "y", "z", "text")})
    for name, axis in layout.items():
        if name.startswith("coloraxis"):
            yield from _of(axis)


def _of(piece: dict) -> Iterator[tuple[str, str]]:
    text = json.dumps(piece, ensure_ascii=False)
    for colour in HEX.findall(text):
        yield colour, text


def wrong(figure: dict, labels: tuple[str, ...], alone: str = "") -> list[str]:
    """What wears a model's colour where neither itself nor a title in that colour says of one that
    it belongs to. alone: the model that all of the figure is of."""
    styles, said = theme.model_styles(labels), list(worn(figure))
    found = []
    for colour, text in said:
        titles = "".join(t for c, t in said if c == colour and NAMES.search(t)) + alone
        owners = [s for s in styles.values() if colour in (s.colour, theme.DARK.get(s.colour))]
        if colour in MODELS and not any(s.name in titles for s in owners):
            found.append(f"{colour}: {text[:160]}")
    return found


def pages() -> Iterator[tuple[str, dict, str]]:
    """Its name, the figure, and the model that all of the page is of, if it is one."""
    made = run(EVERY)
    for page, choices in (
        (gradient_flow, gradient_flow.Choices(why=True, theory=True)),
        (spectrum, spectrum.Choices(model="rnn", theory=True)),
        (spectrum, spectrum.Choices(model="lstm")),
        (gates, gates.Choices()),
        (states, states.Choices(model="rnn")),
        (weights, weights.Choices(model="rnn")),
    ):
        view = page.view(made, choices)
        model = "" if page in (gradient_flow, gates) else NAMES.findall(choices.model.upper())[0]
        for item in page.pictures(view):
            if isinstance(item, Picture):
                figure = json.loads(to_json(item.drawing))
                yield f"{page.__name__}: {item.key}", figure, model


def test_on_the_pages_of_a_run() -> None:
    labels = tuple(map(str, EVERY.models))
    bad = {name: wrong(figure, labels, model) for name, figure, model in pages()}
    assert len(bad) > 10
    assert not {name: found for name, found in bad.items() if found}


@pytest.mark.parametrize("name", FIGURES)
def test_in_the_claims(name: str) -> None:
    make, found = FIGURES[name]
    figure = json.loads(make(found).to_json(validate=False))
    assert not wrong(figure, ("rnn", "lstm", "lstm:variant=noaf", "gru"))


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_in_the_phase_diagram(quantity: str) -> None:
    figure = json.loads(phase_figure([grid(quantity=quantity)]).to_json(validate=False))
    assert not wrong(figure, ("rnn",))


def test_in_what_truncation_does() -> None:
    for made in (slope_figure(influence_curve(), EXACT), runs_figure(influence_runs(), 0.5)):
        assert not wrong(json.loads(made.to_json(validate=False)), ())
