from __future__ import annotations

import sys

import numpy as np
import pytest

from rnnviz.tasks import Stocks
from rnnviz.tasks.stocks import weekly_returns, window_starts


def test_the_series_is_the_one_that_plotly_ships() -> None:
    prices = pytest.importorskip("plotly.data").stocks().set_index("date")
    names, returns = weekly_returns()
    expected = np.diff(np.log(prices.to_numpy()), axis=0)
    assert names == tuple(prices.columns) == ("GOOG", "AAPL", "AMZN", "FB", "NFLX", "MSFT")
    assert returns == pytest.approx(expected / expected.std(axis=0), rel=1e-12)
    assert returns.shape == (104, 6)


def test_a_longer_sequence_than_the_series_is_cut_and_says_so() -> None:
    batch = Stocks().batch(0, 500, 2, "last")
    assert Stocks().shape(500) == (103, 6, 6)
    assert batch.seq_len == 103
    assert batch.note == "The series has 103 weeks to predict, so T is 103, not 500."
    assert Stocks().batch(0, 103, 2, "last").note == ""
    assert (batch.x[:, :, 0] == weekly_returns()[1][:103]).all()
    assert (batch.target[:, :, 0] == weekly_returns()[1][1:]).all()


def test_a_window_moves_only_if_it_would_run_past_the_end() -> None:
    short, long = (window_starts(0, 50, steps) for steps in (5, 60))
    assert (short <= 98).all()
    assert (long == np.minimum(short, 43)).all()
    assert len(set(short)) > 10


def test_predicting_no_change_costs_about_half_a_unit_per_company() -> None:
    batch = Stocks().batch(0, 103, 1, "every")
    assert 0.5 * (batch.target**2).sum(axis=1).mean() == pytest.approx(3, abs=0.1)


def test_an_installation_without_plotly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly_returns.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(ValueError, match="stocks needs the package plotly"):
        Stocks().batch(0, 5, 1, "last")
