"""What training yields: where it stands, and what a step looked like."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.cell import Cell
from rnnviz.core.network import NetworkTrace
from rnnviz.core.numerics import Array
from rnnviz.core.trace import rms_over_batch, state_log10

Arrays = dict[str, Array]


@dataclass(frozen=True, eq=False)
class TrainState:
    """Parameters after `step` updates, and what the optimizer remembers; enough to go on."""

    step: int
    params: Arrays
    moments: Arrays = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StepRecord:
    """Training step `step` (0 is the first): all of it but update_ratio is of the network before
    the update, as `TrainState.step` counts.

    loss: what is minimised; loss_per_answer: what compares with a task's baseline. metric: see
    `metrics.METRICS`. log10_state (T+1,) float32: log10 ‖∂L/∂s_t‖, RMS over the batch of each
    sequence's own loss, layer 0 forward; −inf is zero. norm_before, norm_after: ‖g‖ of all
    parameters before and after clipping. update_ratio: ‖θ_new − θ‖ / ‖θ‖.
    singular_values (H,), spectral_radius: of the watched block of W_hh (`watched_gate`), None on
    the steps at which they are not recorded. event: "" or the first thing that is not finite.
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
