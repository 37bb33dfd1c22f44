"""What each sequence of a batch keeps, against the sequences one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.batch_carry import batch_carry
from rnnviz.analysis.carry import carry_paths
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import quiet_lstm

T, B, H = 9, 3, 5
GATED = [name for name in EVERY if not name.startswith("rnn")]


@pytest.mark.parametrize("name", GATED)
def test_each_sequence_is_as_it_is_alone(name: str) -> None:
    trace = any_problem(name, T, B, H=H).trace()
    found = batch_carry(trace, name, B)
    assert found is not None
    alone = [carry_paths(trace, name, b) for b in range(B)]
    for values, curves in ((found.true, [p.true for p in alone if p]),
                           (found.product, [p.product for p in alone if p])):  # fmt: skip
        wanted = [curve.log10[0] for curve in curves]
        np.testing.assert_allclose(values, wanted, rtol=0, atol=1e-9)
    assert (found.sequences, found.batch_size) == (B, B)


def test_only_as_many_as_are_asked_for_and_none_of_another_length() -> None:
    trace = any_problem("gru", T, 4, H=H).trace()
    some = batch_carry(trace, "gru", 2)
    assert some is not None
    assert (some.sequences, some.batch_size) == (2, 4)
    problem = replace(any_problem("gru", T, 4, H=H), lengths=np.array([6, T, 6, 3]))
    padded = problem.trace()
    same = batch_carry(padded, "gru", 4)
    assert same is not None
    wanted = [carry_paths(padded, "gru", b).true.log10[0] for b in (0, 2)]
    np.testing.assert_allclose(same.true, wanted, rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="most"):
        batch_carry(trace, "gru", 0)


def test_far_beyond_the_range_of_float64() -> None:
    found = batch_carry(quiet_lstm(4000, 2, -5.0), "lstm", 1)
    assert found is not None
    expected = -4000 * np.log10(1 + np.exp(5.0))
    assert found.product[0] == pytest.approx(expected, abs=1e-8)
    assert found.true[0] == pytest.approx(expected, abs=1e-8)


def test_nothing_is_kept_by_a_gate_that_is_held_shut_and_nothing_said_without_one() -> None:
    shut = batch_carry(any_problem("lstm no_gates", T, B, H=H).trace(), "lstm", B)
    assert shut is not None
    assert np.isneginf(shut.product).all()
    assert np.isneginf(shut.true).all()
    assert batch_carry(any_problem("rnn tanh", T).trace(), "rnn", 1) is None
