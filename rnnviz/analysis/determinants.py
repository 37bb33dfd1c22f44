"""ln |det J_t|: what all Lyapunov exponents of a step must add up to (THEORY E8, E9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.linear import Steps, check_range, linearize
from rnnviz.core import LSTM, RNN, Record
from rnnviz.core.activations import ACTIVATIONS

Array = np.ndarray

BLOCK = 16


@dataclass(frozen=True, eq=False)
class Determinants:
    """logs (n,): ln |det J_t|, −inf where it is zero. singular (n,): whether it is zero in exact
    arithmetic too (singular weights, a dead ReLU), not by rounding alone (1 − tanh² at |a| > 19).
    """

    logs: Array
    singular: Array


def log_determinants(
    record: Record,
    sequence: int = 0,
    start: int = 0,
    stop: int | None = None,
    linear: Steps | None = None,
) -> Determinants:
    """ln |det ∂s_t/∂s_{t−1}| of the steps from s_start to s_stop.

    RNN: ln |det W_hh| + Σ_i ln φ′(a_ti) (E8). LSTM: ln |det(diag(∂h/∂a_o) U_o)| and the sum over
    units of ln |∂c_t/∂c_{t−1}| with h held (E9; derived for this project). Both from the values of
    the gates, without J_t. Others (GRU, leaky units, skips): by LU of J_t, from `linear` if these
    steps are there already.
    Raises ValueError for a range that the record does not have.
    """
    start, stop = check_range(record, sequence, start, stop)
    cell, steps = record.cell, slice(start, stop)
    with np.errstate(all="ignore"):
        if not cell.skip and isinstance(cell, RNN) and cell.leak == 1:
            return _rnn(record, sequence, steps)
        if not cell.skip and isinstance(cell, LSTM):
            return _lstm(record, sequence, steps)
        logs = _by_lu(linear or linearize(record, sequence, start, stop))
        return Determinants(logs, np.isneginf(logs))


def _by_lu(linear: Steps) -> Array:
    logs = []
    for first in range(0, len(linear), BLOCK):
        some = range(first, min(first + BLOCK, len(linear)))
        logs.append(_log_det(np.stack([linear.matrix(k) for k in some])))
    return np.concatenate(logs)


def _rnn(record: Record, sequence: int, steps: slice) -> Determinants:
    assert isinstance(record.cell, RNN)
    y = record.gates["a"][steps, :, sequence].astype(np.float64)
    slope = np.empty_like(y)
    ACTIVATIONS[record.cell.activation].slope(y, slope)
    of_W = _log_det(record.params["W_hh"])
    dead = (slope == 0).any(axis=1) & (record.cell.activation == "relu")
    return Determinants(of_W + np.log(slope).sum(axis=1), dead | np.isneginf(of_W))


def _lstm(record: Record, sequence: int, steps: slice) -> Determinants:
    cell = record.cell
    n = steps.stop - steps.start
    if "o" not in cell.trainable_gates:  # h_t is then a multiple of c_t, unit by unit
        return Determinants(np.full(n, -np.inf), np.ones(n, bool))
    assert record.c is not None
    assert record.saved is not None
    c, squashed = (v[steps, :, sequence].astype(np.float64) for v in (record.c, record.saved))
    i, f, g, o = (record.gates[k][steps, :, sequence].astype(np.float64) for k in "ifgo")
    carried = f
    if "p_f" in record.params:
        kept = c - g if getattr(cell, "coupled", False) else c
        carried = carried + kept * f * (1 - f) * record.params["p_f"]
    if "p_i" in record.params:
        carried = carried + g * i * (1 - i) * record.params["p_i"]
    of_o = np.log(np.abs(squashed * o * (1 - o))) + np.log(np.abs(carried))
    of_U = _log_det(record.params["W_hh"][cell.gate_rows("o")])
    return Determinants(of_U + of_o.sum(axis=1), np.full(n, np.isneginf(of_U)))


def _log_det(matrices: Array) -> Array:
    """Of one (S, S) or a stack (n, S, S); NaN where one is not finite."""
    matrices = matrices.astype(np.float64)
    finite = np.isfinite(matrices).all(axis=(-2, -1))
    return np.where(finite, np.linalg.slogdet(matrices)[1], np.nan)
