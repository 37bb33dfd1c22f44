"""A page's pictures and words at one value of one knob, as the browser takes them.

What is shown is what was computed, by the functions that the page's script calls, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from rnnviz.dashboard import compute, definitions, show, words_html
from rnnviz.dashboard.asked import Asked, TrainingChoices
from rnnviz.dashboard.cached import cached
from rnnviz.dashboard.components import scrubber
from rnnviz.dashboard.components.chart import payload
from rnnviz.dashboard.components.flow_chain import KEY, packed
from rnnviz.experiment import Experiment
from rnnviz.experiment.links import to_query
from rnnviz.jobs.training import Training, begin
from rnnviz.lecture import pictures as lecture
from rnnviz.plots.drawing import Range
from rnnviz.plots.theme import Style
from rnnviz.views import gates, gradient_flow, spectrum, train
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.markup import as_html
from rnnviz.wording.texts import speak

View = gradient_flow.View | spectrum.View | gates.View
Frame = tuple[str, bytes]
MOST_KEPT = 64
"""Answers of up to 300 kB that are kept for all visitors."""


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


@cached(MOST_KEPT)
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
    said = {"notes": as_html(compute.notes(asked.experiment)), "warning": ""}
    if asked.preset is None:
        return said
    return {**said, "preset": words_html.preset(asked.experiment, asked.preset)}


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
