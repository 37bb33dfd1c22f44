"""The check that planted mistakes must not pass, and the small problems they are planted in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnnviz.core import GRU, LSTM, RNN
from tests.core.support import Problem, direction_error, problem

TOLERANCE = 1e-12
CAUGHT = 1e-4
"""A mistake is not a rounding error: it must stand out by eight orders of magnitude."""


def small(kind: str) -> Problem:
    return problem(kind, T=4, B=3, D=2, H=3, seed=11)


def error(p: Problem) -> float:
    return direction_error(p, np.random.default_rng(0))


def mutated(mutant) -> Problem:
    """The small problem of the cell that a mutant derives from."""
    kind = {RNN: "rnn tanh", LSTM: "lstm", GRU: "gru"}[mutant.__mro__[1]]
    p = small(kind)
    return replace(p, cell=mutant(p.cell.input_size, p.cell.hidden_size))
