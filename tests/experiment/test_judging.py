"""Networks in training are judged on what is held out, at steps that the experiment alone says."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.experiment import plan
from rnnviz.experiment.judging import SHARE, judged_every
from rnnviz.experiment.plan import JUDGED_ON
from rnnviz.experiment.runs import held_out, params_after
from rnnviz.jobs.training import advance, begin
from rnnviz.tasks import TASKS

LONG = "the cat sat on the mat and the dog lay on the log " * 8 + "the dog sat on the cat"
TEXT = Experiment(models=("rnn", "gru"), task="text", text=LONG, hidden_size=6, batch_size=64,
                  seq_len=8, loss_at="every")  # fmt: skip


def asked(run, label: str) -> dict[int, tuple[float, float]]:
    """Training step -> loss per answer and metric on what is held out."""
    records = run.trainees[label].history.records
    return {
        r.step: (r.held_out_loss, r.held_out_metric)
        for r in records
        if r.held_out_loss is not None and r.held_out_metric is not None
    }


@pytest.mark.parametrize("task", TASKS)
def test_only_what_is_held_out_is_asked_about(task: str) -> None:
    made = plan(Experiment(task=task, text=LONG * (task == "text"), seq_len=20, batch_size=16))
    assert judged_every(made) == (50 if made.task.unseen == "held_out" else 0)
    assert judged_every(plan(Experiment(task="text", text=LONG[:90]))) == 0


@pytest.mark.parametrize(("batch_size", "every"), [(1, 500), (4, 200), (16, 50), (64, 10)])
def test_it_takes_a_small_share_of_the_time(batch_size: int, every: int) -> None:
    """A judgement takes the way forward of 64 sequences, a training step three such ways of its
    own."""
    made = plan(Experiment(task="text", text=LONG, batch_size=batch_size))
    assert judged_every(made) == every
    assert JUDGED_ON / (3 * batch_size * every) <= SHARE


@pytest.mark.trained
def test_the_numbers_are_those_of_the_networks_at_these_steps() -> None:
    run, _ = advance(begin(plan(TEXT)), 60, updates=25)
    for label in ("rnn", "gru"):
        found = asked(run, label)
        assert list(found) == [10, 20]
        for step, (loss, metric) in found.items():
            network = run.plan.networks[label]
            scores = held_out(TEXT, network, params_after(TEXT, label, step), JUDGED_ON)
            assert (loss, metric) == (scores["loss_per_answer"], scores["accuracy"])
        curves = run.trainees[label].history.curves()
        assert curves.steps[np.isfinite(curves.held_out_loss)].tolist() == [10, 20]


@pytest.mark.trained
def test_they_do_not_depend_on_when_it_was_paused() -> None:
    at_once, _ = advance(begin(plan(TEXT)), 60, updates=21)
    slowly = begin(plan(TEXT))
    for _ in range(21):
        slowly, _ = advance(slowly, 60, updates=1)
        assert slowly.held_out["rnn"]["loss_per_answer"] > 0
    assert asked(slowly, "rnn") == asked(at_once, "rnn")
    assert len(asked(at_once, "rnn")) == 2
