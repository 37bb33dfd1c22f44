"""Training: optimizers, clipping, the trainer and what it leaves behind."""

from __future__ import annotations

from rnnviz.training.history import ARRAY_BYTES, Curves, History
from rnnviz.training.optimizers import CLIPS, OPTIMIZERS, clip_by_norm, clip_by_value, global_norm
from rnnviz.training.records import METRICS, StepRecord, TrainState, metric
from rnnviz.training.trainer import TrainOptions, advance, train

__all__ = [
    "ARRAY_BYTES",
    "CLIPS",
    "METRICS",
    "OPTIMIZERS",
    "Curves",
    "History",
    "StepRecord",
    "TrainOptions",
    "TrainState",
    "advance",
    "clip_by_norm",
    "clip_by_value",
    "global_norm",
    "metric",
    "train",
]
