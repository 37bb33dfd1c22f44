"""Numbers as a browser sends them: a component's script does, or anyone who speaks its language.

JSON as Python reads it has integers of any length, Infinity and NaN; most of what is done with
them raises OverflowError. So what a browser sends is read here and nowhere else.
"""

from __future__ import annotations

import math

import numpy as np


def number(value: object) -> float | None:
    """A number, infinite where it is too large for a float; None for NaN and all other things."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    try:
        read = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return None if math.isnan(read) else read


def finite(value: object) -> float | None:
    """A finite number; None for all other things."""
    read = number(value)
    return read if read is not None and math.isfinite(read) else None
