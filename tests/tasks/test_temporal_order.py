from __future__ import annotations

import numpy as np
import pytest

from rnnviz.tasks import TemporalOrder


@pytest.mark.parametrize("seq_len", [2, 3, 7, 10, 50, 200])
def test_two_relevant_symbols_stand_where_the_source_puts_them(seq_len: int) -> None:
    batch = TemporalOrder().batch(0, seq_len, 300, "last")
    for b in range(300):
        early, late = np.flatnonzero(batch.x[:, b] < 2)
        assert int(0.1 * seq_len) <= early < max(0.2 * seq_len, 1)
        assert int(0.5 * seq_len) <= late < max(0.6 * seq_len, int(0.5 * seq_len) + 1)
        shown = "".join(batch.labels[batch.x[t, b]] for t in (early, late))
        assert batch.answers[batch.target[-1, b]] == shown


@pytest.mark.parametrize("seq_len", [2, 3, 7, 12, 14, 15, 20, 50, 200])
def test_counted_from_1_they_stand_where_the_task_says(seq_len: int) -> None:
    T, steps = seq_len, np.arange(1, seq_len + 1)
    x = TemporalOrder().batch(0, T, 2000, "last").x
    found = np.array([np.flatnonzero(x[:, b] < 2) for b in range(2000)]) + 1
    assert set(found[:, 0]) == set(steps[(steps > T / 10) & (steps < T / 5 + 1)])
    assert set(found[:, 1]) == set(steps[(steps > T / 2) & (steps < 3 * T / 5 + 1)])


def test_every_answer_and_every_place_comes_up() -> None:
    batch = TemporalOrder().batch(0, 100, 1000, "last")
    assert np.bincount(batch.target[-1]).min() > 200
    places = np.nonzero(batch.x.T < 2)[1].reshape(-1, 2)
    assert set(places[:, 0]) == set(range(10, 20))
    assert set(places[:, 1]) == set(range(50, 60))


def test_only_the_order_tells_two_of_the_answers_apart() -> None:
    assert TemporalOrder().batch(0, 10, 1, "last").answers == ("XX", "XY", "YX", "YY")


def test_more_steps_move_the_places_and_keep_the_symbols() -> None:
    short, long = (TemporalOrder().batch(4, steps, 50, "last") for steps in (50, 51))
    assert (short.target[0] == long.target[0]).all()
    both = (short.x >= 2) & (long.x[:50] >= 2)
    assert (short.x[both] == long.x[:50][both]).all()
