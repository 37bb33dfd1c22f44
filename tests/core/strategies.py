"""Random problems for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.core.support import KINDS, problem

problems = st.builds(
    problem,
    kind=st.sampled_from(list(KINDS)),
    T=st.integers(1, 6),
    B=st.integers(1, 4),
    D=st.integers(1, 3),
    H=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
