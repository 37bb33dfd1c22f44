"""Every cell and variant, with and without a skip, for what must hold for all of them."""

from __future__ import annotations

from tests.core.support import KINDS, Problem, problem_of
from tests.core.variants import SKIPPING, VARIANTS

EVERY = {**KINDS, **VARIANTS, **SKIPPING, "rnn skip": lambda D, H: KINDS["rnn tanh"](D, H, skip=4)}
PLAIN = ("rnn tanh", "lstm", "gru")


def any_problem(name: str, T: int, B: int = 2, D: int = 2, H: int = 4, seed: int = 0) -> Problem:
    """A random problem of a cell by its name."""
    return problem_of(EVERY[name](D, H), T, B, seed)
