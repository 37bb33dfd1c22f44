"""How good the answers are, in the units of the question rather than of the loss."""

from __future__ import annotations

import numpy as np

from rnnviz.core.network import Examples
from rnnviz.core.numerics import Array

METRICS = {"softmax_cross_entropy": "accuracy", "squared_error": "mean squared error"}
TOLERANCE = 0.04
"""Hochreiter and Schmidhuber 1997 call an answer to the adding problem right within this."""


def metric(batch: Examples, y: Array) -> float:
    """The metric that `METRICS` names for the batch's loss, over the steps that are asked:
    accuracy, or the mean of (y − target)²; NaN if nothing is asked."""
    measure = accuracy if batch.loss == "softmax_cross_entropy" else mean_squared_error
    return measure(batch, y)


def accuracy(batch: Examples, y: Array) -> float:
    """Share of the asked steps whose largest y (T, O, B) is at the target (T, B)."""
    right = y.argmax(axis=1) == batch.target
    return _mean(right[batch.mask > 0])


def mean_squared_error(batch: Examples, y: Array) -> float:
    """Mean of (y − target)² over asked steps and outputs; no ½ here."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _mean(np.mean((y - batch.target) ** 2, axis=1)[batch.mask > 0])


def share_within(batch: Examples, y: Array, tolerance: float = TOLERANCE) -> float:
    """Share of the asked steps at which every |y − target| < tolerance."""
    with np.errstate(over="ignore", invalid="ignore"):
        right = (np.abs(y - batch.target) < tolerance).all(axis=1)
    return _mean(right[batch.mask > 0])


def loss_per_answer(batch: Examples, loss: float) -> float:
    """The loss divided by what the mask sums to in a sequence, on average: what a task's baseline
    is stated in; NaN if nothing is asked."""
    asked = float(batch.mask.sum()) / batch.mask.shape[1]
    return loss / asked if asked else float("nan")


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")
