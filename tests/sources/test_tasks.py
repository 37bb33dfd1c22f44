"""Rows 18 to 27: shapes of problems, and what a trained network does with them."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from rnnviz.core.losses import softmax_cross_entropy
from rnnviz.experiment import make_batch, make_task, run
from rnnviz.tasks import TASKS, Text
from rnnviz.training import sampling
from tests.sources.support import flow, link, scores, small, trained


@pytest.mark.parametrize(
    ("task", "shape"),
    [("captioning", "one-to-many"), ("sentiment", "many-to-one"), ("words", "many-to-many")],
)
def test_row_18_shapes_of_problems(task: str, shape: str) -> None:
    assert TASKS[link(task=task).task].shape_name == shape


@pytest.mark.trained
def test_row_19_a_character_model_beats_a_guess_on_unseen_text() -> None:
    text = "hello hello hello world " * 38 + "world "
    experiment = link(models="lstm", task="text", text=text, seq_len="16", hidden_size="24",
                      batch_size="8", loss_at="every", learning_rate="0.02",
                      train_steps="150")  # fmt: skip
    assert trained(experiment, "lstm")["loss_per_answer"] < 0.4 < log(8)


@pytest.mark.trained
def test_row_20_the_cross_entropy_of_a_word_model() -> None:
    """The loss of a step is −log of the probability that the right next word got; a model that
    knows nothing pays ln of the number of words."""
    y = np.log(np.array([0.6, 0.3, 0.1]))[None, :, None]
    loss, _ = softmax_cross_entropy(y, np.array([[1]]), np.ones((1, 1)))
    assert loss == pytest.approx(-log(0.3))
    assert exp(-loss) == pytest.approx(0.3)
    experiment = link(models="gru", task="words", hidden_size="24", batch_size="8",
                      loss_at="every", learning_rate="0.02", train_steps="100")  # fmt: skip
    words = make_batch(experiment).output_size
    assert trained(experiment, "gru")["loss_per_answer"] < log(words) / 2


@pytest.mark.trained
def test_row_21_counting_is_learned_to_the_last_number() -> None:
    experiment = link(models="rnn", task="counting", seq_len="12", hidden_size="16",
                      loss_at="every", learning_rate="0.01", train_steps="300")  # fmt: skip
    assert trained(experiment, "rnn")["accuracy"] == 1


@pytest.mark.trained
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_row_21_what_counts_to_the_last_number_goes_on_with_the_cycle(kind: str) -> None:
    """For many times the T that it was trained with, from every number."""
    experiment = link(models=kind, task="counting", seq_len="24", hidden_size="24",
                      batch_size="9", loss_at="every", learning_rate="0.01",
                      train_steps="160")  # fmt: skip
    found = run(experiment)[kind]
    assert scores(experiment, found)["accuracy"] == 1
    network, params = found.network, found.params
    for first in range(9):
        position = sampling.read(network, params, sampling.begin(network, params), [first])
        rng = np.random.default_rng(0)
        drawn = sampling.sample(network, params, position, rng, 10 * 24, temperature=0).ids
        assert drawn == tuple((first + 1 + k) % 9 for k in range(240))


@pytest.mark.trained
def test_row_22_a_real_series_is_learned_by_heart_and_not_predicted() -> None:
    """Weekly returns: trained, the network beats "no change" on the weeks it has seen, and not on
    those held out, as the task says."""
    experiment = link(models="gru", task="stocks", seq_len="30", hidden_size="32", loss_at="every",
                      learning_rate="0.01", train_steps="200")  # fmt: skip
    no_change = make_task(experiment).baseline_at(30, "every")
    found = run(experiment)["gru"]
    unseen = scores(experiment, found)["loss_per_answer"]
    assert found.loss / 30 < 0.8 * no_change < no_change < unseen


@pytest.mark.trained
def test_row_23_digits_row_by_row_in_both_directions() -> None:
    experiment = link(models="lstm:bidirectional=yes", task="digit_rows", hidden_size="32",
                      batch_size="64", memory_bias="0", learning_rate="0.02",
                      train_steps="400")  # fmt: skip
    assert trained(experiment, "lstm:bidirectional=yes")["accuracy"] > 0.85


@pytest.mark.trained
def test_row_24_a_picture_enters_through_the_first_state() -> None:
    experiment = link(models="gru", task="captioning", hidden_size="48", batch_size="32",
                      loss_at="every", learning_rate="0.01", train_steps="400")  # fmt: skip
    assert trained(experiment, "gru")["accuracy"] > 0.85


@pytest.mark.trained
def test_row_25_sentiment_from_the_last_output() -> None:
    experiment = link(models="gru", task="sentiment", hidden_size="24", batch_size="32",
                      loss_at="last", memory_bias="0", learning_rate="0.02",
                      train_steps="300")  # fmt: skip
    batch = make_batch(experiment)
    assert (batch.mask.sum(axis=0) == 1).all()
    assert (batch.mask.argmax(axis=0) == batch.lengths - 1).all()
    assert trained(experiment, "gru")["accuracy"] > 0.9


def test_row_26_n_gram_models_are_the_baseline_of_language() -> None:
    """After "ab" comes c or a, after "cab" always a: two symbols more of context pay off."""
    task = make_task(small(task="text", text="abcab" * 380 + "c"))
    assert isinstance(task, Text)
    losses = [task.ngram_loss(order) for order in range(4)]
    assert None not in losses
    assert log(3) > losses[0] > losses[1] > losses[2] > losses[3]
    assert losses[3] < 0.1


def test_row_27_over_a_thousand_steps_the_gates_initialization_decides() -> None:
    open_, closed = (
        flow(link(models="lstm", seq_len="1001", batch_size="2", hidden_size="16",
                  memory_bias=bias), "lstm").reach_log10
        for bias in ("8", "1")
    )  # fmt: skip
    assert open_ > -3
    assert closed < -30
