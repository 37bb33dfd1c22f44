"""What is said of a task beside its name."""

from __future__ import annotations

import pytest

from rnnviz.experiment import Experiment, make_task
from rnnviz.tasks import LOSS_AT, TASKS
from rnnviz.wording.tasks import task_words


@pytest.mark.parametrize("loss_at", LOSS_AT)
@pytest.mark.parametrize("task", TASKS)
def test_the_baseline_is_said_with_its_number(task: str, loss_at: str) -> None:
    experiment = Experiment(task=task, loss_at=loss_at, text="to be or not to be")
    made = make_task(experiment)
    assert made.baseline_words(experiment.seq_len, loss_at) in task_words(experiment)


def test_captions_at_the_last_step_are_said_to_prove_nothing() -> None:
    said = task_words(Experiment(task="captioning", loss_at="last"))
    assert said == (
        "One-to-many. Asked at the last step it proves nothing: every name ends with ⟨end⟩, so "
        "0 nats without a look at the picture."
    )
