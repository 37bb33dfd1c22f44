"""Set-ups of the Train page that are one click each; what to expect of them is in
wording/en/lessons.md.

The sentences there say no more than runs over many seeds and several processors show, with room to
spare: training is chaotic. tests/dashboard/test_lessons.py repeats some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rnnviz.experiment.config import Experiment

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Lesson:
    """changes: fields of the Experiment that differ from its defaults. first: of these again, of a
    run that is done beforehand and drawn in grey. goal: updates at which it pauses; None: it goes
    on. influence: the panel of that name instead of a run."""

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
    "quick": Lesson(RECALL),
    "closed": Lesson({**RECALL, "memory_bias": 0.0}),
    "clipping": Lesson(
        {**CLIPPING, "clip": "norm", "clip_at": 1.0},
        {**CLIPPING, "clip": "none"},
        goal=600,
    ),
    "influence": Lesson(influence=True),
}
