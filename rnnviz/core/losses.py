"""Losses as value-and-gradient pairs.

A loss is the sum over the time steps of mask_t · error_t and the mean over the batch, natural
logarithms throughout. `ERRORS` holds the errors of every step and sequence, `LOSSES` the sums.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array

PointwiseError = Callable[[Array, Array], tuple[Array, Array]]


def squared_errors(y: Array, target: Array) -> tuple[Array, Array]:
    """½ Σ_o (y − target)² as (T, B), and its gradient y − target, (T, O, B)."""
    difference = y - checks.array("target", target, y.shape).astype(y.real.dtype)
    return 0.5 * np.sum(difference * difference, axis=1), difference


def cross_entropies(y: Array, target: Array) -> tuple[Array, Array]:
    """−log softmax(y)[target] as (T, B), in nats, and its gradient softmax(y) − one-hot(target).

    target (T, B) holds integers from 0 to O − 1. The largest y is subtracted before exp.
    """
    ids = _class_ids(target, y.shape)
    shifted = y - y.real.max(axis=1, keepdims=True)
    d_y = np.exp(shifted)
    total = d_y.sum(axis=1, keepdims=True)
    d_y /= total
    hit = np.take_along_axis(d_y, ids, axis=1)
    np.put_along_axis(d_y, ids, hit - 1, axis=1)
    errors = np.log(total) - np.take_along_axis(shifted, ids, axis=1)
    return errors[:, 0], d_y


def projections(y: Array, target: Array) -> tuple[Array, Array]:
    """Σ_o target · y as (T, B), and its gradient, the target itself, (T, O, B)."""
    direction = checks.array("target", target, y.shape).astype(y.dtype)
    return np.sum(direction * y, axis=1), direction


def squared_error(y: Array, target: Array, mask: Array) -> tuple[float, Array]:
    """L = mean_b Σ_t mask_tb · ½ Σ_o (y_tob − target_tob)², and d_y (T, O, B) = ∂L/∂y.

    y, target (T, O, B); mask (T, B), weights >= 0. Note the ½: at the last step alone this is
    half the mean squared error. Raises ValueError for a wrong shape.
    """
    errors, d_y = weighted(squared_errors, y, target, mask)
    return total(errors), d_y


def softmax_cross_entropy(y: Array, target_ids: Array, mask: Array) -> tuple[float, Array]:
    """L = mean_b Σ_t mask_tb · (−log softmax(y_tb)[target_tb]), and d_y (T, O, B) = ∂L/∂y.

    y (T, O, B), target_ids (T, B) integers, mask (T, B), weights >= 0. In nats: a guess among O
    equal classes costs ln O. Raises ValueError for a wrong shape or an id outside 0..O−1.
    """
    errors, d_y = weighted(cross_entropies, y, target_ids, mask)
    return total(errors), d_y


def projection(y: Array, target: Array, mask: Array) -> tuple[float, Array]:
    """L = mean_b Σ_t mask_tb · Σ_o target_tob · y_tob, and d_y (T, O, B) = ∂L/∂y.

    y, target (T, O, B), mask (T, B), weights >= 0. What of y lies in a direction: the same gradient
    whatever y is. Raises ValueError for a wrong shape.
    """
    errors, d_y = weighted(projections, y, target, mask)
    return total(errors), d_y


def weighted(
    pointwise: PointwiseError, y: Array, target: Array, mask: Array
) -> tuple[Array, Array]:
    """(T,) what each step adds to the loss, and d_y. Steps with mask 0 add exactly 0, even
    where y is not finite. Both are computed without warnings; inf and NaN are let through."""
    y = checks.array("y", y, ("T", "O", "B"), finite=False)
    seq_len, _, batch_size = y.shape
    weights = checks.array("mask", mask, (seq_len, batch_size)).astype(y.real.dtype) / batch_size
    with np.errstate(all="ignore"):
        errors, d_y = pointwise(y, target)
        d_y *= weights[:, None]
        errors *= weights
        errors[weights == 0] = 0
        d_y[np.broadcast_to((weights == 0)[:, None], d_y.shape)] = 0
        return errors.sum(axis=1), d_y


def total(by_step: Array) -> float:
    """The loss from what each step adds to it; inf and NaN are let through without a warning."""
    with np.errstate(all="ignore"):
        return by_step.sum().item()


def _class_ids(target: Array, shape: tuple[int, ...]) -> Array:
    """(T, B) integers as (T, 1, B) indices, checked."""
    ids = np.asarray(target)
    seq_len, classes, batch_size = shape
    if ids.dtype.kind not in "iu" or ids.shape != (seq_len, batch_size):
        raise ValueError(
            f"target_ids must be integers of shape ({seq_len}, {batch_size}), "
            f"got {ids.dtype} of shape {ids.shape}"
        )
    if ids.min() < 0 or ids.max() >= classes:
        raise ValueError(
            f"target_ids must be from 0 to {classes - 1}, got {ids.min()} to {ids.max()}"
        )
    return ids[:, None, :].astype(np.intp)


LOSSES: dict[str, Callable[[Array, Array, Array], tuple[float, Array]]] = {
    "squared_error": squared_error,
    "softmax_cross_entropy": softmax_cross_entropy,
    "projection": projection,
}

ERRORS: dict[str, PointwiseError] = {
    "squared_error": squared_errors,
    "softmax_cross_entropy": cross_entropies,
    "projection": projections,
}
