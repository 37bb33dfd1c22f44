"""Figures as plain data, and the same as `go.Figure` for a notebook.

A page redraws its figures many times a second. Plain dicts in plotly's vocabulary with NumPy
arrays in them cost a fifth of a `go.Figure`, which copies and checks what it is given.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypedDict

import numpy as np

from rnnviz.plots import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

Piece = dict[str, Any]
P = ParamSpec("P")
SENT_AS = {"int64": "int32", "uint64": "uint32", "bool": "uint8", "float16": "float32"}
"""Kinds of numbers that a browser has no array for, and what is sent in their place."""


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
