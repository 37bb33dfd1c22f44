"""Sequence problems. Each is a frozen dataclass of its options with one method, `batch`.

Examples
--------
Those of what the package has go on from here.

>>> from rnnviz.tasks import *
"""

from __future__ import annotations

from rnnviz.tasks.adding import Adding
from rnnviz.tasks.batch import END, HELD_OUT, LOSS_AT, SHAPES, START, Batch, Task, stream
from rnnviz.tasks.captioning import Captioning
from rnnviz.tasks.copy_memory import CopyMemory
from rnnviz.tasks.counting import Counting
from rnnviz.tasks.delayed_recall import DelayedRecall
from rnnviz.tasks.digits import DigitPixels, DigitRows
from rnnviz.tasks.sentiment import Sentiment
from rnnviz.tasks.stocks import Stocks
from rnnviz.tasks.temporal_order import TemporalOrder
from rnnviz.tasks.text import Text
from rnnviz.tasks.words import Words

TASKS: dict[str, type[Task]] = {
    "delayed_recall": DelayedRecall,
    "adding": Adding,
    "copy_memory": CopyMemory,
    "temporal_order": TemporalOrder,
    "counting": Counting,
    "text": Text,
    "words": Words,
    "sentiment": Sentiment,
    "digit_rows": DigitRows,
    "digit_pixels": DigitPixels,
    "captioning": Captioning,
    "stocks": Stocks,
}

__all__ = ["END", "HELD_OUT", "LOSS_AT", "SHAPES", "START", "TASKS", "Adding", "Batch",
           "Captioning", "CopyMemory", "Counting", "DelayedRecall", "DigitPixels", "DigitRows",
           "Sentiment", "Stocks", "Task", "TemporalOrder", "Text", "Words", "stream"]  # fmt: skip
