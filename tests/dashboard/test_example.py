"""The Train page and the More popover tell the task by one of its sequences."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import Experiment
from rnnviz.core.network import predict
from rnnviz.tasks import TASKS
from rnnviz.wording.example import example_words
from tests.dashboard.support import assert_sound, change, press, visit
from tests.dashboard.training_support import SMALL, WILD, click, tick, training

pytestmark = pytest.mark.trained


def example(app: AppTest) -> str:
    """What is said above the verdict."""
    bodies = [html.unescape(re.sub("<[^>]+>", "", e.proto.body)) for e in app.get("html")]
    found = [body for body in bodies if body.startswith("For example")]
    assert len(found) == 1
    return found[0]


def test_the_task_is_told_before_training_and_no_answers_are() -> None:
    app = visit("train", SMALL)
    assert example(app) == example_words("delayed_recall", training(app).plan.batch)


def test_after_training_the_networks_answer_the_same_sequence() -> None:
    app = press(visit("train", SMALL), "+10")
    run = training(app)
    symbols = {
        label: "ABCDEFGH"[predict(run.plan.networks[label], t.shown.params, run.plan.batch)
                          [-1, :, 0].argmax()]
        for label, t in run.trainees.items()
    }  # fmt: skip
    said = f" The networks answer: RNN {symbols['rnn']}, LSTM {symbols['lstm']}."
    assert example(app) == example_words("delayed_recall", run.plan.batch) + said


def test_while_it_plays_the_task_alone_is_told() -> None:
    app = tick(click(visit("train", SMALL), "train_play"))
    assert "answer:" not in example(app)
    assert "answer:" in example(click(app, "train_play"))


def test_a_network_that_has_blown_up_has_no_answer_or_its_last() -> None:
    app = press(press(visit("train", WILD), "+10"), "+10")
    assert_sound(app)
    assert "The networks answer: RNN " in example(app)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_told_where_it_is_chosen_and_where_it_is_trained(task: str) -> None:
    shown = replace(SMALL, task=task, seq_len=12, text="to be or not to be", models=("rnn",))
    app = press(visit("train", Experiment(**vars(shown))), "+1")
    assert re.search(r"Right.*: .*\. The networks answer: RNN .*\.", example(app))
    captions = [c.value for c in change(app, more=True).caption]
    assert any(caption.startswith("For example: ") for caption in captions)
