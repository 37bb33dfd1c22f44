from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.losses import squared_error
from rnnviz.tasks import Adding


@pytest.mark.parametrize("seq_len", [2, 3, 10, 11])
def test_one_number_is_marked_in_each_half(seq_len: int) -> None:
    markers = Adding().batch(0, seq_len, 300, "last").x[:, 1]
    assert (markers[: seq_len // 2].sum(axis=0) == 1).all()
    assert (markers[seq_len // 2 :].sum(axis=0) == 1).all()
    assert markers.any(axis=1).all()  # every step is marked in some sequence


def test_the_target_is_the_sum_of_the_marked_numbers_so_far() -> None:
    batch = Adding().batch(0, 20, 5, "every")
    for b in range(5):
        marked = np.flatnonzero(batch.x[:, 1, b])
        values = batch.x[marked, 0, b]
        assert batch.target[-1, 0, b] == pytest.approx(values.sum())
        assert batch.target[marked[1] - 1, 0, b] == values[0]
        assert (batch.target[: marked[0], 0, b] == 0).all()


def test_answering_one_has_mean_squared_error_one_sixth_and_no_constant_is_better() -> None:
    batch = Adding().batch(0, 10, 20_000, "last")
    loss, _ = squared_error(np.ones_like(batch.target), batch.target, batch.mask)
    assert 2 * loss == pytest.approx(1 / 6, rel=0.02)  # standard error 0.0014 of 0.1667
    assert Adding().baseline_at(10, "last") == pytest.approx(1 / 12)
    losses = [
        squared_error(np.full_like(batch.target, y), batch.target, batch.mask)[0]
        for y in (0.9, 1.0, 1.1)
    ]
    assert min(losses) == losses[1]


@pytest.mark.parametrize("seq_len", [2, 3, 10, 11])
def test_the_mean_running_sum_is_the_best_answer_at_every_step(seq_len: int) -> None:
    """Simulated: the mean over 8,000 sequences answers, its loss is the stated baseline."""
    batch = Adding().batch(0, seq_len, 8_000, "every")
    y = np.broadcast_to(batch.target.mean(axis=2, keepdims=True), batch.target.shape)
    loss, _ = squared_error(y, batch.target, batch.mask)
    assert loss / seq_len == pytest.approx(Adding().baseline_at(seq_len, "every"), rel=0.02)


def test_numbers_are_uniform_and_do_not_depend_on_the_length() -> None:
    short, long = (Adding().batch(0, steps, 500, "last").x[:, 0] for steps in (10, 11))
    assert (short == long[:10]).all()
    assert 0 <= short.min() < short.max() < 1
    assert short.mean() == pytest.approx(0.5, abs=0.02)


def test_options_can_be_replaced() -> None:
    assert replace(Adding()) == Adding()
