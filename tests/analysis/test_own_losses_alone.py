"""Single losses, each followed by itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.own_losses import own_losses
from rnnviz.analysis.pairs import pair_matrix
from rnnviz.core import backward
from rnnviz.core.numerics import Status

EVERY = Experiment(models=("rnn", "lstm", "gru"), hidden_size=6, seq_len=24, loss_at="every")


@pytest.mark.parametrize("model", EVERY.models)
def test_they_are_the_rows_of_the_pair_matrix(model: str) -> None:
    trace = run(EVERY)[model].trace
    matrix = pair_matrix(trace, model)
    row_of = {int(s): row for s, row in zip(matrix.losses, matrix.state, strict=True)}
    found = own_losses(trace, model)
    assert [one.step for one in found] == [6, 10, 15, 19, 24]
    for one in found:
        before = slice(0, one.step + 1)
        np.testing.assert_allclose(one.state.log10[before], row_of[one.step][before], atol=1e-9)
        assert (one.state.status[one.step + 1 :] == Status.NOT_RECORDED).all()
        assert np.isnan(one.state.log10[one.step + 1 :]).all()


def test_all_of_them_together_are_no_less_than_the_total() -> None:
    trace = run(EVERY)["rnn"].trace
    found = own_losses(trace, "rnn", count=EVERY.seq_len)
    parts = np.sum([10 ** np.nan_to_num(one.state.log10, nan=-np.inf) for one in found], axis=0)
    assert (parts[2:] >= (1 - 1e-9) * 10 ** state_curve(trace).log10[2:]).all()


def test_of_one_loss_it_is_the_curve_itself() -> None:
    trace = run(Experiment(models=("rnn",), hidden_size=6, seq_len=24))["rnn"].trace
    (only,) = own_losses(trace, "rnn")
    np.testing.assert_array_equal(only.state.log10, state_curve(trace).log10)


def test_a_large_trace_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[own_losses.__module__], "MOST_ENTRIES", 1000)
    assert own_losses(run(EVERY)["lstm"].trace, "lstm") == ()


def test_where_no_error_enters_there_are_none() -> None:
    record = run(EVERY)["rnn"].trace.record
    assert own_losses(backward(record, np.zeros((24, 6, EVERY.batch_size))), "rnn") == ()
