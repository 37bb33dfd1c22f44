"""What every task promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz.core.losses import LOSSES
from rnnviz.tasks import TASKS, Batch, Task, Text

TEXT = "the cat sat on the mat. " * 20


def make(name: str) -> Task:
    return Text(TEXT) if name == "text" else TASKS[name]()


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> Task:
    return make(request.param)


def columns(batch: Batch, steps: int, sequences: int) -> np.ndarray:
    return batch.x[:steps, ..., :sequences]


def test_a_batch_fits_its_sizes_and_its_loss(task: Task) -> None:
    batch = task.batch(0, 20, 3, "every")
    assert task.shape(20) == (20, batch.input_size, batch.output_size)
    assert batch.seq_len == 20
    assert batch.batch_size == 3
    assert batch.mask.shape == (20, 3)
    assert batch.lengths.tolist() == [20, 20, 20]
    y = np.zeros((20, batch.output_size, 3))
    loss, _ = LOSSES[batch.loss](y, batch.target, batch.mask)
    assert np.isfinite(loss)


def test_inputs_are_numbers_or_tokens_of_the_input_size(task: Task) -> None:
    batch = task.batch(0, 20, 3, "last")
    if batch.x.dtype.kind == "i":
        assert 0 <= batch.x.min() <= batch.x.max() < batch.input_size
        assert len(batch.labels) == batch.input_size
    else:
        assert batch.x.shape == (20, batch.input_size, 3)


def test_more_sequences_do_not_redraw_what_was_there(task: Task) -> None:
    small, large = (task.batch(3, 20, b, "every") for b in (2, 7))
    assert (small.x == columns(large, 20, 2)).all()
    assert (small.target == large.target[..., :2]).all()


def test_the_seed_decides_and_the_same_seed_gives_the_same_bits(task: Task) -> None:
    one, again, other = (task.batch(seed, 20, 8, "last").x for seed in (5, 5, 6))
    assert (one == again).all()
    assert (one != other).any()


def test_loss_at_changes_the_mask_alone(task: Task) -> None:
    last, every = (task.batch(0, 20, 3, at) for at in ("last", "every"))
    assert (last.mask[:-1] == 0).all()
    assert (last.mask[-1] == 1).all()
    assert (every.mask == 1).all()
    assert (last.x == every.x).all()
    assert (last.target == every.target).all()


def test_two_steps_and_one_sequence_are_enough(task: Task) -> None:
    assert task.batch(0, 2, 1, "last").seq_len == 2


def test_arrays_are_read_only(task: Task) -> None:
    batch = task.batch(0, 5, 2, "last")
    with pytest.raises(ValueError, match="read-only"):
        batch.x[0] = 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seq_len": 1}, "seq_len must be an integer of at least 2, got 1"),
        ({"seq_len": 2.5}, "seq_len must be an integer"),
        ({"batch_size": 0}, "batch_size must be an integer of at least 1, got 0"),
        ({"loss_at": "first"}, "loss_at must be one of last, every, got 'first'"),
    ],
)
def test_bad_arguments_are_named(task: Task, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        task.batch(**{"seed": 0, "seq_len": 5, "batch_size": 2, "loss_at": "last", **change})


@pytest.mark.parametrize("name", ["delayed_recall", "counting", "text"])
def test_a_longer_sequence_begins_with_the_shorter_one(name: str) -> None:
    short, long = (make(name).batch(1, steps, 4, "every") for steps in (10, 11))
    assert (short.x == long.x[:10]).all()
    assert (short.target == long.target[:10]).all()


@pytest.mark.parametrize("name", ["counting", "text", "stocks"])
def test_the_answer_is_the_next_input(name: str) -> None:
    batch = make(name).batch(0, 12, 4, "every")
    assert (batch.target[:-1] == batch.x[1:]).all()


@pytest.mark.parametrize("name", ["delayed_recall", "counting"])
def test_the_stated_baseline_is_the_loss_of_an_even_guess(name: str) -> None:
    task = make(name)
    batch = task.batch(0, 10, 4, "last")
    y = np.zeros((10, batch.output_size, 4))
    assert LOSSES[batch.loss](y, batch.target, batch.mask)[0] == pytest.approx(task.baseline)
    assert f"{task.baseline:.3f}" in task.baseline_text
