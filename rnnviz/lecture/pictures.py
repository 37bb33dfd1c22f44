"""A scene's picture: the one its page draws, larger, for a hall to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rnnviz.lecture.measures import Lesson
from rnnviz.lecture.scenes import CLIPPED, GATES, INFLUENCE, SCENES, SPECTRUM, Scene
from rnnviz.plots.drawing import Drawing
from rnnviz.views import gates, gradient_flow, influence, spectrum, train
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.texts import caption, fill, texts

HEIGHT = 336
"""Pixels of the picture, whichever it is: what a window of 720 leaves for it."""
LARGER = 1.28
"""Times as large as on its page are letters and lines: they are read from the last row."""
PIXELS = {
    "size", "width", "l", "r", "t", "b", "pad", "standoff", "ticklen", "xshift", "yshift",
    "borderpad", "tickwidth", "borderwidth", "ax", "ay",
}  # fmt: skip
"""What of a figure is measured in pixels."""
SIZE = re.compile(r"(font-size:)(\d+)px")
PageChoices = gradient_flow.Choices | spectrum.Choices | gates.Choices


@dataclass(frozen=True)
class Choices:
    """scene: a name. coarse: fewer points, while a knob is dragged."""

    scene: str
    coarse: bool = False

    @property
    def of_page(self) -> PageChoices:
        """What its page would be asked for."""
        scene = named(self.scene)
        kinds: dict[str, Any] = {SPECTRUM: spectrum.Choices, GATES: gates.Choices}
        found: PageChoices = kinds.get(scene.page, gradient_flow.Choices)(coarse=self.coarse)
        if isinstance(found, gradient_flow.Choices) and scene.decades:
            return replace(found, steady=scene.decades)
        return found


def named(name: str) -> Scene:
    """The scene of this name."""
    return next(scene for scene in SCENES if scene.name == name)


def of_scene(scene: Scene, items: Iterable[Picture | Words]) -> Iterator[Picture]:
    """Of what a page shows its picture alone; what stands below it is not made."""
    for item in items:
        if isinstance(item, Picture) and item.key == scene.picture:
            yield larger(item)
            return


def lesson_pictures(scene: Scene, lesson: Lesson | None) -> Iterator[Picture | Words]:
    """Of a scene that runs a lesson of the Train page: a `lesson` that has been trained, or the
    problem that needs none."""
    if scene.page == INFLUENCE:
        yield from influence.pictures()
    elif scene.page == CLIPPED and lesson is not None:
        yield from _losses(lesson)


def _losses(lesson: Lesson) -> Iterator[Picture | Words]:
    """Both runs: the clipped one in colour, the other in grey."""
    free = replace(lesson.course("free"), label=texts("lecture")["not_clipped"])
    return train.pictures(train.view(lesson.clipped, ghosts=[free]))


def _before(text: str) -> str:
    """What a page calls pinned is in a scene what was before the answer."""
    start = caption("pinned", model="")
    if not start.strip() or start not in text:
        return text
    return text.replace(start, fill(texts("lecture")["before"], model=""))


def larger(picture: Picture) -> Picture:
    """With larger letters and lines, and as high as the place of a scene."""
    scaled: Drawing = _scaled(dict(picture.drawing))
    layout = {**scaled["layout"], "height": HEIGHT}
    return replace(picture, drawing={"data": scaled["data"], "layout": layout}, how="")


def _scaled(value: Any, key: str = "") -> Any:
    """Each number that is pixels, times `LARGER`; arrays stay the ones they are."""
    if isinstance(value, dict):
        return {name: _scaled(item, name) for name, item in value.items()}
    if isinstance(value, list) and key in ("annotations", "shapes", "data"):
        return [_scaled(item) for item in value]
    if key in ("name", "hovertemplate") and isinstance(value, str):
        return _before(value)
    if key == "text" and isinstance(value, str):
        return SIZE.sub(lambda found: f"{found[1]}{LARGER * int(found[2]):.0f}px", _before(value))
    if key in PIXELS and isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * LARGER, 1)
    return value
