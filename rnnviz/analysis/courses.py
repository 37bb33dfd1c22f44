"""What a training run has come to: its curves under the model's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from rnnviz.core.numerics import Array

RECENT = 10
"""Recorded steps that stand for "now": a single batch says little. Of a short training only its
second half does."""
JUDGED = 50
"""Recorded steps that are compared with a baseline, which is a mean: among fewer, batches that are
easy by chance pass for better than it. Of a short training its second half."""
BEATEN = 0.95
"""Share of the baseline below which a loss counts as better than it."""
SURE = 2.0
"""Standard errors by which it must be."""


class Curves(Protocol):
    """What is recorded of n training steps; see `rnnviz.training.curves.Curves`."""

    @property
    def steps(self) -> Array: ...
    @property
    def loss_per_answer(self) -> Array: ...
    @property
    def metric(self) -> Array: ...
    @property
    def held_out_loss(self) -> Array: ...
    @property
    def held_out_metric(self) -> Array: ...
    @property
    def norm_before(self) -> Array: ...
    @property
    def norm_after(self) -> Array: ...
    @property
    def clipped(self) -> Array: ...
    @property
    def log10_state(self) -> Array: ...
    @property
    def singular_values(self) -> Array: ...
    @property
    def spectral_radius(self) -> Array: ...


@dataclass(frozen=True, eq=False)
class Course:
    """One model's training so far.

    clipped_share, largest_norm (of the gradient before clipping): of all steps, recorded or not.
    event: what was not finite and when, as a sentence without its full stop; "" while all is well.
    """

    label: str
    curves: Curves
    clipped_share: float = 0.0
    event: str = ""
    largest_norm: float = np.nan

    @property
    def last_step(self) -> int:
        """The last recorded training step; 0 is the network before any update."""
        return int(self.curves.steps[-1]) if len(self.curves.steps) else 0

    @cached_property
    def loss(self) -> float:
        """The loss per answer now, see `loss_at`; NaN without any."""
        return self.loss_at(len(self.curves.steps) - 1)

    def row_at(self, step: int) -> int:
        """The row of a training step, or of the last one recorded before it."""
        return int(np.searchsorted(self.curves.steps, step, side="right")) - 1

    def loss_at(self, row: int) -> float:
        """The median loss per answer of the `recent` steps up to a recorded one, counted from 0;
        where that one's own is no number, as it is."""
        return _now(self.curves.loss_per_answer[: row + 1], np.median)

    def metric_at(self, row: int) -> float:
        """The mean metric of the same steps."""
        return _now(self.curves.metric[: row + 1], np.mean)

    @cached_property
    def metric(self) -> float:
        return self.metric_at(len(self.curves.steps) - 1)

    def beats(self, baseline: float) -> bool:
        """Whether the mean loss per answer of the last steps is clearly below a baseline."""
        losses = np.asarray(self.curves.loss_per_answer, float)
        last = losses[len(losses) - min(JUDGED, len(losses) // 2) :]
        if len(last) < 2 or not np.isfinite(last).all():
            return False
        error = last.std(ddof=1) / np.sqrt(len(last))
        return bool(last.mean() + SURE * error < BEATEN * baseline)

    @property
    def last_finite(self) -> tuple[int, float] | None:
        """The last training step whose loss per answer is finite, and this loss; None without."""
        rows = np.flatnonzero(np.isfinite(self.curves.loss_per_answer))
        if not len(rows):
            return None
        return int(self.curves.steps[rows[-1]]), float(self.curves.loss_per_answer[rows[-1]])


def recent(count: int) -> int:
    """How many of so many recorded steps stand for "now"."""
    return min(RECENT, max(1, count // 2))


def _now(values: Array, middle: Callable[[Array], Any]) -> float:
    last = np.asarray(values, float)[-recent(len(values)) :]
    if not len(last) or not np.isfinite(last[-1]):
        return float(last[-1]) if len(last) else float("nan")
    return float(middle(last[np.isfinite(last)]))
