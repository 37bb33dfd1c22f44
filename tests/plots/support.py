"""Results to draw, and what is in a figure once it has become JSON."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.analysis.rates import Curve
from rnnviz.core import GRU, LSTM, RNN, bptt
from rnnviz.core.numerics import Status
from rnnviz.core.trace import Trace
from rnnviz.plots.drawing import HIGH_CODE, LOW_CODE, NAN_CODE

CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
T = 12
FINE = [Status.FINITE] * T
"""The statuses of a curve of `ramp`."""
BAD_TEXT = "lstm:<b onload=x>$\\href{javascript:1}$%{y}"


def trace(kind: str, T: int = 12, H: int = 5, B: int = 2, D: int = 3, **init: object) -> Trace:
    """A small network run forward and back, loss at the last step."""
    rng = np.random.default_rng(7)
    cell = CELLS[kind](D, H)
    params = cell.init_params(rng, **init)
    d_h = np.zeros((T, H, B))
    d_h[-1] = rng.standard_normal((H, B))
    return bptt(cell, params, rng.standard_normal((T, D, B)), d_h)


def flow(label: str, **options: object) -> GradientFlow:
    return gradient_flow(trace(label.partition(":")[0], **options), label)


def made(label: str, log10: object, status: object, units: int = 4) -> GradientFlow:
    """A flow whose curves (steps 1 to T) are given; index 0 is put before them."""
    values = np.concatenate(([np.nan], np.asarray(log10, dtype=float)))
    codes = np.concatenate(([Status.NOT_RECORDED], np.asarray(status))).astype(np.int8)
    curve = Curve(values, codes)
    rows = {"units": np.tile(values, (units, 1)), "units_status": np.tile(codes, (units, 1))}
    return replace(flow("rnn"), label=label, state=curve, h=curve, direct=curve, **rows)


def ramp(low: float, high: float = -1.0) -> np.ndarray:
    """log10 of a curve that rises steadily over T steps."""
    return np.linspace(low, high, T)


def with_status(status: Status, steps: int, value: float) -> GradientFlow:
    """A flow whose first steps have that status."""
    values, codes = ramp(-6), np.array(FINE)
    values[:steps], codes[:steps] = value, status
    return made("rnn", values, codes)


def as_json(figure: go.Figure) -> dict:
    """The figure as the page gets it: strict JSON, typed arrays decoded."""
    return decoded(json.loads(figure.to_json(validate=False), parse_constant=_refuse))


def decoded(value: object) -> object:
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
        shape = value.get("shape")
        return array.reshape([int(n) for n in str(shape).split(",")]) if shape else array
    if isinstance(value, dict):
        return {key: decoded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [decoded(part) for part in value]
    return value


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} in JSON")


def texts(figure: dict) -> str:
    """All annotations in one string."""
    return "\n".join(note["text"] for note in figure["layout"].get("annotations", []))


def named(figure: dict, name: str) -> list[dict]:
    return [each for each in figure["data"] if each.get("name") == name]


def heights(trace_: dict) -> list[float | None]:
    """y of a line, whatever it was packed as."""
    return [None if y is None else float(y) for y in trace_["y"]]


def unpacked_values(packed: dict[str, Any]) -> np.ndarray:
    """What the browser makes of `packed_values`."""
    codes = np.frombuffer(base64.b64decode(packed["codes"]), "<i2").reshape(packed["shape"])
    values = packed["middle"] + codes * packed["scale"]
    values[codes == NAN_CODE] = np.nan
    values[codes == LOW_CODE] = -np.inf
    values[codes == HIGH_CODE] = np.inf
    return values
