"""The scenes of the lecture, and the questions of its quiz, as data.

What is said stands in wording/en/scenes.md under the name of the scene: its question, its choices,
the reveal, the sentence to take home, what to try, the lecturer's note. A reveal is filled with the
scene's numbers; `rnnviz lecture --check` measures them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rnnviz.experiment import Experiment
from rnnviz.experiment.lessons import CLIPPING

NOTHING: Mapping[str, Any] = MappingProxyType({})
FLOW, SPECTRUM, GATES = "gradient-flow", "spectrum", "gates"
CLIPPED, INFLUENCE = "clipping", "influence"
"""Lessons of the Train page, in place of a page's name."""


@dataclass(frozen=True)
class Number:
    """A number that a reveal says. measure: a name in `measures.MEASURES`; of: which model, window
    or run. digits: decimals it is said with. changes: fields that differ from the scene's
    experiment. within: how far a run may be from it; None for half of its last digit."""

    value: float
    measure: str
    of: str = "rnn"
    digits: int = 1
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    within: float | None = None

    def agrees(self, measured: float) -> bool:
        """Whether a run says the same."""
        if measured == self.value:  # infinities among them
            return True
        most = 0.5 * 10.0**-self.digits if self.within is None else self.within
        return abs(measured - self.value) <= most * (1 + 1e-9)


@dataclass(frozen=True)
class Guess:
    """A number to guess, in place of choices. of: the reveal's name for the true one; low, high,
    step: of the scale on which it is guessed; within: how far from the true one is near enough.
    An answer is a place on the scale, counted from 1, so that there are finitely many."""

    of: str
    low: float
    high: float
    step: float
    within: float

    @property
    def places(self) -> int:
        """How many there are."""
        return round((self.high - self.low) / self.step) + 1

    def place(self, value: float) -> int:
        """The one nearest to a number."""
        return 1 + round((min(max(value, self.low), self.high) - self.low) / self.step)

    def value(self, place: int) -> float:
        """The number at a place."""
        return self.low + (place - 1) * self.step


@dataclass(frozen=True)
class Question:
    """choices: how many there are, numbered from 1; right: which one is so; guess: what is guessed
    where there are none. numbers: by the names that the reveal calls them. changes: fields of the
    experiment that differ from the defaults."""

    name: str
    right: int = 0
    choices: int = 4
    guess: Guess | None = None
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    numbers: Mapping[str, Number] = field(default_factory=lambda: NOTHING)

    @property
    def experiment(self) -> Experiment:
        """What the answer shows."""
        return Experiment(**self.changes)

    @property
    def answers(self) -> int:
        """How many there are to take, numbered from 1: choices, or places of a scale."""
        return self.guess.places if self.guess else self.choices

    @property
    def answer(self) -> int:
        """The right one; of a guess the place of the true number."""
        return self.guess.place(self.numbers[self.guess.of].value) if self.guess else self.right

    def is_right(self, taken: int) -> bool:
        """Whether an answer is the right one, or a guess near enough."""
        if self.guess is None:
            return taken == self.right
        away = abs(self.guess.value(taken) - self.numbers[self.guess.of].value)
        return 1 <= taken <= self.answers and away <= self.guess.within + 1e-9


@dataclass(frozen=True)
class Scene(Question):
    """A question and its picture. page: whose picture it is; picture: its key there. before: the
    fields that are different before the answer; what they show stands while the question is open,
    and faintly behind the answer. knob: the field that may be moved afterwards, "" for none;
    ticks: values at which it comes to rest. decades: what the axis of Gradient flow's picture
    always shows, where that is to be less than on its page."""

    page: str = FLOW
    picture: str = "flow-state"
    before: Mapping[str, Any] | None = None
    knob: str = ""
    ticks: tuple[float, ...] = ()
    decades: tuple[float, float] | None = None

    @property
    def first(self) -> Experiment | None:
        """What is shown while the question is open; None where that would be the answer."""
        return None if self.before is None else Experiment(**{**self.changes, **self.before})


RNN = {"models": ("rnn",)}
LINEAR = {**RNN, "activation": "identity", "init": "orthogonal", "distractor": 0.0}
ORTHOGONAL = {**RNN, "init": "orthogonal"}
QUIET = {**RNN, "distractor": 0.0}

