"""What every task promises."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from rnnviz.core.losses import LOSSES
from rnnviz.tasks import HELD_OUT, LOSS_AT, SHAPES, TASKS, Batch, Task, Text
from rnnviz.training.records import loss_per_answer

TEXT = " ".join(str(n * n) for n in range(100, 300))  # repeats nothing for long
NEXT_INPUT = ("counting", "text", "stocks")


def make(name: str) -> Task:
    return Text(TEXT) if name == "text" else TASKS[name]()


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> Task:
    return make(request.param)


def sequences(batch: Batch) -> list[bytes]:
    """What each sequence shows and asks."""
    parts = [batch.x, batch.target, *([] if batch.context is None else [batch.context])]
    return [b"".join(part[..., b].tobytes() for part in parts) for b in range(batch.batch_size)]


@pytest.mark.parametrize("loss_at", LOSS_AT)
def test_a_batch_fits_its_sizes_and_its_loss(task: Task, loss_at: str) -> None:
    batch = task.batch(0, 20, 3, loss_at)
    steps = batch.seq_len
    assert task.shape(20) == (steps, batch.input_size, batch.output_size)
    assert batch.batch_size == 3
    assert batch.mask.shape == (steps, 3)
    y = np.zeros((steps, batch.output_size, 3))
    loss, _ = LOSSES[batch.loss](y, batch.target, batch.mask)
    assert np.isfinite(loss)
    if task.context_size:
        assert batch.context is not None
        assert batch.context.shape == (task.context_size, 3)
    else:
        assert batch.context is None


def test_a_task_says_what_it_is(task: Task) -> None:
    assert TASKS[task.name] is type(task)
    assert task.shape_name in SHAPES
    assert task.proves.endswith(".")
    assert 40 < len(task.proves) < 220


@pytest.mark.parametrize("loss_at", LOSS_AT)
def test_a_task_need_not_state_a_baseline(loss_at: str) -> None:
    class Bare(Task):
        """With what the README asks for alone."""

    assert Bare().baseline_at(20, loss_at) is None


@pytest.mark.parametrize("loss_at", LOSS_AT)
@pytest.mark.parametrize("seq_len", [10, 30, 100])
def test_a_baseline_s_words_carry_its_number(task: Task, seq_len: int, loss_at: str) -> None:
    loss, said = task.baseline_at(seq_len, loss_at), task.baseline_words(seq_len, loss_at)
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", said)]
    if loss is not None:
        assert any(number == pytest.approx(loss, rel=2e-3) for number in numbers), said
    assert not re.search(r"\b[A-Za-z]\b", said.removeprefix("a ").replace(" a ", " ")), said


def test_inputs_are_numbers_or_tokens_of_the_input_size(task: Task) -> None:
    batch = task.batch(0, 20, 3, "last")
    if batch.x.dtype.kind == "i":
        assert 0 <= batch.x.min() <= batch.x.max() < batch.input_size
        assert len(batch.labels) == len(set(batch.labels)) == batch.input_size
    else:
        assert batch.x.shape == (batch.seq_len, batch.input_size, 3)
    if batch.answers:
        assert len(batch.answers) == batch.output_size


def test_the_mask_ends_where_the_sequence_does(task: Task) -> None:
    """Padding is at the right, is 0 and is not asked about."""
    last, every = (task.batch(0, 20, 30, at) for at in LOSS_AT)
    assert ((every.lengths >= 1) & (every.lengths <= every.seq_len)).all()
    assert every.lengths.max() == every.seq_len
    padding = np.arange(every.seq_len)[:, None] >= every.lengths
    assert (every.mask == ~padding).all()
    assert (last.mask.argmax(axis=0) == every.lengths - 1).all()
    assert (last.mask.sum(axis=0) == 1).all()
    assert (np.moveaxis(every.x, -1, 1)[padding] == 0).all()
    assert (np.moveaxis(every.target, -1, 1)[padding] == 0).all()
    for name in ("x", "target", "lengths"):
        assert (getattr(last, name) == getattr(every, name)).all()


def test_more_sequences_do_not_redraw_what_was_there(task: Task) -> None:
    for first in (0, HELD_OUT):
        small, large = (task.batch(3, 20, b, "every", first) for b in (2, 7))
        assert sequences(small) == sequences(large)[:2]


def test_first_says_where_the_batch_begins(task: Task) -> None:
    for first in (0, HELD_OUT):
        whole = task.batch(3, 20, 7, "every", first)
        assert sequences(task.batch(3, 20, 3, "every", first + 4)) == sequences(whole)[4:]


def test_the_seed_decides_and_the_same_seed_gives_the_same_bits(task: Task) -> None:
    one, again, other = (sequences(task.batch(seed, 20, 8, "last")) for seed in (5, 5, 6))
    assert one == again
    assert one != other


@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_held_out_is_never_trained_on(task: Task, seed: int) -> None:
    trained = set(sequences(task.batch(seed, 20, 300, "every")))
    later = set(sequences(task.batch(seed, 20, 300, "every", HELD_OUT)))
    assert later.isdisjoint(trained) if task.unseen else later <= trained


def test_a_batch_is_on_one_side_of_held_out(task: Task) -> None:
    task.batch(0, 20, 2, "last", HELD_OUT - 2)
    with pytest.raises(ValueError, match="first must leave the batch on one side of HELD_OUT"):
        task.batch(0, 20, 3, "last", HELD_OUT - 2)


def test_few_steps_and_one_sequence_are_enough(task: Task) -> None:
    least = 3 if task.name == "copy_memory" else 2
    assert task.batch(0, least, 1, "last").seq_len == task.shape(least)[0]


def test_a_length_that_is_not_the_tasks_own_is_noted(task: Task) -> None:
    asked = "last" if task.shape_name == "many-to-one" else "every"
    batch = task.batch(0, 500, 2, asked)
    assert (f"T is {batch.seq_len}, not 500" in batch.note) == (batch.seq_len != 500)
    own = task.batch(0, batch.seq_len, 2, asked)
    assert own.note == ""
    assert sequences(own) == sequences(batch)


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
        ({"first": -1}, "first must be an integer of at least 0, got -1"),
        ({"loss_at": "first"}, "loss_at must be one of last, every, got 'first'"),
    ],
)
def test_bad_arguments_are_named(task: Task, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        task.batch(**{"seed": 0, "seq_len": 5, "batch_size": 2, "loss_at": "last", **change})


@pytest.mark.parametrize("name", ["delayed_recall", "counting", "text"])
@pytest.mark.parametrize("first", [0, HELD_OUT])
def test_a_longer_sequence_begins_with_the_shorter_one(name: str, first: int) -> None:
    short, long = (make(name).batch(1, steps, 4, "every", first) for steps in (10, 11))
    assert (short.x == long.x[:10]).all()
    assert (short.target == long.target[:10]).all()


@pytest.mark.parametrize("name", NEXT_INPUT)
def test_the_answer_is_the_next_input(name: str) -> None:
    batch = make(name).batch(0, 12, 4, "every")
    assert (batch.target[:-1] == batch.x[1:]).all()


@pytest.mark.parametrize("loss_at", LOSS_AT)
@pytest.mark.parametrize(
    "name",
    ["delayed_recall", "temporal_order", "counting", "text", "digit_rows", "digit_pixels"],
)
def test_the_stated_baseline_is_the_loss_of_an_even_guess(name: str, loss_at: str) -> None:
    task = make(name)
    batch = task.batch(0, 10, 4, loss_at)
    y = np.zeros((batch.seq_len, batch.output_size, 4))
    loss, _ = LOSSES[batch.loss](y, batch.target, batch.mask)
    assert loss_per_answer(batch, loss) == pytest.approx(task.baseline_at(10, loss_at))
