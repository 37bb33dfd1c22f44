from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core.losses import softmax_cross_entropy
from rnnviz.tasks import HELD_OUT, Captioning
from rnnviz.tasks.captioning import NAMES, SYMBOLS, spelled
from rnnviz.tasks.digits import digits
from tests.tasks.support import between_start_and_end


def test_a_picture_is_spelled_from_start_to_end() -> None:
    batch = Captioning().batch(0, 6, 40, "every")
    assert batch.context is not None
    pictures, labels = digits()
    for b in range(40):
        (shown,) = labels[(pictures == batch.context[:, b]).all(axis=1)]
        assert "".join(between_start_and_end(batch, b)) == NAMES[shown]


def test_names_are_padded_to_the_longest() -> None:
    x, target, lengths = spelled()
    assert lengths.tolist() == [5, 4, 4, 6, 5, 5, 4, 6, 6, 5]
    assert x.shape == target.shape == (6, 10)
    assert len(SYMBOLS) == 17


def test_the_baseline_spells_perfectly_and_guesses_the_name() -> None:
    """By enumeration: P(next symbol | letters so far) over the ten names."""
    x, target, lengths = spelled()
    total = 0.0
    for digit in range(10):
        for t in range(lengths[digit]):
            alike = [d for d in range(10) if (x[: t + 1, d] == x[: t + 1, digit]).all()]
            total -= np.log(np.mean([target[t, d] == target[t, digit] for d in alike]))
    assert total / lengths.sum() == pytest.approx(Captioning().baseline_at(6, "every"), rel=1e-12)


def test_the_last_answer_alone_needs_no_picture_and_the_batch_says_so() -> None:
    batch = Captioning().batch(0, 6, 360, "last", HELD_OUT)
    y = np.zeros((6, 17, 360))
    y[:, SYMBOLS.index("⟨end⟩")] = 1e3
    loss, _ = softmax_cross_entropy(y, batch.target, batch.mask)
    assert loss == Captioning().baseline_at(6, "last") == 0
    assert batch.note == "At the last step the answer is always end; ask at every step."
