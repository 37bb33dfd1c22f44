"""What training yields: where it stands, what a step looked like, and how good its answers were, in
the units of the question rather than of the loss."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.cell import Cell
from rnnviz.core.network import Examples, NetworkTrace
from rnnviz.core.numerics import Array
from rnnviz.core.trace import rms_over_batch, state_log10

Arrays = dict[str, Array]
METRICS = {"softmax_cross_entropy": "accuracy", "squared_error": "mean squared error"}
TOLERANCE = 0.04
"""Hochreiter and Schmidhuber 1997 call an answer to the adding problem right within this."""


@dataclass(frozen=True, eq=False)
class TrainState:
    """Parameters after `step` updates, and what the optimizer remembers; enough to go on.

    Examples
    --------
    >>> TrainState(0, planned.init_params("gru")).step
    0
    """

    step: int
    params: Arrays
    moments: Arrays = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Of its arrays."""
        return sum(a.nbytes for a in (*self.params.values(), *self.moments.values()))


@dataclass(frozen=True, eq=False)
class StepRecord:
    """Training step `step` (0 is the first): all of it but update_ratio is of the network before
    the update, as `TrainState.step` counts.

    loss: what is minimised; loss_per_answer: what compares with a task's baseline. metric: see
    `METRICS`. log10_state (T+1,) float32: log10 ‖∂L/∂s_t‖, RMS over the batch of each
    sequence's own loss, layer 0 forward; −inf is zero, exact or rounded. norm_before, norm_after:
    ‖g‖ of all parameters before and after clipping. update_ratio: ‖θ_new − θ‖ / ‖θ‖.
    singular_values (H,), spectral_radius: of the watched block of W_hh (`watched_gate`), None on
    the steps at which they are not recorded. held_out_loss, held_out_metric: loss per answer and
    metric on what the task holds out, None on the steps at which they are not asked for. event: ""
    or the first thing that is not finite.
    """

    step: int
    loss: float
    loss_per_answer: float
    metric: float
    log10_state: Array
    norm_before: float
    norm_after: float
    clipped: bool
    update_ratio: float
    singular_values: Array | None = None
    spectral_radius: float | None = None
    event: str = ""
    held_out_loss: float | None = None
    held_out_metric: float | None = None

    @property
    def sentence(self) -> str:
        """The event in words, "" if there is none: "the loss is NaN at training step 312"."""
        return self.event and f"{self.event} at training step {self.step}"


def watched_gate(cell: Cell) -> str:
    """The gate whose block of W_hh is followed: the one that keeps the memory if it has weights,
    else the candidate."""
    return next(
        g for g in (cell.MEMORY_GATE, cell.CANDIDATE_GATE) if g in cell.trainable_gates and g
    )


def watched_spectrum(trace: NetworkTrace) -> tuple[Array, float]:
    """(singular values, spectral radius) of the watched H × H block; NaN if it is not finite."""
    cell = trace.trace.cell
    W = trace.trace.params["W_hh"][cell.gate_rows(watched_gate(cell))].astype(np.float64)
    if not np.isfinite(W).all():
        return np.full(len(W), np.nan), float("nan")
    return np.linalg.svd(W, compute_uv=False), float(np.abs(np.linalg.eigvals(W)).max())


def rms_state_log10(trace: NetworkTrace) -> Array:
    """log10 ‖∂L/∂s_t‖, RMS over the batch of each sequence's own loss, (T+1,) float32."""
    first = trace.trace
    with np.errstate(all="ignore"):
        curve = rms_over_batch(first, state_log10(first)) + np.log10(first.batch_size)
    return curve.astype(np.float32)


def metric(batch: Examples, y: Array) -> float:
    """The metric that `METRICS` names for the batch's loss, over the steps that are asked:
    accuracy, or the mean of (y − target)²; NaN if nothing is asked.

    Examples
    --------
    >>> from rnnviz.experiment import run
    >>> made = run(planned.experiment)
    >>> 0 <= metric(made.batch, made["gru"].y) <= 1  # accuracy
    True
    """
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
