"""The words in figures: titles, axes, labels, what is said under the pointer."""

from __future__ import annotations

from rnnviz.wording.texts import say


def caption(name: str, /, **values: object) -> str:
    """A text of plots.md, its [[values]] filled in."""
    return say("plots", name, **values)
