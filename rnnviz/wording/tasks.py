"""What each task is called, what its shape and baseline are, and what solving it proves."""

from __future__ import annotations

from rnnviz.experiment import Experiment, make_task
from rnnviz.tasks import Task

TASK_NAMES = {
    "delayed_recall": "delayed recall",
    "adding": "adding two numbers",
    "copy_memory": "copy memory",
    "temporal_order": "temporal order",
    "counting": "counting sequence",
    "text": "text by character",
    "words": "text by word",
    "sentiment": "sentiment",
    "digit_rows": "digits row by row",
    "digit_pixels": "digits pixel by pixel",
    "captioning": "digit captions",
    "stocks": "stock prices",
}


def task_words(experiment: Experiment) -> str:
    """Shape, baseline and proof of the chosen task in three short sentences; why it cannot be
    made, if it cannot."""
    try:
        task = make_task(experiment)
    except ValueError as error:
        return f"{str(error).capitalize()}."
    return f"{task.shape_name.capitalize()}. {_baseline_and_proof(task, experiment)}"


def _baseline_and_proof(task: Task, experiment: Experiment) -> str:
    asked = "the last step" if experiment.loss_at == "last" else "every step"
    loss = task.baseline_at(experiment.seq_len, experiment.loss_at)
    if loss is None:
        return f"Asked at {asked}, no baseline is stated. Solved: {task.proves}"
    said = task.baseline_words(experiment.seq_len, experiment.loss_at)
    if not loss:
        return f"Asked at {asked} it proves nothing: {said}."
    return f"Without reading: {said}. Solved: {task.proves}"
