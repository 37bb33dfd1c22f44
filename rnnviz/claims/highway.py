""" "The cell state is a highway": Π f beside the true ‖∂c_T/∂c_0‖ on random LSTMs (THEORY E10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.carry import carry_paths
from rnnviz.core import LSTM, checks, forward
from rnnviz.core.numerics import Array

STEPS, INPUT_SIZE = 50, 4
BIASES = (0.0, 1.0, 3.0, 5.0)
"""Forget biases that draws take in turn."""
CLOSE = 0.3
"""Decades up to which two magnitudes count as alike: a factor of two."""


@dataclass(frozen=True, eq=False)
class CarryDraw:
    """One random LSTM, weights U(±1/√H), inputs N(0, 1). log10 (T+1,), index t is step t:
    highway: the largest unit's Π f from t + 1 to T; true: ‖∂c_T/∂c_t‖₂ through all paths."""

    number: int
    forget_bias: float
    highway: Array
    true: Array

    @property
    def apart(self) -> float:
        """Decades that the truth lies above the highway over the whole sequence."""
        return float(self.true[0] - self.highway[0])


@dataclass(frozen=True)
class CarryVerdict:
    """draws; astray: those whose truth is more than a factor of 2 from Π f. medians: (forget bias,
    log10 Π f, log10 truth) over the whole sequence. grew: draws in which the truth grew although
    Π f shrank."""

    draws: int
    astray: int
    grew: int
    medians: tuple[tuple[float, float, float], ...]


def carry_draw(seed: int, hidden_size: int, number: int) -> CarryDraw:
    """Draws 0, 1, 2, 3 have the biases of `BIASES`, and so on; four in a row share their weights.

    Raises ValueError for a bad seed, size or number.
    """
    each, at = divmod(checks.size("number", number, 0), len(BIASES))
    rng = np.random.default_rng([checks.size("seed", seed, 0), 3, each])
    cell = LSTM(INPUT_SIZE, checks.size("hidden_size", hidden_size))
    params = cell.init_params(rng, memory_bias=BIASES[at])
    x = rng.standard_normal((STEPS, INPUT_SIZE, 1))
    paths = carry_paths(forward(cell, params, x), "")
    assert paths is not None
    return CarryDraw(number, BIASES[at], paths.carry.log10, paths.true.log10)


def carry_verdict(found: Sequence[CarryDraw]) -> CarryVerdict:
    """Raises ValueError without draws."""
    biases = sorted({d.forget_bias for d in checks.some("found", found)})
    medians = []
    for bias in biases:
        ends = [(d.highway[0], d.true[0]) for d in found if d.forget_bias == bias]
        highway, true = np.median(np.array(ends), axis=0)
        medians.append((bias, float(highway), float(true)))
    astray = sum(not abs(d.apart) <= CLOSE for d in found)
    grew = sum(bool(d.true[0] > 0 > d.highway[0]) for d in found)
    return CarryVerdict(len(found), astray, grew, tuple(medians))
