"""Truncated backpropagation: how far a loss is sent back; what is asked of the full product cannot
be told by its traces."""

from __future__ import annotations

import numpy as np

from rnnviz.core import Trace
from rnnviz.core.numerics import Array
from rnnviz.core.truncation import windows


class Truncated(ValueError):
    """An analysis needs the gradients of a full backward pass. window: the steps of this one's."""

    def __init__(self, what: str, window: int) -> None:
        super().__init__(f"{what}: needs the gradients of a full backward pass; the trace's are "
                         f"truncated after {window:,} steps")  # fmt: skip
        self.window = window


def check_whole(what: str, trace: Trace) -> None:
    """Raises `Truncated` for a trace of a truncated pass."""
    if trace.window:
        raise Truncated(what, trace.window)


def longest_reach(
    mask: Array, lengths: Array, layers: int, window: int, stride: int, final: bool = False
) -> int:
    """How many steps back a loss is felt at most in the first of so many layers, in the direction
    that reads from the first step: each loss in each layer as far as the window it falls into.

    mask (T, B): where a loss is asked for; lengths (B,). stride: at most `window`. final: the
    readout of both directions reads what each has read last, so that the other direction takes a
    loss at the end to the first step.
    """
    T = len(mask)
    first = np.zeros(T + 1, int)  # of the window that a state is in; h[0] is in none
    for done, start, stop in windows(T, window, stride):
        first[done + 1 : stop + 1] = start
    step, sequence = np.nonzero(mask)
    entry = lost = step + 1
    for layer in range(layers):
        reached = first[entry]
        entry = reached + 1  # of the steps to h[reached + 1] and later the layer below hears
        if final and layer == 0:
            entry = np.minimum(entry, lengths[sequence] - lost + 1)
    return int(np.max(lost - reached, initial=0))
