"""Random problems for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.core.support import KINDS, Problem, problem_of
from tests.core.variants import VARIANTS

CELLS = KINDS | VARIANTS


def _problem(kind: str, T: int, B: int, D: int, H: int, seed: int) -> Problem:
    return problem_of(CELLS[kind](D, H), T, B, seed)


problems = st.builds(
    _problem,
    kind=st.sampled_from(list(CELLS)),
    T=st.integers(1, 6),
    B=st.integers(1, 4),
    D=st.integers(1, 3),
    H=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
