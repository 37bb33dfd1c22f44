"""Set-ups of the Train page that are one click each, with what to expect of them.

The sentences say no more than runs over several seeds show; tests/dashboard/test_lessons.py
repeats some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Lesson:
    """title: of its button; sentence: what to expect. changes: fields of the Experiment that
    differ from its defaults. first: of these again, of a run that is done beforehand and drawn in
    grey. goal: updates at which it pauses; None: it goes on. influence: the panel of that name
    instead of a run."""

    title: str
    sentence: str
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    first: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    goal: int | None = None
    influence: bool = False


RECALL = {
    "models": ("rnn", "lstm", "gru"),
    "task": "delayed_recall",
    "seq_len": 40,
    "hidden_size": 16,
    "batch_size": 32,
    "distractor": 0.3,
    "optimizer": "adam",
    "learning_rate": 0.01,
}
CLIPPING = {
    **RECALL,
    "models": ("rnn",),
    "init": "orthogonal",
    "gain": 1.5,
    "optimizer": "sgd",
    "learning_rate": 0.5,
}

LESSONS: dict[str, Lesson] = {
    "quick": Lesson(
        "Quick lesson",
        "Recall one of 8 symbols after 40 steps of noise. Within some 20 seconds the losses leave "
        "the dotted line one after the other. Which one first depends on the initial weights: "
        "press reseed, and try the initializer “orthogonal”.",
        RECALL,
    ),
    "closed": Lesson(
        "Closed gates",
        "The same with the memory bias at 0: the LSTM and the GRU start with half-open gates that "
        "forget within a few steps. Watch how long they stay at the dotted line while the "
        "heatmap's lower rows are dark.",
        {**RECALL, "memory_bias": 0.0},
    ),
    "clipping": Lesson(
        "Clipping",
        "A plain RNN with gain 1.5 under SGD, 200 steps: grey without clipping, in colour with "
        "the gradient's norm clipped at 1. Clipping often helps here and cures nothing: it "
        "shortens the step, it does not change its direction.",
        {**CLIPPING, "clip": "norm", "clip_at": 1.0},
        {**CLIPPING, "clip": "none"},
        goal=200,
    ),
    "influence": Lesson(
        "Truncation points the wrong way",
        "A problem with one parameter, on which backpropagation that is cut off too early has the "
        "wrong sign.",
        influence=True,
    ),
}
