"""Training data and held-out data are different words and different numbers."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.experiment import make_task, plan
from rnnviz.experiment.plan import JUDGED_ON
from rnnviz.experiment.runs import held_out, params_after
from rnnviz.jobs.training import advance, begin
from rnnviz.tasks import TASKS
from rnnviz.views.train import Choices, first_screen, held_out_of, view
from rnnviz.wording.training import loss_words

LONG = "the cat sat on the mat and the dog lay on the log " * 8 + "the dog sat on the cat"
SHORT = LONG[:120]
FOUR = "\n".join(f"line {n % 4}" for n in range(40))
"""Forty sentences, of which the last tenth is in the rest, too."""
SMALL = {"models": ("rnn",), "hidden_size": 8, "batch_size": 4, "seq_len": 10, "loss_at": "every"}


def trained(**changes: object):
    return advance(begin(plan(Experiment(**{**SMALL, **changes}))), 60, updates=3)[0]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_says_what_training_never_sees(task: str) -> None:
    kinds = {"text": "held_out", "digit_rows": "held_out", "digit_pixels": "held_out",
             "sentiment": "held_out", "captioning": "held_out", "stocks": "held_out",
             "words": "held_out", "counting": ""}  # fmt: skip
    assert make_task(Experiment(task=task, text=LONG * (task == "text"))).unseen == kinds.get(
        task, "new"
    )


@pytest.mark.trained
def test_held_out_numbers_stand_beside_those_of_training() -> None:
    run = trained(task="text", text=LONG)
    (one,) = held_out_of(run, "accuracy") or ()
    experiment, network = run.experiment, run.plan.networks[one.label]
    params = params_after(experiment, one.label, run.updates)
    assert one.loss == held_out(experiment, network, params, JUDGED_ON)["loss_per_answer"]
    training, *_, unseen = view(run).verdict
    assert training.startswith("After **3** steps: training loss RNN")
    assert unseen.startswith(f"On held-out data: RNN **{loss_words(one.loss)}**")


@pytest.mark.trained
def test_they_are_a_curve_beside_the_training_loss_while_it_plays_and_now() -> None:
    start = begin(plan(Experiment(**{**SMALL, "task": "text", "text": LONG, "batch_size": 64})))
    run, _ = advance(start, 60, updates=25)
    for choices, steps in ((Choices(playing=True), [10, 20]), (Choices(), [10, 20, 25])):
        loss = next(first_screen(view(run, choices)))
        curves = [p for p in loss.drawing["data"] if p["name"] == "RNN held out"]
        assert [piece.get("xaxis") for piece in curves] == [None, "x2"]
        assert [list(piece["x"]) for piece in curves] == [steps, steps]
        assert "Circles: on held-out data, after every 10 training steps" in loss.how
    (unseen,) = held_out_of(run, "accuracy") or ()
    np.testing.assert_allclose(
        [p["y"][-1] for p in curves], [unseen.loss, unseen.metric], rtol=1e-6
    )
    drawn_anew = next(first_screen(view(trained())))
    assert "held-out data" not in drawn_anew.how
    assert not [p for p in drawn_anew.drawing["data"] if "held out" in str(p["name"])]


@pytest.mark.trained
def test_they_are_worked_out_once_for_a_run_that_stands_still() -> None:
    run = trained(task="text", text=LONG)
    before = view(run).verdict
    assert run.held_out is run.held_out
    assert view(run).verdict == before


@pytest.mark.trained
@pytest.mark.parametrize(
    "changes",
    [
        {"task": "text", "text": SHORT},
        {"task": "text", "text": SHORT[:50] * 8},
        {"task": "words", "text": FOUR},
        {"task": "counting"},
    ],
)
def test_of_data_that_are_too_few_or_repeat_themselves_nothing_is_said_to_be_held_out(
    changes: dict[str, str],
) -> None:
    run = trained(**changes)
    assert view(run).verdict[-1].startswith("Nothing is held out, for the data are too few")
    assert held_out(run.experiment, run.plan.networks["rnn"], run.plan.init_params("rnn")) == {}


@pytest.mark.trained
def test_what_is_drawn_anew_has_no_held_out_line_nor_has_a_run_that_plays() -> None:
    assert not any("held-out" in line for line in view(trained()).verdict)
    playing = view(trained(task="text", text=LONG), Choices(playing=True))
    assert not any("held-out" in line for line in playing.verdict)
