"""A view in a notebook: its words and its pictures, one below the other."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from rnnviz.views.picture import Picture, Words


@dataclass(frozen=True, eq=False)
class Shown:
    """What a notebook draws where a cell ends in it; printed, it is its words.

    items: what the page of the view has, in its order.
    """

    items: tuple[Picture | Words, ...]

    def _ipython_display_(self) -> None:
        """Jupyter calls this, whose package it is: figures are drawn as it draws plotly's."""
        from IPython.display import Markdown, display

        for item in self.items:
            if isinstance(item, Picture):
                display(item.figure())
            display(Markdown("\n\n".join(_lines(item))))

    def __repr__(self) -> str:
        return "\n\n".join("\n".join(filter(None, _lines(item))) for item in self.items)


def _lines(item: Picture | Words) -> tuple[str, ...]:
    """What is said; of a picture how to read it."""
    return (item.how,) if isinstance(item, Picture) else item.lines


def shown(view: Any) -> Shown:
    """What the page of a view has. Raises TypeError for what is no view."""
    pictures = getattr(importlib.import_module(type(view).__module__), "pictures", None)
    if pictures is None:
        raise TypeError("show takes a view, such as rnnviz.views.gradient_flow.view(run), got "
                        f"{type(view).__name__}")  # fmt: skip
    return Shown(tuple(pictures(view)))
