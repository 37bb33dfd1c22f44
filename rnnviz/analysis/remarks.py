"""What is to be said of a result, without the words."""

from __future__ import annotations

from typing import NamedTuple


class Share(float):
    """A part of 1 that is said in percent."""


class Remark(NamedTuple):
    """code: what it says; values: the names and values that belong to it, such as a number of
    steps. `wording` has a sentence for each code."""

    code: str
    values: tuple[tuple[str, object], ...] = ()


def remark(code: str, **values: object) -> Remark:
    """A remark with its values."""
    return Remark(code, tuple(values.items()))
