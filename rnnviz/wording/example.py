"""A task told by one of its sequences: what comes in, what the right answer is, what networks
answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.tasks import Batch
from rnnviz.wording.lists import names
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import general, minus
from rnnviz.wording.texts import say, texts

SHOWN = 6
"""Symbols that are written at each end of a sequence."""
RELEVANT = 2
"""Of the symbols of temporal order, how many matter: the first ones."""
HUGE = 1e6
"""No right answer is as large: digits of a network's would say nothing."""
DIGITS = 2, 3, 4, 5, 6
"""Decimals of a number; the least with which the numbers that are written add up."""


def example_words(task: str, batch: Batch) -> str:
    """What the first sequence of a batch of this task holds, and its right answer at the last step
    that is asked."""
    step = asked_step(batch)
    given = _READERS.get(task, _symbols)(batch, step)
    return say("tasks", f"example_{task}", step=step, right=right_answer(batch), **given)


def answer_words(batch: Batch, y: Mapping[str, Array]) -> str:
    """What networks answer there. y: label -> (T, O, B) of the same batch; "" for none."""
    if not y:
        return ""
    step = asked_step(batch)
    said = [
        say("tasks", "answers_one", model=display_name(label), answer=_answer(batch, one, step))
        for label, one in y.items()
    ]
    return say("tasks", "answers", models=names(said))


def asked_step(batch: Batch) -> int:
    """The last step of the first sequence at which the loss asks for an answer; from 1."""
    return int(np.flatnonzero(batch.mask[:, 0])[-1]) + 1


def right_answer(batch: Batch) -> str:
    """Of the first sequence, at its last step that is asked."""
    target = batch.target[asked_step(batch) - 1]
    if batch.loss == "squared_error":
        return _number(batch, target[0, 0])
    return _called(batch, int(target[0]))


def _answer(batch: Batch, y: Array, step: int) -> str:
    """The number, or the likeliest answer; none where the network has blown up."""
    last = y[step - 1, :, 0]
    if not np.isfinite(last).all():
        return say("tasks", "answers_nothing")
    if batch.loss == "squared_error":
        return _number(batch, last[0])
    return _called(batch, int(last.argmax()))


def _number(batch: Batch, value: float) -> str:
    if abs(value) >= HUGE:
        return general(float(value), 3)
    return minus(f"{value + 0.0:.{_digits(batch)}f}")


def _digits(batch: Batch) -> int:
    """Of adding so many that a reader who adds finds the right answer; else the fewest."""
    if batch.x.shape[1] != 2 or batch.labels:
        return DIGITS[0]
    marked = batch.x[batch.x[:, 1, 0] == 1, 0, 0]
    sums = (d for d in DIGITS if round(sum(round(u, d) for u in marked) - marked.sum(), d) == 0)
    return next(sums, DIGITS[-1])


def _called(batch: Batch, answer: int) -> str:
    return (batch.answers or batch.labels)[answer]


def _clue(batch: Batch, step: int) -> dict[str, object]:
    rest = "rest_noise" if batch.x[1:].any() else "rest_quiet"
    clue = batch.labels[int(batch.x[0, :, 0].argmax())]
    return {"clue": clue, "rest": texts("tasks")[rest]}


def _marked(batch: Batch, step: int) -> dict[str, object]:
    """Adding: the two marked numbers, and where they stand."""
    steps = np.flatnonzero(batch.x[:, 1, 0])
    first, second = (_number(batch, value) for value in batch.x[steps, 0, 0])
    return {"first": first, "second": second, "at": steps[0] + 1, "then": steps[1] + 1}


def _two_events(batch: Batch, step: int) -> dict[str, object]:
    first, second = np.flatnonzero(batch.x[:, 0] < RELEVANT)
    names = [batch.labels[batch.x[t, 0]] for t in (first, second)]
    return {"first": names[0], "second": names[1], "at": first + 1, "then": second + 1}


def _symbols(batch: Batch, step: int) -> dict[str, object]:
    """The symbols up to the one that is asked about; of many the first and the last ones."""
    names = [visible(batch.labels[token]) for token in batch.x[:step, 0]]
    cut = [*names[:SHOWN], "…", *names[-SHOWN:]] if len(names) > 2 * SHOWN + 1 else names
    return {"given": " ".join(cut)}


def _copied(batch: Batch, step: int) -> dict[str, object]:
    """The symbols that are to be copied, and where the marker stands."""
    names = [batch.labels[token] for token in batch.x[:, 0]]
    marker = names.index("marker")
    return {"given": " ".join(names[: len(names) - marker - 1]), "at": marker + 1}


def visible(symbol: str) -> str:
    """A symbol that can be seen."""
    return {" ": "␣", "\n": "⏎", "\t": "⇥"}.get(symbol, symbol)


def _nothing(batch: Batch, step: int) -> dict[str, object]:
    return {}


def _returns(batch: Batch, step: int) -> dict[str, object]:
    return {"name": batch.labels[0], "given": _number(batch, batch.x[step - 1, 0, 0])}


_READERS: dict[str, Callable[[Batch, int], dict[str, object]]] = {
    "delayed_recall": _clue,
    "adding": _marked,
    "copy_memory": _copied,
    "temporal_order": _two_events,
    "digit_rows": _nothing,
    "digit_pixels": _nothing,
    "stocks": _returns,
}
