"""What a browser asks for past the script: knobs at some values, and of what page.

Where the time is short fewer sequences are asked for, or fewer points, and it is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnviz.dashboard import compute
from rnnviz.dashboard.components.browser import finite
from rnnviz.dashboard.layout import SOON
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.lecture import pictures as lecture
from rnnviz.plots.drawing import Range
from rnnviz.views import flow_chain, gates, gradient_flow, spectrum, train
from rnnviz.wording.lists import listed
from rnnviz.wording.texts import fill, texts

HELD_SECONDS, KEY_SECONDS = 0.02, 0.06
"""Estimated seconds that runs may take while a knob is held, shared by as many as ask at the same
time, and after a key."""


@dataclass(frozen=True)
class Move:
    """What the browser says: the values of the knobs that the script does not know yet. held: a
    pointer has one; rests: none has moved for a moment; settles: and the page is to be as the
    script would draw it; range: the decades that the last answer said are shown."""

    knobs: Mapping[str, float]
    held: bool = False
    rests: bool = False
    settles: bool = False
    range: Range | None = None

    @staticmethod
    def read(told: Any) -> Move:
        """From JSON. Raises ValueError for what is no move."""
        knobs = told.get("knobs") if isinstance(told, dict) else None
        if not isinstance(knobs, dict) or not knobs:
            raise ValueError("a move is of knobs")
        found = {name: finite(value) for name, value in knobs.items()}
        values = {name: value for name, value in found.items() if value is not None}
        if values.keys() != found.keys():
            raise ValueError("a knob has a value")
        held, rests, settles = (told.get(name) is True for name in ("held", "rests", "settles"))
        return Move(values, held, rests or settles, settles, _read_range(told.get("range")))


def _read_range(told: Any) -> Range | None:
    ends = [finite(end) for end in told] if isinstance(told, list) and len(told) == 2 else []
    low, high = ends or (None, None)
    return None if low is None or high is None or low >= high else (low, high)


@dataclass(frozen=True)
class TrainingChoices:
    """Of the Train page. states: of the hidden Markov model beside the losses; every: seconds
    between two slices while it plays; revision: of the charts."""

    of_page: train.Choices
    states: int
    every: float
    revision: int


Choices = (
    gradient_flow.Choices | spectrum.Choices | gates.Choices | lecture.Choices | TrainingChoices
)


@dataclass(frozen=True)
class Asked:
    """What a page shows: an experiment, by the page's own choices, and perhaps a pinned one behind
    it. defined: terms that the page has defined before its pictures. range: decades that an axis
    keeps while a knob moves. note: what is left out; "" for nothing. preset: whose words the page
    has; None where it has none."""

    experiment: Experiment
    choices: Choices
    pinned: Experiment | None = None
    defined: tuple[str, ...] = ()
    language: str = "en"
    range: Range | None = None
    note: str = ""
    preset: str | None = None


def moved(shown: Asked, move: Move, before: int = 0) -> Asked | None:
    """What the page shows at these values; None where that is nothing, which the script will say,
    and at rest where it takes long: the script says that it is at work, and holds nobody up.
    before: answers to others that are made first: while a hand drags, this one is to take the less
    time; after a key it is soon asked for whole. Raises ValueError for what no knob can be."""
    now = shown.experiment
    experiment = replace(now, **{n: _value(n, value) for n, value in move.knobs.items()})
    if now.train_steps:
        if experiment == now:
            return None  # what was trained
        experiment = replace(experiment, train_steps=0)
    # Training of fewer sequences would be other training.
    whole = move.rests or isinstance(shown.choices, TrainingChoices)
    if compute.refusal(experiment) or (whole and compute.traces.seconds(experiment) > SOON):
        return None
    asked = replace(shown, experiment=experiment, range=move.range)
    seconds = HELD_SECONDS / (1 + before) if move.held else KEY_SECONDS
    return asked if whole else _affordable(asked, seconds)


def _value(name: str, value: float) -> Any:
    known = FIELDS.get(name)
    if known is None or known.kind not in ("int", "float"):
        raise ValueError(f"{name} is no knob with numbers")
    return round(value) if known.kind == "int" else value


def _affordable(asked: Asked, seconds: float) -> Asked:
    """The first few sequences, where all would take too long, and fewer points."""
    all_of_them, experiment = asked.experiment.batch_size, asked.experiment
    while experiment.batch_size > 1 and _seconds(experiment) > seconds:
        experiment = replace(experiment, batch_size=experiment.batch_size // 2)
    choices, text, said = _fewer(asked), texts("layout"), []
    if experiment.batch_size < all_of_them:
        said += [fill(text["first_sequences"], shown=experiment.batch_size, count=all_of_them)]
    if choices != asked.choices:
        of_page = choices.of_page if isinstance(choices, lecture.Choices) else choices
        curves = isinstance(of_page, gradient_flow.Choices)
        said += [text["fewer_curves" if curves else "fewer_points"]]
    choices = _without_costly_shares(choices, experiment)
    return replace(asked, experiment=experiment, choices=choices, note=listed(said))


def _seconds(experiment: Experiment) -> float:
    return compute.plan(experiment).cost.on(compute.speed()).seconds


def _fewer(asked: Asked) -> Choices:
    """Points, or curves of other seeds and of single losses; where there are such."""
    choices = asked.choices
    assert not isinstance(choices, TrainingChoices)
    if isinstance(choices, lecture.Choices):
        of_page = choices.of_page
        fewer = _fewer(replace(asked, choices=of_page)) != of_page
        return replace(choices, coarse=fewer)
    if isinstance(choices, gradient_flow.Choices):
        one_curve_each = choices.seeds == 1 and asked.experiment.loss_at == "last"
        return choices if one_curve_each else replace(choices, coarse=True)
    return replace(choices, coarse=True)


def _without_costly_shares(choices: Choices, experiment: Experiment) -> Choices:
    """The chain of a gated cell has its shares when the knob rests: they cost what a run does."""
    if not isinstance(choices, gradient_flow.Choices) or not choices.chain or choices.why:
        return choices
    network = compute.plan(experiment).networks.get(choices.chain)
    cheap = network is None or all(flow_chain.one_way(cell) for cell in network.cells)
    return choices if cheap else replace(choices, moving=True)
