"""Set-ups of the Train page that are one click each, with what to expect of them.

The sentences say no more than runs over many seeds and several processors show, with room to
spare: training is chaotic. tests/dashboard/test_lessons.py repeats some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rnnviz.experiment import Experiment

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

    def experiment(self, seed: int, first: bool = False) -> Experiment:
        """What is trained; or what is trained beforehand."""
        return Experiment(**{**(self.first if first else self.changes), "seed": seed})


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
    "seq_len": 20,
    "hidden_size": 64,
    "batch_size": 16,
    "optimizer": "sgd",
    "learning_rate": 0.8,
}

LESSONS: dict[str, Lesson] = {
    "quick": Lesson(
        "Quick lesson",
        "Recall one of 8 symbols after 40 steps of noise. Which loss leaves the dotted line, and "
        "when, the initial weights decide: reseed, or try orthogonal.",
        RECALL,
    ),
    "closed": Lesson(
        "Closed gates",
        "The same with memory bias 0: half-open gates forget in a few steps. How long do losses "
        "stay on the dotted line while the heatmaps are dark below?",
        {**RECALL, "memory_bias": 0.0},
    ),
    "clipping": Lesson(
        "Clipping",
        "An RNN under SGD, gain 1.5, 20 steps to recall over, 600 training steps. Grey: not "
        "clipped, it has not learned the task by then. In colour: gradient norm clipped at 1, "
        "which shortens a step and does not turn it; here that is enough to learn it.",
        {**CLIPPING, "clip": "norm", "clip_at": 1.0},
        {**CLIPPING, "clip": "none"},
        goal=600,
    ),
    "influence": Lesson(
        "Wrong-way truncation",
        "A problem with one parameter, on which backpropagation that is cut off too early has the "
        "wrong sign.",
        influence=True,
    ),
}
