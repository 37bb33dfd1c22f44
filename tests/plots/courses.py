"""Training courses to draw: made by hand, no network."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from rnnviz.analysis.courses import Course


def course(label: str = "rnn", steps: int = 30, T: int = 6, **changes: Any) -> Course:
    """A loss that falls from 2 to 1, a gradient that loses a decade at each time step back."""
    n = np.arange(steps)
    values = {
        "steps": n,
        "loss_per_answer": 2.0 - n / max(steps - 1, 1),
        "metric": n / max(steps - 1, 1),
        "held_out_loss": np.full(steps, np.nan),
        "held_out_metric": np.full(steps, np.nan),
        "norm_before": np.full(steps, 4.0),
        "norm_after": np.full(steps, 1.0),
        "clipped": np.ones(steps, bool),
        "log10_state": np.tile(np.arange(-T, 1.0), (steps, 1)).astype(np.float32),
        "singular_values": np.where(n[:, None] % 8 == 0, [2.0, 1.0, 0.5], np.nan),
        "spectral_radius": np.where(n % 8 == 0, 1.5, np.nan),
    }
    event = changes.pop("event", "")
    share = changes.pop("clipped_share", 0.25)
    largest = changes.pop("largest_norm", 4.0)
    return Course(label, SimpleNamespace(**{**values, **changes}), share, event, largest)
