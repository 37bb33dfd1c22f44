"""The lecture as a page: every scene, every setting of its knob, in every language.

A run is made once and drawn in each language; the arrays of its figures are the same ones, and are
in the file once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rnnviz.experiment import Run, run
from rnnviz.lecture.measures import Lesson, trained
from rnnviz.lecture.pictures import Choices, lesson_pictures, of_scene
from rnnviz.lecture.scenes import CLIPPED, FLOW, GATES, QUIZ, SCENES, SPECTRUM, Scene
from rnnviz.report import knobs
from rnnviz.report.document import document
from rnnviz.report.figures import Figures
from rnnviz.report.lecture_words import lecture_words
from rnnviz.report.scripts import source_of
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.views.by_hand import default, in_numbers
from rnnviz.wording.texts import OFFERED, speak_in, texts

STYLES = ["chart.css", "report.css", "lecture.css", "lecture_file.css"]
SHEETS = {"hand": "by_hand.css", "slider": "slider.css"}
"""Of parts that have a style sheet of their own."""
VIEWS: Mapping[str, Any] = {FLOW: gradient_flow, SPECTRUM: spectrum, GATES: gates}
Tell = Callable[[int, int, str], None]


def lecture_page(
    scenes: Sequence[Scene] = SCENES,
    languages: Sequence[str] = OFFERED,
    tell: Tell = lambda done, count, name: None,
) -> str:
    """The page as HTML.

    Parameters
    ----------
    scenes : in their order; the quiz and By hand come after them.
    languages : the first one is shown to those whose browser prefers none of them.
    tell : is called after each setting of a knob with how many are drawn, how many there are, and
        the scene's name.

    Examples
    --------
    >>> from rnnviz.lecture.scenes import SCENES
    >>> told = []
    >>> page = lecture_page(SCENES[9:10], ["en"], lambda *drawn: told.append(drawn))
    >>> told
    [(1, 1, 'truncation')]
    """
    figures, done = Figures(), 0
    count = sum(len(knobs.settings(scene)) for scene in scenes)
    drawn: dict[str, list[dict[str, Any]]] = {name: [] for name in languages}
    for scene in scenes:
        for name in languages:
            drawn[name].append({"first": None, "shown": []})
        before = None if scene.first is None else run(scene.first)
        lesson = trained() if scene.page == CLIPPED else None
        if before is not None:
            for name, number in _drawn(scene, before, None, None, languages, figures).items():
                drawn[name][-1]["first"] = number
        for experiment in knobs.settings(scene):
            made = run(experiment) if scene.page in VIEWS else None
            numbers = _drawn(scene, made, before, lesson, languages, figures)
            for name, number in numbers.items():
                drawn[name][-1]["shown"].append(number)
            done += 1
            tell(done, count, scene.name)
    return _document(scenes, drawn, figures)


def _drawn(
    scene: Scene,
    made: Run | None,
    before: Run | None,
    lesson: Lesson | None,
    languages: Sequence[str],
    figures: Figures,
) -> dict[str, int]:
    """Language -> the number of the scene's figure."""

    def draw() -> int:
        if made is None:
            items = lesson_pictures(scene, lesson)
        else:
            page, pinned = VIEWS[scene.page], {} if before is None else {"pinned": before}
            items = page.pictures(page.view(made, Choices(scene.name).of_page, **pinned))
        return figures.add(next(of_scene(scene, items)))

    return {name: speak_in(name, draw) for name in languages}


def _document(
    scenes: Sequence[Scene], drawn: Mapping[str, list[dict[str, Any]]], figures: Figures
) -> str:
    said = {name: speak_in(name, lambda: lecture_words(scenes)) for name in drawn}
    data = {
        **figures.data(),
        "scenes": [_facts(scene) for scene in scenes],
        "quiz": [{"name": each.name, "right": each.answer} for each in QUIZ],
        "languages": [{"code": name, "drawn": drawn[name], **said[name]} for name in drawn],
        "chain": {**in_numbers(default()), "stage": 0},
        "sheets": {name: source_of(sheet) for name, sheet in SHEETS.items()},
    }
    first = next(iter(drawn))
    body = '<main class="stMain lecture"></main>'
    return speak_in(first, lambda: document(
        texts("report")["lecture_title"], body, data, "lecture.js", STYLES, first))  # fmt: skip


def _facts(scene: Scene) -> dict[str, Any]:
    """What of a scene is the same in every language."""
    knob = {"values": knobs.written(scene), "at": knobs.start(scene), "ticks": knobs.ticks(scene)}
    guess = asdict(scene.guess) if scene.guess else None
    right = {"right": scene.answer, "guess": guess}
    return {"name": scene.name, **right, "knob": knob if scene.knob else None}
