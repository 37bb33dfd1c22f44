"""A task is told with a sequence of its own and the right answer."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnnviz.experiment import Experiment, make_task
from rnnviz.experiment.plan import plan
from rnnviz.tasks import LOSS_AT, TASKS, Batch
from rnnviz.wording.example import answer_words, asked_step, example_words, right_answer
from rnnviz.wording.tasks import task_words


def batch_of(task: str, **more: object) -> Batch:
    e = Experiment(task=task, text="to be or not to be", seq_len=40, **more)  # type: ignore[arg-type]
    return make_task(e).batch(e.seed, e.seq_len, 2, e.loss_at)


@pytest.mark.parametrize("loss_at", LOSS_AT)
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_told_with_its_right_answer(task: str, loss_at: str) -> None:
    batch = batch_of(task, loss_at=loss_at)
    said = example_words(task, batch)
    assert said.startswith("For example: ")
    assert said.endswith(f": {right_answer(batch)}.")
    assert "[[" not in said
    assert batch.mask[asked_step(batch) - 1, 0] > 0
    assert not batch.mask[asked_step(batch) :, 0].any()


@pytest.mark.parametrize("seed", range(4))
def test_the_clue_of_delayed_recall_is_the_answer(seed: int) -> None:
    said = example_words("delayed_recall", batch_of("delayed_recall", seed=seed))
    found = re.fullmatch(r"For example: (\w) at step 1, .* at step 40: (\w)\.", said)
    assert found is not None
    assert found[1] == found[2]


def test_what_follows_the_clue_is_called_what_it_is() -> None:
    assert ", then noise." in example_words("delayed_recall", batch_of("delayed_recall"))
    quiet = batch_of("delayed_recall", distractor=0.0)
    assert ", then zeros." in example_words("delayed_recall", quiet)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"task": "words", "loss_at": "last"}, "it proves nothing: every sentence ends with ⟨end⟩"),
        ({"task": "words", "loss_at": "last", "seq_len": 5}, "no baseline is stated"),
        ({"task": "words", "loss_at": "every", "text": "hello you. hello me."}, "(n-grams)"),
        ({"task": "copy_memory", "loss_at": "last"}, "keeps the last of the copied symbols"),
        ({"task": "copy_memory", "loss_at": "every", "seq_len": 21}, "stores the symbols and"),
        ({"task": "copy_memory", "loss_at": "every", "seq_len": 22}, "ten symbols"),
        ({"distractor": 0.0}, "through every step after it"),
        ({"distractor": 0.5}, "every step of noise"),
    ],
    ids=str,
)
def test_a_task_says_what_it_proves_as_it_is_set(setting: dict[str, object], says: str) -> None:
    assert says in task_words(Experiment(**{"seq_len": 40, **setting}))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_the_marked_numbers_add_up(seed: int) -> None:
    said = example_words("adding", batch_of("adding", seed=seed))
    first, second, right = map(float, re.findall(r"\d\.\d+", said))
    assert round(first + second, 9) == right  # as they are written


@pytest.mark.parametrize("seed", range(4))
def test_the_two_events_are_the_answer_in_their_order(seed: int) -> None:
    batch = batch_of("temporal_order", seed=seed)
    said = example_words("temporal_order", batch)
    found = re.search(r"(\w) at step (\d+), (\w) at step (\d+)", said)
    assert found is not None
    assert said.endswith(f": {found[1]}{found[3]}.")
    assert int(found[2]) < int(found[4])
    assert batch.labels[batch.x[int(found[2]) - 1, 0]] == found[1]


def test_a_long_sequence_is_cut_in_its_middle() -> None:
    batch = batch_of("counting")
    shown = [batch.labels[token] for token in batch.x[:, 0]]
    said = example_words("counting", batch)
    assert f"{' '.join(shown[:6])} … {' '.join(shown[-6:])}." in said


@pytest.mark.parametrize("seq_len", [3, 5, 20, 40])
def test_all_symbols_that_are_copied_are_told(seq_len: int) -> None:
    made = make_task(Experiment(task="copy_memory", seq_len=seq_len))
    batch = made.batch(0, seq_len, 1, "last")
    symbols = [
        batch.labels[token] for token in batch.target[:, 0] if batch.labels[token] != "blank"
    ]
    said = example_words("copy_memory", batch)
    assert said.startswith(f"For example: {' '.join(symbols)}, a marker at step ")
    assert right_answer(batch) == symbols[-1]


def test_what_networks_answer_is_the_likeliest_or_the_number_or_nothing() -> None:
    batch = batch_of("delayed_recall")
    y = np.zeros((40, 8, 2))
    y[39, 3, 0] = 1
    assert answer_words(batch, {"rnn": y, "lstm:forget_bias=0": np.full_like(y, np.nan)}) == (
        "The networks answer: RNN D; LSTM, forget bias 0 nothing (blown up)."
    )
    adding = batch_of("adding")
    assert answer_words(adding, {"gru": np.full((40, 1, 2), -0.12649)}) == (
        "The networks answer: GRU −0.1265."
    )
    huge = answer_words(adding, {"rnn": np.full((40, 1, 2), -2.239e34)})
    assert huge == "The networks answer: RNN −2.24e+34."
    assert answer_words(batch, {}) == ""


def test_a_plan_s_batch_is_told() -> None:
    planned = plan(Experiment(seq_len=30))
    assert "step 30" in example_words("delayed_recall", planned.batch)
