"""The dashboard with a mistake in it: the slopes of the LSTM's gates are off by a thousandth."""

from __future__ import annotations

import numpy as np

from rnnviz.core import lstm
from rnnviz.core.activations import logistic_slope
from rnnviz.dashboard.main import main
from rnnviz.dashboard.saving import SHARED


def wrong_slope(y: np.ndarray, out: np.ndarray) -> None:
    logistic_slope(y, out)
    out *= 1.001


lstm.logistic_slope = wrong_slope  # type: ignore[attr-defined]
main(SHARED)
