"""Figures as a file holds them: each as JSON, every array once."""

from __future__ import annotations

import html
import json
from typing import Any

from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing, to_json
from rnnviz.views.picture import Picture
from rnnviz.wording.texts import texts

WORDS = ("png", "svg", "home", "failed")
"""What of wording/*/chart.md a figure says itself."""


class Figures:
    """The figures of a file, and the arrays that they share."""

    def __init__(self) -> None:
        self.drawings: list[Any] = []
        self.arrays: list[Any] = []
        self._places: dict[str, int] = {}

    def add(self, picture: Picture) -> int:
        """Take a picture; its number among the figures."""
        height = picture.height
        self.drawings.append({"key": picture.key, "height": height, "alt": picture.alt,
                              "figure": self.shared(picture.drawing)})  # fmt: skip
        return len(self.drawings) - 1

    def shared(self, drawing: Drawing) -> Any:
        """A drawing as JSON, {"$": number} in place of each array."""
        return self._without_arrays(json.loads(to_json(drawing)))

    def _without_arrays(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._without_arrays(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "bdata" in value:
            return {"$": self._place(value)}
        return {name: self._without_arrays(item) for name, item in value.items()}

    def _place(self, array: dict[str, Any]) -> int:
        """Where an array is; equal ones are one."""
        place = self._places.setdefault(json.dumps(array), len(self.arrays))
        if place == len(self.arrays):
            self.arrays.append(array)
        return place

    def data(self) -> dict[str, Any]:
        """What the page's script draws them from."""
        return {"figures": self.drawings, "arrays": self.arrays, "dark": dict(theme.DARK)}


def chart_words() -> dict[str, str]:
    """What stands on a figure's buttons, in the language that is spoken."""
    return {name: texts("chart")[name] for name in WORDS}


def place_html(picture: Picture, number: int) -> str:
    """Where a script draws figure `number`; those who cannot see it are told what it shows."""
    named = f'data-key="{picture.key}" aria-label="{html.escape(picture.alt)}"'
    return (f'<div class="rnnviz-chart" data-figure="{number}" {named} role="group" '
            f'style="height:{picture.height}px"></div>')  # fmt: skip
