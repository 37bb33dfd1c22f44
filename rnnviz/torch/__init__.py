"""A PyTorch model, watched while it runs: what went through each recurrent module, forward and
back, as a run like any other. PyTorch is imported when `watch` is entered, and needed by nothing
else."""

from __future__ import annotations

from rnnviz.torch.seen import Seen
from rnnviz.torch.watching import watch

__all__ = ["Seen", "watch"]
