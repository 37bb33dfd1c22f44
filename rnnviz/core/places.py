"""Where a run first stops being numbers: NaN and infinity by parameter, input, or state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.core.trace import Record


@dataclass(frozen=True)
class NotFinite:
    """The first entry that is not finite.

    name: a parameter's, "x", "h" or "c". index: of the entry; of x, h and c it begins with t, and
    ends with the feature or unit and the sequence (x[t] leads from h[t] to h[t+1]).
    value: NaN, inf or −inf.
    """

    name: str
    index: tuple[int, ...]
    value: float

    @property
    def kind(self) -> str:
        """NaN, or inf with its sign."""
        return "NaN" if np.isnan(self.value) else f"{self.value:g}"

    @property
    def where(self) -> str:
        return f"[{', '.join(map(str, self.index))}]"

    @property
    def is_state(self) -> bool:
        return self.name in ("h", "c")


def first_not_finite(record: Record) -> NotFinite | None:
    """What came in is looked at first, parameters before inputs; then the states, step by step,
    c before h, which is made of it. None if all are finite."""
    return first_in({**record.params, "x": record.x}) or _first_state(record)


def first_in(arrays: Mapping[str, Array]) -> NotFinite | None:
    """The first array, and in it the first entry, that is not finite."""
    for name, values in arrays.items():
        bad = ~np.isfinite(values)
        if bad.any():
            index = np.unravel_index(int(bad.argmax()), values.shape)
            return NotFinite(name, tuple(map(int, index)), float(values[index]))
    return None


def _first_state(record: Record) -> NotFinite | None:
    states = {"c": record.c, "h": record.h} if record.c is not None else {"h": record.h}
    found = [
        place for name, s in states.items() if s is not None and (place := first_in({name: s}))
    ]
    return min(found, key=lambda place: place.index[0], default=None)
