"""Remarks of the analysis in words."""

from __future__ import annotations

from rnnviz.analysis.remarks import Remark, Share
from rnnviz.wording.library import translated
from rnnviz.wording.lists import said_of
from rnnviz.wording.names import display_name, setting_name
from rnnviz.wording.numbers import percent
from rnnviz.wording.texts import say


def remark_words(remark: Remark) -> str:
    """What a remark says, for a reader."""
    return say("remarks", remark.code, **{name: _shown(value) for name, value in remark.values})


def refusal_words(label: str, refusal: ValueError) -> str:
    """Why nothing was found of a model, with its name before it."""
    return said_of(display_name(label), translated(str(refusal)))


def _shown(value: object) -> str:
    """Counts with commas, other numbers with a setting's digits; names as people write them."""
    if isinstance(value, Share):
        return percent(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else translated(setting_name(str(value)))
