from __future__ import annotations

from math import log

import numpy as np
import pytest

from rnnviz.core.losses import softmax_cross_entropy
from rnnviz.tasks import CopyMemory
from rnnviz.tasks.copy_memory import BLANK, MARKER
from rnnviz.training.records import loss_per_answer

E18 = {10: 0.693147, 50: 0.297063, 100: 0.173287, 200: 0.094520, 300: 0.064983, 500: 0.039989,
       1000: 0.020387}  # fmt: skip


def test_ten_symbols_come_back_in_order_after_the_marker() -> None:
    batch = CopyMemory().batch(0, 50, 40, "every")
    assert (batch.target[-10:] == batch.x[:10]).all()
    assert (batch.x[10:39] == BLANK).all()
    assert (batch.x[39] == MARKER).all()
    assert (batch.x[40:] == BLANK).all()
    assert (batch.target[:40] == BLANK).all()
    assert set(batch.x[:10].ravel()) == set(range(8))
    assert batch.clue_steps == tuple(range(1, 11))
    assert CopyMemory().batch(0, 50, 1, "last").clue_steps == (10,)


@pytest.mark.parametrize("gap", E18)
def test_the_baseline_is_ten_ln_eight_over_the_gap_and_twenty(gap: int) -> None:
    assert CopyMemory().baseline_at(gap + 20, "every") == pytest.approx(E18[gap], abs=5e-7)


@pytest.mark.parametrize("seq_len", [3, 4, 15, 21, 60])
@pytest.mark.parametrize("loss_at", ["last", "every"])
def test_the_best_answer_without_memory_has_that_loss(seq_len: int, loss_at: str) -> None:
    """Blank for sure before the answers, each symbol alike in them: no constant can do better,
    for the symbols are drawn alike."""
    batch = CopyMemory().batch(0, seq_len, 50, loss_at)
    answered = (batch.target != BLANK).any(axis=1)
    y = np.zeros((seq_len, 9, 50))
    y[answered, BLANK] = -1e3
    y[~answered, BLANK] = 1e3
    loss, _ = softmax_cross_entropy(y, batch.target, batch.mask)
    baseline = CopyMemory().baseline_at(seq_len, loss_at)
    assert loss_per_answer(batch, loss) == pytest.approx(baseline, rel=1e-12)
    assert loss == pytest.approx((1 if loss_at == "last" else answered.sum()) * log(8))


@pytest.mark.parametrize(("seq_len", "symbols"), [(3, 1), (4, 1), (15, 7), (20, 9), (21, 10)])
def test_a_short_sequence_has_room_for_fewer_symbols(seq_len: int, symbols: int) -> None:
    batch = CopyMemory().batch(0, seq_len, 4, "every")
    whole = CopyMemory().batch(0, 100, 4, "every")
    assert (batch.x[:symbols] == whole.x[:symbols]).all()
    assert (batch.target[-symbols:] == batch.x[:symbols]).all()
    assert (batch.x == MARKER).sum() == 4
    assert (f"with T = {seq_len} it is {symbols}." in batch.note) == (symbols < 10)


def test_two_steps_have_room_for_nothing() -> None:
    for call in (lambda: CopyMemory().batch(0, 2, 1, "last"), lambda: CopyMemory().shape(2)):
        with pytest.raises(ValueError, match="seq_len must be an integer of at least 3, got 2"):
            call()
