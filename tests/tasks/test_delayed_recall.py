from __future__ import annotations

import numpy as np
import pytest

from rnnviz.tasks import HELD_OUT, DelayedRecall


def test_the_first_step_names_the_symbol_that_is_asked_for() -> None:
    batch = DelayedRecall().batch(0, 9, 50, "last")
    assert (batch.x[0].argmax(axis=0) == batch.target[-1]).all()
    assert (batch.target == batch.target[0]).all()
    assert batch.clue_steps == (1,)
    assert len(set(batch.target[0])) == 8


def test_the_clue_has_unit_rms() -> None:
    x = DelayedRecall().batch(0, 5, 20, "last").x
    assert np.sqrt(np.mean(x[0] ** 2, axis=0)) == pytest.approx(1)
    assert np.count_nonzero(x[0]) == 20


def test_the_distractor_scales_the_later_steps_alone() -> None:
    one, three, none = (DelayedRecall(s).batch(0, 200, 20, "last").x for s in (1.0, 3.0, 0.0))
    assert (one[0] == three[0]).all()
    assert three[1:] == pytest.approx(3 * one[1:])
    assert (none[1:] == 0).all()
    assert one[1:].std() == pytest.approx(1, abs=0.02)
    assert one[1:].mean() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("distractor", [-1.0, np.nan, np.inf, "1"])
def test_a_bad_distractor_is_named(distractor: float) -> None:
    with pytest.raises(ValueError, match="distractor must be a"):
        DelayedRecall(distractor)


def test_without_distractors_no_sequence_is_new() -> None:
    quiet = DelayedRecall(distractor=0.0)
    trained, later = (
        {abs(x).tobytes() for x in np.moveaxis(quiet.batch(0, 10, 100, "last", first).x, -1, 0)}
        for first in (0, HELD_OUT)
    )
    assert later <= trained
    assert (quiet.unseen, DelayedRecall().unseen) == ("", "new")
