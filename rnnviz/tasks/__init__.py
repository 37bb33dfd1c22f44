"""Sequence problems. Each is a frozen dataclass of its options with one method, `batch`."""

from __future__ import annotations

from rnnviz.tasks.adding import Adding
from rnnviz.tasks.batch import HELD_OUT, LOSS_AT, SHAPES, Batch, Task, stream
from rnnviz.tasks.counting import Counting
from rnnviz.tasks.delayed_recall import DelayedRecall
from rnnviz.tasks.stocks import Stocks
from rnnviz.tasks.text import Text

TASKS: dict[str, type[Task]] = {
    "delayed_recall": DelayedRecall,
    "adding": Adding,
    "counting": Counting,
    "text": Text,
    "stocks": Stocks,
}

__all__ = ["HELD_OUT", "LOSS_AT", "SHAPES", "TASKS", "Adding", "Batch", "Counting",
           "DelayedRecall", "Stocks", "Task", "Text", "stream"]  # fmt: skip
