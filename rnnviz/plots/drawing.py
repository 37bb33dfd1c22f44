"""Figures as plain data, the same as `go.Figure` for a notebook, and what moves in them.

A page redraws its figures many times a second. Plain dicts in plotly's vocabulary with NumPy
arrays in them cost a fifth of a `go.Figure`, which copies and checks what it is given.

A track replaces one attribute of one trace as a training step is chosen; the browser does it alone.
Values travel as 16-bit integers between the least and the greatest one: at most one part in
60,000 of that range is lost, which no screen shows. NaN and ±inf have codes of their own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypedDict

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.plots import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

Piece = dict[str, Any]
Range = tuple[float, float]
"""The ends of an axis."""
P = ParamSpec("P")
SENT_AS = {"int64": "int32", "uint64": "uint32", "bool": "uint8", "float16": "float32"}
"""Kinds of numbers that a browser has no array for, and what is sent in their place."""
TOP = 30_000
"""The greatest code of a number; those of what is none lie beyond."""
NAN_CODE, LOW_CODE, HIGH_CODE = -32_768, -32_767, 32_767


class Drawing(TypedDict):
    """A figure: traces and layout in plotly's words, arrays where there are many numbers."""

    data: list[Piece]
    layout: Piece


class FigureFunction(Generic[P]):
    """A function that draws. Called, it gives a `go.Figure`; its `plain` gives the `Drawing`."""

    def __init__(self, draw: Callable[P, Drawing]) -> None:
        self.plain = draw
        update_wrapper(self, draw)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> go.Figure:
        """Without plotly's validation, which costs three times the rest; the tests validate."""
        import plotly.graph_objects as go

        return go.Figure(dict(self.plain(*args, **kwargs)), _validate=False)


def drawing(data: Sequence[Piece], layout: Piece, revision: str) -> Drawing:
    """A figure in the theme. `revision` keeps zoom and hover over updates."""
    whole = {
        "template": theme.template(),
        "uirevision": revision,
        "showlegend": False,
        "hovermode": "closest",
        **layout,
        "margin": {**layout.get("margin", {}), "autoexpand": False},
    }
    return {"data": list(data), "layout": whole}


def to_json(drawn: Drawing) -> str:
    """The figure as plotly.js reads it: arrays as base64, None where there is no number.

    Raises ValueError for NaN or infinity outside of an array: JSON has no such numbers.
    """
    return json.dumps(drawn, default=_packed, allow_nan=False, separators=(",", ":"))


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.ndim in (1, 2):
        sent = np.ascontiguousarray(value, SENT_AS.get(value.dtype.name, value.dtype))
        packed = {
            "dtype": np.dtype(sent.dtype).str[1:],
            "bdata": base64.b64encode(sent.data).decode(),
        }
        return packed if sent.ndim == 1 else packed | {"shape": ", ".join(map(str, sent.shape))}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, range):
        return list(value)
    raise TypeError(f"a figure cannot hold a {type(value).__name__}")


@dataclass(frozen=True, eq=False)
class Track:
    """Trace number `trace` has `values[k]` as its `attribute` ("y" or "z") from training step
    `steps[k]` on, until `steps[k + 1]`.

    steps (n,): increasing integers. values (n, ...): a line's y (n, T), a heatmap's z (n, H, T).
    Raises ValueError if these do not fit.
    """

    trace: int
    attribute: str
    steps: Array
    values: Array

    def __post_init__(self) -> None:
        if self.attribute not in ("y", "z"):
            raise ValueError(f"attribute must be y or z, got {self.attribute!r}")
        _check(self.steps, "values", len(self.values))

    def packed(self) -> dict[str, Any]:
        """The track as JSON: `low + code · scale` is a value, see `packed_values`."""
        what = {"trace": self.trace, "attribute": self.attribute}
        return {**what, "steps": _packed_steps(self.steps), **packed_values(self.values)}


@dataclass(frozen=True, eq=False)
class Words:
    """Trace number `trace` shows `words[k]`, a text for each of its points, from training step
    `steps[k]` on, until `steps[k + 1]`.

    Raises ValueError if these do not fit.
    """

    trace: int
    steps: Array
    words: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        _check(self.steps, "words", len(self.words))

    def packed(self) -> dict[str, Any]:
        """The track as JSON."""
        return {"trace": self.trace, "attribute": "text", "steps": _packed_steps(self.steps),
                "words": [list(row) for row in self.words]}  # fmt: skip


def _check(steps: Array, name: str, count: int) -> None:
    if len(steps) != count:
        raise ValueError(f"{name} must be one for each of {len(steps)} steps, got {count}")
    if np.any(np.diff(steps) <= 0):
        raise ValueError("steps must increase")


def _packed_steps(steps: Array) -> str:
    return base64.b64encode(np.asarray(steps, "<i4").tobytes()).decode()


def packed_values(values: Array) -> dict[str, Any]:
    """Codes (16-bit, little-endian, base64), their shape, and value = middle + code · scale."""
    wide = np.asarray(values, np.float64)
    finite = np.isfinite(wide)
    low, high = (wide[finite].min(), wide[finite].max()) if finite.any() else (0.0, 0.0)
    middle = low / 2 + high / 2
    scale = max(high / 2 - low / 2, np.finfo(np.float64).tiny * TOP) / TOP
    codes = np.rint((np.where(finite, wide, middle) - middle) / scale)
    codes[np.isnan(wide)] = NAN_CODE
    codes[np.isneginf(wide)] = LOW_CODE
    codes[np.isposinf(wide)] = HIGH_CODE
    data = base64.b64encode(codes.astype("<i2").tobytes()).decode()
    return {"codes": data, "shape": list(wide.shape), "middle": float(middle),
            "scale": float(scale)}  # fmt: skip
