"""Networks that come from elsewhere: their weights, data and losses. Imports NumPy alone;
readers of Keras's and ONNX's files need an extra.

Examples
--------
Those of what the package has go on from here.

>>> import numpy as np
>>> from rnnviz.models import *
"""

from __future__ import annotations

from rnnviz.experiment.npz import UPLOAD, Limits
from rnnviz.models.layouts import LAYOUTS, Layout, Reading
from rnnviz.models.load import Loaded, load
from rnnviz.models.replay import make_batch, replay, run_of
from rnnviz.models.saved_runs import read_runs
from rnnviz.models.sequences import Sequences, read_data

__all__ = [
    "LAYOUTS",
    "UPLOAD",
    "Layout",
    "Limits",
    "Loaded",
    "Reading",
    "Sequences",
    "load",
    "make_batch",
    "read_data",
    "read_runs",
    "replay",
    "run_of",
]
