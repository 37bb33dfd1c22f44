"""What each task is called, what its shape and baseline are, and what solving it proves."""

from __future__ import annotations

from rnnviz.analysis.words import significant
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
    return f"{task.shape_name.capitalize()}. {_baseline(task, experiment)} Solved: {task.proves}"


def _baseline(task: Task, experiment: Experiment) -> str:
    loss = task.baseline_at(experiment.seq_len, experiment.loss_at)
    if loss is None:
        return f"Asked at {experiment.loss_at} step, no baseline is stated."
    return f"Without reading: loss {significant(loss)} per answer ({task.baseline_text})."
