"""The records of a training run as CSV or JSON, to take away, and read back to go on with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from math import isfinite, isnan
from typing import Any

import numpy as np

from rnnviz.training.history import COLUMNS, History
from rnnviz.training.records import StepRecord, TrainState

KEPT = "kept"
"""What of a history is no record, in its JSON."""


def to_csv(history: History) -> str:
    """One line for each kept record. Empty: not recorded; nan, inf: recorded as such."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history.rows())
    return text.getvalue()


def to_json(history: History, **about: Any) -> str:
    """The scalars by name with the step they belong to, log10 ‖∂L/∂s_t‖ and the singular values,
    beside whatever is given as `about` and what `from_json` goes on with. Strict JSON: null is not
    recorded; "NaN", "inf" and "-inf" (the log10 of zero) are recorded as such."""
    records = history.records
    columns = {name: [getattr(r, name) for r in records] for name in COLUMNS}
    arrays = {name: [_list(getattr(r, name)) for r in records]
              for name in ("log10_state", "singular_values")}  # fmt: skip
    return json.dumps(
        strict({**about, **columns, **arrays, KEPT: history.kept}),
        allow_nan=False,
        ensure_ascii=False,
    )


def from_json(told: Mapping[str, Any], state: TrainState) -> History:
    """The history that JSON of `to_json` holds, to go on with from `state`: its records have the
    same numbers, but for arrays, which have the digits that were written. Raises ValueError where
    it is not one, or leads elsewhere."""
    try:
        records = [_record(told, k) for k in range(len(told["step"]))]
        return History.resumed(state, records, _numbers(told[KEPT]))
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"a history must have its records, got {error!r}") from error


def _record(told: Mapping[str, Any], k: int) -> StepRecord:
    scalars = {name: _numbers(told[name][k]) for name in COLUMNS if name != "event"}
    gradient, sigma = (_numbers(told[name][k]) for name in ("log10_state", "singular_values"))
    return StepRecord(**scalars, event=told["event"][k],
                      log10_state=np.array(gradient, np.float32),
                      singular_values=None if sigma is None else np.array(sigma))  # fmt: skip


def _numbers(value: Any) -> Any:
    """What `strict` was given: its texts are numbers that JSON does not know."""
    if isinstance(value, dict):
        return {name: _numbers(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    return float(value) if isinstance(value, str) else value


def strict(value: Any) -> Any:
    """`value` with numbers that JSON does not know as text."""
    if isinstance(value, dict):
        return {name: strict(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [strict(v) for v in value]
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else str(value)
    return value


def _list(values: np.ndarray | None) -> list[float] | None:
    """Rounded to the six digits that a picture can use."""
    return None if values is None else [float(f"{v:.6g}") for v in values]
