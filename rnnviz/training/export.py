"""The records of a training run as CSV or JSON, to take away."""

from __future__ import annotations

import csv
import io
import json
from math import isfinite, isnan
from typing import Any

import numpy as np

from rnnviz.training.history import COLUMNS, History


def to_csv(history: History) -> str:
    """One line for each kept record. Empty: not recorded; nan, inf: recorded as such."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history.rows())
    return text.getvalue()


def to_json(history: History, **about: Any) -> str:
    """The scalars by name with the step they belong to, log10 ‖∂L/∂s_t‖ and the singular values,
    beside whatever is given as `about`. Strict JSON: null is not recorded; "NaN", "inf" and "-inf"
    (the log10 of zero) are recorded as such."""
    records = history.records
    columns = {name: [getattr(r, name) for r in records] for name in COLUMNS}
    arrays = {name: [_list(getattr(r, name)) for r in records]
              for name in ("log10_state", "singular_values")}  # fmt: skip
    return json.dumps(strict({**about, **columns, **arrays}), allow_nan=False, ensure_ascii=False)


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
