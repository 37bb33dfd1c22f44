"""How far rounding moves a curve whose slopes are read off recorded values: measured.

Cells that say their pre-activations need none of this (`slopes.with_true_slopes`). Of others every
value that a slope is read off is moved by one rounding, up or down at random, and the pass is made
again.
"""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.layers import sent_back
from rnnviz.analysis.selfcheck.noise import nudged_record, precision
from rnnviz.analysis.slopes import nearest_to_one, share_of_rounding
from rnnviz.core import Record, Trace
from rnnviz.core.layers import Traces
from rnnviz.core.numerics import Array

NOTHING = 1e-6
"""Of the error, what rounding may put in unseen."""
NEAR = 4e6
"""Roundings from ±1: a slope that is read off a value further away keeps six digits."""
DRAWS, TIMES = 2, 10.0
"""How often everything is moved, and how many times as far as it then comes the truth may be:
measured against slopes from pre-activations with 64 bits, it is about once as far."""


def moved_by_rounding(layers: Traces, direction: int = 0, seed: int = 0) -> Array:
    """By how many decades rounding may have moved log10 ‖∂L/∂s_t‖ of the first of these layers,
    (T+1,), at most; NaN where it is no number. 0 where no unit of any is nearly saturated, or the
    error is so large everywhere that nothing of this could be seen.

    layers: a layer and all above it, of full backward passes. seed: of the roundings.
    """
    trace = layers[0][direction]
    every = [each for layer in layers for each in layer]
    if not any(map(nearly_saturated, every)) or not any(map(may_be_seen, every)):
        return np.zeros(trace.longest + 1)
    rng, log10 = np.random.default_rng(seed), state_curve(trace).log10
    moved = np.zeros(len(log10))
    with np.errstate(all="ignore"):
        for _ in range(DRAWS):
            records = [[_nudged(each, rng) for each in layer] for layer in layers]
            again = sent_back(layers, records)[0][direction]
            moved = np.maximum(moved, np.abs(state_curve(again).log10 - log10))
    return TIMES * moved


def nearly_saturated(trace: Trace) -> bool:
    """Whether a slope may be read off a value that is so near ±1 that few of its digits are
    right."""
    if trace.remainders is not None:
        return False
    return nearest_to_one(trace) < NEAR * precision(trace.h.dtype)


def may_be_seen(trace: Trace) -> bool:
    """Whether as many digits could be lost as a line is wide."""
    return bool((share_of_rounding(trace) > np.log10(NOTHING)).any())


def _nudged(trace: Trace, rng: np.random.Generator) -> Record:
    return nudged_record(trace.record, rng, precision(trace.h.dtype))
