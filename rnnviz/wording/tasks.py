"""What each task is called, what its shape and baseline are, and what solving it proves."""

from __future__ import annotations

from rnnviz.experiment import Experiment, make_task
from rnnviz.tasks import Task
from rnnviz.wording.library import translated
from rnnviz.wording.texts import say, texts


def task_name(task: str) -> str:
    """What a task is called."""
    return texts("tasks")[task]


def task_words(experiment: Experiment) -> str:
    """Shape, baseline and proof of the chosen task in three short sentences; why it cannot be
    made, if it cannot."""
    try:
        task = make_task(experiment)
    except ValueError as error:
        return say("tasks", "refused", reason=translated(str(error)).capitalize())
    what = _baseline_and_proof(task, experiment)
    return say("tasks", "about", shape=translated(task.shape_name.capitalize()), what=what)


def _baseline_and_proof(task: Task, experiment: Experiment) -> str:
    asked = texts("tasks")[f"asked_{experiment.loss_at}"]
    setting = experiment.seq_len, experiment.loss_at
    loss, proves = task.baseline_at(*setting), translated(task.proves_at(*setting))
    if loss is None:
        return say("tasks", "no_baseline", asked=asked, proves=proves)
    said = translated(task.baseline_words(*setting))
    if not loss:
        return say("tasks", "proves_nothing", asked=asked, baseline=said)
    return say("tasks", "baseline", baseline=said, proves=proves)
