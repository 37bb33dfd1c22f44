"""The records of a training run as arrays, ready for plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.training.records import StepRecord

SCALARS = ("loss", "loss_per_answer", "metric", "norm_before", "norm_after", "clipped",
           "update_ratio", "spectral_radius", "held_out_loss", "held_out_metric")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Curves:
    """What is kept, as arrays over the n recorded steps, ready for plots.

    steps (n,) integers, ascending; loss, loss_per_answer, metric, norm_before, norm_after,
    update_ratio, spectral_radius, held_out_loss, held_out_metric (n,) floats, NaN where not
    recorded; clipped, spike (n,) bool;
    log10_state (n, T+1) float32, shorter sequences filled with NaN; singular_values (n, k), NaN
    where not recorded.

    Examples
    --------
    >>> history = History(state)
    >>> reached, record = next(train(network, state, planned.batch_at, options))
    >>> history.add(reached, record)
    >>> history.curves().loss.shape
    (1,)
    """

    steps: Array
    loss: Array
    loss_per_answer: Array
    metric: Array
    norm_before: Array
    norm_after: Array
    clipped: Array
    update_ratio: Array
    spectral_radius: Array
    held_out_loss: Array
    held_out_metric: Array
    log10_state: Array
    singular_values: Array
    spike: Array


def curves_of(records: Sequence[StepRecord], spikes: Sequence[bool]) -> Curves:
    """Of some records, with which of them are spikes.

    Examples
    --------
    >>> reached, record = next(train(network, state, planned.batch_at, options))
    >>> curves_of([record], [False]).steps
    array([0])
    """
    values = {name: np.array([_number(getattr(r, name)) for r in records]) for name in SCALARS}
    values["clipped"] = values["clipped"].astype(bool)
    return Curves(
        steps=np.array([r.step for r in records], np.int64),
        log10_state=_stacked([r.log10_state for r in records], np.float32),
        singular_values=_stacked([r.singular_values for r in records], np.float64),
        spike=np.array(spikes, bool),
        **values,
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _stacked(rows: list[Array | None], dtype: type) -> Array:
    """Rows of one length, filled up with NaN; a missing row is all NaN."""
    width = max((len(row) for row in rows if row is not None), default=0)
    table: Array = np.full((len(rows), width), np.nan, dtype)
    for target, row in zip(table, rows, strict=True):
        if row is not None:
            target[: len(row)] = row
    return table
