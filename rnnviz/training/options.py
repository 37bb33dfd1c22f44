"""How a network is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.core import checks
from rnnviz.training.clipping import CLIPS
from rnnviz.training.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class TrainOptions:
    """optimizer is a name in `OPTIMIZERS`, clip in `CLIPS`; clip_at is the limit.

    window: how many steps back the losses are sent at most (truncated backpropagation), every
    `stride` steps; 0 is the whole sequence. stride 0 means: as long as the window.
    Raises ValueError naming the field, what came and what is allowed.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    clip: str = "none"
    clip_at: float = 1.0
    window: int = 0
    stride: int = 0

    def __post_init__(self) -> None:
        checks.choice("optimizer", self.optimizer, OPTIMIZERS)
        checks.number("learning_rate", self.learning_rate, 0)
        checks.choice("clip", self.clip, CLIPS)
        checks.number("clip_at", self.clip_at, np.finfo(float).tiny)
        checks.size("window", self.window, 0)
        checks.size("stride", self.stride, 0)
