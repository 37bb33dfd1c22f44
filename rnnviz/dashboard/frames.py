"""A page's pictures and words at one value of one knob, as the browser takes them.

What is shown is what was computed, by the functions that the page's script calls, too. Where the
time is short there are fewer sequences or fewer points, and that is said.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from rnnviz.dashboard import compute, definitions, layout, show
from rnnviz.dashboard.components import scrubber
from rnnviz.dashboard.components.browser import finite
from rnnviz.dashboard.components.chart import payload
from rnnviz.dashboard.components.flow_chain import KEY, packed
from rnnviz.dashboard.layout import SOON
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.experiment.links import to_query
from rnnviz.jobs.training import Training, begin
from rnnviz.lecture import pictures as lecture
from rnnviz.plots.theme import Style
from rnnviz.views import flow_chain, gates, gradient_flow, spectrum, train
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.language import speak
from rnnviz.wording.lists import listed
from rnnviz.wording.texts import fill, texts

View = gradient_flow.View | spectrum.View | gates.View
Range = tuple[float, float]
Frame = tuple[str, bytes]
HELD_SECONDS, KEY_SECONDS = 0.02, 0.06
"""Estimated seconds that runs may take while a knob is held, shared by as many as ask at the same
time, and after a key."""
MOST_KEPT = 64
"""Answers of up to 300 kB that are kept for all visitors."""


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
    between two slices while it plays; revision: of the charts. alone: whether nothing else is drawn
    that only this visit has."""

    of_page: train.Choices
    states: int
    every: float
    revision: int
    alone: bool = True


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
    if compute.refusal(experiment) or (move.rests and compute.traces.seconds(experiment) > SOON):
        return None
    if isinstance(shown.choices, TrainingChoices):
        return _begun(shown, experiment)
    asked = replace(shown, experiment=experiment, range=move.range)
    seconds = HELD_SECONDS / (1 + before) if move.held else KEY_SECONDS
    return asked if move.rests else _affordable(asked, seconds)


def _begun(shown: Asked, experiment: Experiment) -> Asked | None:
    """Training takes all sequences, or it would be other training."""
    assert isinstance(shown.choices, TrainingChoices)
    soon = compute.traces.seconds(experiment) <= SOON
    return replace(shown, experiment=experiment) if shown.choices.alone and soon else None


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


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pictures and words, the styles of the models' names, what stands beside them, and the decades
    that an axis keeps. panels: what else follows a knob, by the names that the page knows it by;
    revision: of the charts."""

    items: Iterator[Picture | Words]
    styles: dict[str, Style]
    beside: str
    range: Range | None = None
    panels: tuple[Frame, ...] = ()
    revision: int = 0


def beside(view: View) -> str:
    """Names what stands beside a view's figures, which the script alone can draw."""
    return hashlib.sha1(repr(view.beside).encode(), usedforsecurity=False).hexdigest()[:12]


@st.cache_resource(max_entries=MOST_KEPT, show_spinner=False, hash_funcs={Asked: repr})
def frames(asked: Asked) -> tuple[Frame, ...]:
    """Names and contents: "chart:" and a chart's key, "panel:" and a panel's, "words:" and what
    they are called on the page, and "end", which says what was left out and which decades are
    shown. Made once for all visitors who ask for the same: in a lecture most of them do."""
    return tuple(_frames(asked))


def _frames(asked: Asked) -> Iterator[Frame]:
    speak(asked.language)
    with definitions.afresh(asked.defined):
        figures = drawn(asked)
        yield from framed(figures, asked.experiment, _said_before(asked))
    end = {"exact": not asked.note, "note": asked.note, "range": figures.range,
           "beside": figures.beside}  # fmt: skip
    yield "end", json.dumps(end).encode()


def framed(figures: Drawn, shows: Experiment, before: Mapping[str, str] = {}) -> Iterator[Frame]:
    """What is drawn, of the experiment that it `shows`. before: words above the pictures."""
    said, query = dict(before), urlencode(to_query(shows))
    for item in figures.items:
        if isinstance(item, Picture):
            options = show.drawn(item, shows=query, revision=figures.revision)
            yield f"chart:{item.key}", payload(item.drawing, key=item.key, **options)
        said |= show.spoken(item, figures.styles)
    yield from figures.panels
    for name, words in said.items():
        yield f"words:{name}", words.encode()


def _said_before(asked: Asked) -> dict[str, str]:
    """The words above the pictures, and no warning yet."""
    said = {"notes": layout.note_html(compute.notes(asked.experiment)), "warning": ""}
    if asked.preset is None:
        return said
    return {**said, "preset": layout.preset_html(asked.experiment, asked.preset)}


def drawn(asked: Asked) -> Drawn:
    """A page's pictures and words."""
    return DRAW[type(asked.choices)](asked)


def _flow(asked: Asked) -> Drawn:
    assert isinstance(asked.choices, gradient_flow.Choices)
    view = compute.flow_view(asked.experiment, asked.choices, asked.pinned)
    low, high = view.y_range()
    if asked.range:  # it grows at once, and shrinks when the knob is let go
        low, high = min(low, asked.range[0]), max(high, asked.range[1])
    items = gradient_flow.pictures(view, (low, high))
    drawn = Drawn(items, view.styles, beside(view), (low, high))
    if view.chain is None:
        return drawn
    said = packed(view, urlencode(to_query(asked.experiment)), (low, high))
    return replace(drawn, panels=((f"panel:{KEY}", said),))


def _spectrum(asked: Asked) -> Drawn:
    assert isinstance(asked.choices, spectrum.Choices)
    view = compute.spectrum_view(asked.experiment, asked.choices)
    return Drawn(spectrum.pictures(view), view.styles, beside(view))


def _gates(asked: Asked) -> Drawn:
    assert isinstance(asked.choices, gates.Choices)
    view = compute.gates_view(asked.experiment, asked.choices)
    return Drawn(gates.pictures(view), view.styles, beside(view))


def _scene(asked: Asked) -> Drawn:
    """Of what its page would show the scene's picture."""
    assert isinstance(asked.choices, lecture.Choices)
    figures = drawn(replace(asked, choices=asked.choices.of_page))
    scene = lecture.named(asked.choices.scene)
    return replace(figures, items=lecture.of_scene(scene, figures.items), panels=())


def _training(asked: Asked) -> Drawn:
    """A run that begins."""
    choices = asked.choices
    assert isinstance(choices, TrainingChoices)
    run = begin(compute.plan(asked.experiment), zoom=choices.revision)
    known = compute.levels(asked.experiment, choices.states)
    return of_training(run, train.view(run, choices.of_page, known), choices)


def of_training(run: Training, view: train.View, choices: TrainingChoices) -> Drawn:
    """What the first screen of the Train page shows of a run, as far as it is."""
    panel = f"panel:{scrubber.KEY}", scrubber.packed(run, view, choices.every)
    words: list[Picture | Words] = [Words("verdict", view.verdict)]
    return Drawn(
        chain(words, train.first_screen(view)),
        view.styles,
        "",
        panels=(panel,),
        revision=choices.revision,
    )


DRAW: dict[type[Any], Callable[[Asked], Drawn]] = {
    gradient_flow.Choices: _flow,
    spectrum.Choices: _spectrum,
    gates.Choices: _gates,
    lecture.Choices: _scene,
    TrainingChoices: _training,
}
