"""Training: optimizers, clipping, the trainer and what it leaves behind.

Examples
--------
Those of what the package has go on from here.

>>> import numpy as np
>>> from rnnviz.experiment import Experiment, plan
>>> from rnnviz.training import *
>>> planned = plan(Experiment(models=("gru",), hidden_size=8, seq_len=10))
>>> network = planned.networks["gru"]
>>> state = TrainState(0, planned.init_params("gru"))
>>> options = TrainOptions("adam", learning_rate=0.01, clip="norm", clip_at=1.0)
"""

from __future__ import annotations

from rnnviz.training.curves import Curves
from rnnviz.training.forecast import Forecast, forecast
from rnnviz.training.history import ARRAY_BYTES, History, state_bytes
from rnnviz.training.optimizers import CLIPS, OPTIMIZERS, clip_by_norm, clip_by_value, global_norm
from rnnviz.training.records import METRICS, StepRecord, TrainState, metric
from rnnviz.training.trainer import TrainOptions, advance, train

__all__ = [
    "ARRAY_BYTES",
    "CLIPS",
    "METRICS",
    "OPTIMIZERS",
    "Curves",
    "Forecast",
    "History",
    "StepRecord",
    "TrainOptions",
    "TrainState",
    "advance",
    "clip_by_norm",
    "clip_by_value",
    "forecast",
    "global_norm",
    "metric",
    "state_bytes",
    "train",
]