SCENES: tuple[Scene, ...] = (
    Scene(
        "travel",
        right=4,
        changes=RNN,
        knob="seq_len",
        ticks=(100,),
        numbers={
            "reach": Number(-24.2, "reach"),
            "factor": Number(0.57, "factor", digits=2),
            "far": Number(-119.6, "reach", changes={"seq_len": 500}),
        },
    ),
    Scene(
        "cells",
        right=3,
        knob="seq_len",
        ticks=(100,),
        numbers={
            "rnn": Number(-24.2, "reach"),
            "gru": Number(1.5, "percent", "gru"),
            "lstm": Number(3.0, "growth", "lstm"),
            "far_rnn": Number(-119.6, "reach", changes={"seq_len": 500}),
            "far_gru": Number(-8.1, "reach", "gru", changes={"seq_len": 500}),
            "far_lstm": Number(0.9, "reach", "lstm", changes={"seq_len": 500}),
        },
    ),
    Scene(
        "gate",
        right=3,
        changes={"memory_bias": 0.0},
        before={"memory_bias": 3.0},
        knob="memory_bias",
        ticks=(0.0, 3.0),
        numbers={
            "rnn": Number(-24.2, "reach"),
            "lstm": Number(-20.0, "reach", "lstm"),
            "gru": Number(-19.5, "reach", "gru"),
            "open_lstm": Number(0.5, "reach", "lstm", changes={"memory_bias": 3.0}),
            "open_gru": Number(-1.8, "reach", "gru", changes={"memory_bias": 3.0}),
        },
    ),
    Scene(
        "edge",
        right=4,
        changes={**LINEAR, "gain": 0.9},
        before={"gain": 1.0},
        knob="gain",
        ticks=(0.9, 1.0, 1.1),
        decades=(-6.0, 6.0),
        numbers={
            "low": Number(-4.53, "reach", digits=2),
            "level": Number(0.0, "reach", digits=2, changes={"gain": 1.0}),
            "high": Number(4.10, "reach", digits=2, changes={"gain": 1.1}),
        },
    ),
    Scene(
        "tanh",
        right=3,
        changes={**ORTHOGONAL, "gain": 1.3},
        before={"gain": 1.0},
        knob="gain",
        ticks=(1.0, 1.3, 2.0),
        decades=(-8.0, 8.0),
        numbers={
            "at_1": Number(-5.3, "reach", changes={"gain": 1.0}),
            "slope_1": Number(0.88, "slope", digits=2, changes={"gain": 1.0}),
            "here": Number(0.3, "reach"),
            "slope": Number(0.77, "slope", digits=2),
            "at_2": Number(6.8, "reach", changes={"gain": 2.0}),
        },
    ),
    Scene(
        "sigma",
        right=3,
        changes=RNN,
        page=SPECTRUM,
        picture="powers",
        knob="gain",
        ticks=(1.0,),
        numbers={
            "sigma": Number(1.07, "sigma_max", digits=2),
            "radius": Number(0.61, "radius", digits=2),
            "factor": Number(0.57, "factor", digits=2),
        },
    ),
    Scene(
        "input",
        right=3,
        changes={**ORTHOGONAL, "gain": 1.5, "distractor": 3.0},
        before={"distractor": 1.0},
        knob="distractor",
        ticks=(1.0, 2.0, 3.0),
        decades=(-4.0, 4.0),
        numbers={
            "sigma": Number(1.50, "sigma_max", digits=2),
            "small": Number(2.4, "reach", changes={"distractor": 1.0}),
            "large": Number(-1.9, "reach"),
            "slope_small": Number(0.71, "slope", digits=2, changes={"distractor": 1.0}),
            "slope_large": Number(0.64, "slope", digits=2),
        },
    ),
    Scene(
        "product",
        right=4,
        changes={"models": ("lstm",)},
        page=GATES,
        picture="carry",
        knob="memory_bias",
        ticks=(0.0, 3.0),
        numbers={
            "product": Number(0.02, "gate_product", "lstm", digits=2),
            "true": Number(15, "memory_kept", "lstm", digits=0),
            "half": Number(14, "half_life", "lstm", digits=0),
        },
    ),
    Scene(
        "clipping",
        right=3,
        changes={**CLIPPING, "clip": "norm", "clip_at": 1.0},
        page=CLIPPED,
        picture="loss",
        numbers={
            # Training is chaotic: what is said holds for other processors and seeds, too.
            "free": Number(25, "right_answers", "free", digits=0, within=20),
            "clipped": Number(100, "right_answers", "clipped", digits=0, within=5),
            "guess": Number(12.5, "guess", "clipped"),
        },
    ),
    Scene(
        "truncation",
        right=4,
        page=INFLUENCE,
        picture="influence",
        numbers={
            "true": Number(-6, "seen", "", digits=0),
            "at_20": Number(16.5, "seen", "20"),
            "at_100": Number(-6.0, "seen", "100"),
            "last_wrong": Number(40, "last_wrong", "", digits=0),
        },
    ),
    Scene(
        "weights",
        choices=0,
        guess=Guess("uniform", low=-30.0, high=5.0, step=0.1, within=2.0),
        changes=QUIET,
        before={"init": "orthogonal"},
        knob="gain",
        ticks=(1.0,),
        numbers={
            "orthogonal": Number(-0.5, "reach", changes={"init": "orthogonal"}),
            "uniform": Number(-22.1, "reach"),
            "factor": Number(0.60, "factor", digits=2),
            "gaussian": Number(0.3, "reach", changes={"init": "gaussian"}),
        },
    ),
    Scene(
        "flat",
        right=2,
        choices=3,
        changes={**RNN, "loss_at": "every"},
        knob="seq_len",
        ticks=(100,),
        numbers={
            "total": Number(1.2, "growth"),
            "alone": Number(-24.2, "reach", changes={"loss_at": "last"}),
        },
    ),
)

QUIZ: tuple[Question, ...] = (
    Question(
        "quiz_below",
        right=1,
        choices=3,
        changes={**ORTHOGONAL, "gain": 0.9, "distractor": 3.0},
        numbers={"reach": Number(-17.1, "reach"), "bound": Number(-4.5, "bound")},
    ),
    Question(
        "quiz_half_open",
        right=3,
        choices=3,
        changes={"models": ("lstm",), "memory_bias": 0.0},
        numbers={"reach": Number(-20.0, "reach", "lstm")},
    ),
    Question(
        "quiz_chain",
        right=3,
        choices=3,
        changes={**RNN, "init": "delay_line", "activation": "identity"},
        numbers={
            "sigma": Number(1.0, "sigma_max", digits=2),
            "reach": Number(float("-inf"), "reach"),
            "last": Number(63, "lasts", digits=0),
        },
    ),
    Question(
        "quiz_direction",
        right=2,
        choices=3,
        changes={**RNN, "seq_len": 20},
        numbers={"cosine": Number(1.0, "clipped_cosine", digits=6)},
    ),
    Question(
        "quiz_flat",
        right=3,
        choices=3,
        changes={**RNN, "loss_at": "every"},
        numbers={"alone": Number(-24.2, "reach", changes={"loss_at": "last"})},
    ),
)
LAST = len(SCENES) + 1
"""The number of the quiz; scenes are numbered from 1."""
