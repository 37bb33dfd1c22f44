from __future__ import annotations

import sys

import numpy as np
import pytest

from rnnviz.core.losses import LOSSES
from rnnviz.tasks import HELD_OUT, Stocks
from rnnviz.tasks.stocks import weekly_returns, window_starts
from rnnviz.training.records import loss_per_answer


def test_the_series_is_the_one_that_plotly_ships() -> None:
    prices = pytest.importorskip("plotly.data").stocks().set_index("date")
    names, returns = weekly_returns()
    expected = np.diff(np.log(prices.to_numpy()), axis=0)
    assert names == tuple(prices.columns) == ("GOOG", "AAPL", "AMZN", "FB", "NFLX", "MSFT")
    assert returns == pytest.approx(expected / expected[:79].std(axis=0), rel=1e-12)
    assert returns.shape == (104, 6)


def test_a_longer_sequence_than_the_series_is_cut_and_says_so() -> None:
    batch = Stocks().batch(0, 500, 2, "last")
    assert Stocks().shape(500) == (78, 6, 6)
    assert batch.seq_len == 78
    assert batch.note == "There are 78 weeks to train on, so T is 78, not 500."
    assert Stocks().batch(0, 78, 2, "last").note == ""
    assert (batch.x[:, :, 0] == weekly_returns()[1][:78]).all()
    assert (batch.target[:, :, 0] == weekly_returns()[1][1:79]).all()


def test_a_window_moves_only_if_it_would_run_past_the_end() -> None:
    draws = np.arange(78)
    assert (window_starts(draws, 78, 5) == np.minimum(draws, 73)).all()
    assert (window_starts(draws, 78, 78) == 0).all()


@pytest.mark.parametrize("seq_len", [2, 20, 78])
def test_held_out_weeks_are_asked_about_there_and_never_in_training(seq_len: int) -> None:
    returns = weekly_returns()[1][:, 0]
    trained = Stocks().batch(0, seq_len, 100, "every")
    held_out = Stocks().batch(0, seq_len, 100, "every", HELD_OUT)
    assert np.isin(trained.target[:, 0], returns[1:79]).all()
    asked = held_out.target[:, 0][held_out.mask > 0]
    assert np.isin(asked, returns[79:]).all()
    assert held_out.mask.any(axis=0).all()
    assert held_out.mask[-1].all()


def test_no_change_costs_the_stated_loss_about_half_a_unit_per_company() -> None:
    batch = Stocks().batch(0, 78, 1, "every")
    loss = 0.5 * (batch.target**2).sum(axis=1).mean()
    assert Stocks().baseline_at(78, "every") == pytest.approx(loss, rel=1e-12)
    assert loss == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("loss_at", ["every", "last"])
def test_the_answer_0_costs_less_in_the_calmer_weeks_held_out(loss_at: str) -> None:
    batch = Stocks().batch(0, 20, 50, loss_at, HELD_OUT)
    loss, _ = LOSSES["squared_error"](np.zeros_like(batch.target), batch.target, batch.mask)
    there = Stocks().held_out_baseline(batch)
    assert there == pytest.approx(loss_per_answer(batch, loss), rel=1e-12)
    assert there < 0.6 * Stocks().baseline_at(20, loss_at)


def test_an_installation_without_plotly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly_returns.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(ValueError, match="stocks needs the package plotly"):
        Stocks().batch(0, 5, 1, "last")


@pytest.mark.parametrize("loss_at", ["every", "last"])
@pytest.mark.parametrize("seq_len", [2, 21, 60, 78])
def test_who_always_answers_0_is_at_the_baseline(seq_len: int, loss_at: str) -> None:
    """Windows that would run past the end begin earlier, so that late weeks are asked most."""
    batch = Stocks().batch(0, seq_len, 4000, loss_at)
    loss, _ = LOSSES["squared_error"](np.zeros_like(batch.target), batch.target, batch.mask)
    assert loss_per_answer(batch, loss) == pytest.approx(
        Stocks().baseline_at(seq_len, loss_at), rel=0.04
    )
