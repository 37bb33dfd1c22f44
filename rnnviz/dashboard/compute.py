"""What the pages ask for, made once for all visitors: runs, views, and what is measured of runs;
what it would take, and whether there is room for it.

Runs are immutable, so visitors may share them. A run holds up to hundreds of megabytes: as many
are kept as `memory` has room for. What is drawn from it is small (a number for each step, unit or
singular value, never for each sequence too): many are kept, by their bytes or by their count.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import streamlit as st

from rnnviz.analysis.layers import LayerTrace
from rnnviz.analysis.seed_bands import SeedCurve
from rnnviz.analysis.selfcheck import checks as trusting
from rnnviz.analysis.spectra import JacobianSpectrum
from rnnviz.core.bptt import Tell
from rnnviz.core.cost import Speed, measure_speed
from rnnviz.dashboard import jobs, lending
from rnnviz.dashboard.cached import cached
from rnnviz.dashboard.memory import Memory, ceiling
from rnnviz.dashboard.trained import still_to_do, trained_params
from rnnviz.experiment import FIELDS, Experiment, Plan, Run, check_size, run_plan
from rnnviz.experiment import plan as make_plan
from rnnviz.experiment.plan import MAX_BYTES
from rnnviz.jobs import claims, phase
from rnnviz.lecture.measures import Lesson, trained
from rnnviz.sweep import Result, cost_of
from rnnviz.views import (
    answers,
    baselines,
    fixed_points,
    gates,
    gradient_flow,
    layer_choice,
    seeds,
    spectrum,
    states,
)
from rnnviz.views.picture import batch_note, idle_note
from rnnviz.wording.lists import sentences
from rnnviz.wording.texts import language, say

SEEDS_SECONDS = 1.0
"""Of all other seeds together that are drawn beside the one that is shown."""
CHECKS_BYTES, OBJECTS_BYTES, VIEW_BYTES, VIEWS_BYTES = 4096, 10_000, 1 << 20, 48 << 20
"""Of a run's quick checks; of what is kept, with its key, beside its numbers; of a view whose size
is not known; of all that pages say, some hundreds of views and thousands of points."""
SHORT = 0.05
"""Seconds of estimated run that nobody need be able to end on its way."""


@st.cache_resource(show_spinner=False)
def memory() -> Memory:
    """That of the whole server: one object, made at its start."""
    return Memory(ceiling())


@st.cache_resource(show_spinner=False)
def views() -> Memory:
    """What pages say, for all visitors: it outlives the large runs."""
    return Memory(VIEWS_BYTES)


@st.cache_resource(show_spinner=False)
def speed() -> Speed:
    """How fast this machine is, measured once."""
    return measure_speed()


def refusal(experiment: Experiment) -> str:
    """Why this is not run here, in a sentence; "" if nothing speaks against it."""
    return check_size(
        experiment, min(MAX_BYTES, memory().ceiling), speed=speed(), cost_of=lambda e: plan(e).cost
    )


@cached(16)
def plan(experiment: Experiment) -> Plan:
    """Task, networks and cost of an experiment, and the batch that every model is given."""
    return make_plan(experiment)


@cached(64, worded=True)
def notes(experiment: Experiment) -> str:
    """What the task did to its sequences, and which settings act on none of the models."""
    both = batch_note(plan(experiment).batch), idle_note(experiment)
    return sentences(both)


class _Traces:
    """The run of an experiment, made if it is not kept. Whoever has left ends it on its way."""

    def __call__(self, experiment: Experiment) -> Run:
        planned, tell = plan(experiment), jobs.courteous()
        size, interrupted = planned.cost.bytes, tell if self.seconds(experiment) > SHORT else None
        found: Run = memory().get(experiment, lambda: _run(planned, interrupted), size,
                                  lambda made: planned.held_bytes(made.values()), tell)  # fmt: skip
        return found

    def seconds(self, experiment: Experiment) -> float:
        """Estimated, until it is there."""
        if memory().holds(experiment):
            return 0.0
        return plan(still_to_do(experiment)).cost.on(speed()).seconds

    def must_wait(self, experiment: Experiment) -> bool:
        """Whether others have to end their work before there is room for it."""
        return not (memory().holds(experiment) or memory().is_free(plan(experiment).cost.bytes))

    def clear(self) -> None:
        memory().clear()


def _run(planned: Plan, tell: Tell | None) -> Run:
    return run_plan(planned, trained_params(planned.experiment, tell), tell)


traces = _Traces()


def flow_view(
    experiment: Experiment, choices: gradient_flow.Choices, pinned: Experiment | None
) -> gradient_flow.View:
    """What Gradient flow says of an experiment, the curves of a pinned one behind it."""

    def here() -> gradient_flow.View:
        behind = None if pinned is None else traces(pinned)
        others = seeds.NO_OTHERS if choices.coarse else _other_seeds(experiment, choices)
        return gradient_flow.view(traces(experiment), choices, behind, others)

    alone = pinned is None and (choices.seeds == 1 or choices.coarse)
    return cast(gradient_flow.View, _view(here, experiment, choices, pinned, alone=alone))


def _view(
    here: Callable[[], answers.View],
    experiment: Experiment,
    choices: answers.Choices,
    pinned: Experiment | None = None,
    *,
    alone: bool = True,
) -> answers.View:
    """What is kept of an experiment, or a worker says of it, or is made `here`. alone: whether no
    other runs than this are shown."""

    def make() -> answers.View:
        return _lent(experiment, choices, alone) or here()

    found: answers.View = _kept((language(), experiment, choices, pinned), make)
    return found


def _kept(key: Hashable, make: Callable[[], Any]) -> Any:
    """What is kept by its bytes."""
    return views().get(key, make, 0, _bytes, jobs.courteous())


def _lent(experiment: Experiment, choices: answers.Choices, alone: bool) -> answers.View | None:
    """What a worker says of a run that is not kept; None where it is to be made here."""
    if not alone or memory().holds(experiment) or experiment.train_steps:
        lending.here()
        return None
    checked, tell = lending.is_checked(), jobs.courteous()
    with memory().room(plan(experiment).cost.bytes, tell):
        made = lending.lent(answers.answer, experiment, choices, language(), checked)
        if made is None:
            return None
        if checks := made.checks:
            _checks(experiment, lambda: checks)
        return made.view


def _bytes(made: object) -> int:
    """About what it takes, where all that it is of can be pickled."""
    with suppress(Exception):
        return OBJECTS_BYTES + len(pickle.dumps(made))
    return VIEW_BYTES


def _other_seeds(experiment: Experiment, choices: gradient_flow.Choices) -> seeds.OtherSeeds:
    """The next seeds' curves, where they do not take long; after the last seed comes the first."""
    count, most = choices.seeds - 1, FIELDS["seed"].high
    seconds = count * plan(experiment).cost.on(speed()).seconds
    if seconds > SEEDS_SECONDS:
        said = say("gradient_flow", "seeds_refused", count=choices.seeds,
                   seconds=f"{seconds:.1f}", most=f"{SEEDS_SECONDS:g}")  # fmt: skip
        return seeds.OtherSeeds(refusal=said)
    next_seeds = [(experiment.seed + k) % (int(most) + 1) for k in range(1, count + 1)]
    where = choices.layer, choices.direction
    return seeds.OtherSeeds(
        tuple(_seed_curves(replace(experiment, seed=seed), *where) for seed in next_seeds)
    )


@cached(256)
def _seed_curves(experiment: Experiment, layer: str, direction: str) -> dict[str, SeedCurve]:
    """Of a run that is not kept."""
    planned, tell = make_plan(experiment), jobs.courteous()
    with memory().room(planned.cost.bytes, tell):
        return seeds.seed_curves(_run(planned, tell), layer, direction)


def spectrum_view(experiment: Experiment, choices: spectrum.Choices) -> spectrum.View:
    """What Spectrum says of one model of an experiment."""
    found = _view(lambda: spectrum.view(traces(experiment), choices), experiment, choices)
    return cast(spectrum.View, found)


@cached(64, worded=True)
def fixed_points_view(experiment: Experiment, choices: fixed_points.Choices) -> fixed_points.View:
    """What the panel of fixed points says of one model of an experiment."""
    run = traces(experiment)
    with memory().room(fixed_points.cost(run, choices).bytes, jobs.courteous()):
        return fixed_points.view(run, choices)


def gates_view(experiment: Experiment, choices: gates.Choices) -> gates.View:
    """What Gates says of one model of an experiment."""
    found = _view(lambda: gates.view(traces(experiment), choices), experiment, choices)
    return cast(gates.View, found)


@cached(64, worded=True)
def states_view(experiment: Experiment, choices: states.Choices) -> states.View:
    """What Gates says of the states of one model of an experiment."""
    return states.view(traces(experiment), choices)


@st.cache_resource(show_spinner=False)
def clipping_lesson() -> Lesson:
    """The two trainings of the lecture's scene on clipping, once for all who ask."""
    return trained()


def jacobians(run: Run, part: LayerTrace) -> JacobianSpectrum:
    """Of every step of a layer that the time allows."""
    assert run.experiment is not None
    found: JacobianSpectrum = _jacobians(run.experiment, part.label, run, part)
    return found


@cached(32)
def _jacobians(
    experiment: Experiment, label: str, _run: Run, _part: LayerTrace
) -> JacobianSpectrum:
    (exact,) = seeds.true_parts([_part], layer_choice.parts_of(_run))
    return spectrum.jacobians(exact)


@cached(256)
def quick_checks(experiment: Experiment) -> tuple[trusting.Trust, ...]:
    """What a few milliseconds can check of each model's run. Asked for where the run has just been
    looked at, so that none is made for it."""
    return _checks(experiment, lambda: answers.quick_checks(traces(experiment)))


def _checks(
    experiment: Experiment, make: Callable[[], tuple[trusting.Trust, ...]]
) -> tuple[trusting.Trust, ...]:
    """Those that are kept of a run, or else what `make` makes."""
    found: tuple[trusting.Trust, ...] = memory().get(
        ("checks", experiment), make, 0, CHECKS_BYTES, jobs.courteous()
    )
    return found


@cached(64)
def trust(experiment: Experiment, label: str) -> trusting.Trust:
    """Every check of one model's run, once for all who ask. A newer value of a knob stops it."""
    run = traces(experiment)
    return trusting.trust(run[label], run.batch, label, progress=jobs.give_way)


@cached(16, worded=True)
def levels(experiment: Experiment, states: int = baselines.HIDDEN_STATES) -> baselines.Levels:
    """What the losses of a training are compared with. states: of a hidden Markov model."""
    return baselines.levels(plan(experiment), states)


def few_numbers(experiment: Experiment) -> tuple[Result, ...]:
    """A result for each model at a point of a diagram."""

    def make() -> tuple[Result, ...]:
        size = 0
        if not check_size(experiment, max_seconds=phase.MOST_SECONDS, cost_of=cost_of):
            size = cost_of(experiment).bytes
        with memory().room(size, jobs.courteous()):
            return tuple(jobs.do(phase.few_numbers, experiment, tell=jobs.courteous()))

    found: tuple[Result, ...] = _kept(("few numbers", experiment), make)
    return found


def claim_result(asked: claims.Asked, name: str, number: int) -> Any:
    """Result `number` of a claim."""
    if label := claims.own_label(asked, name, number):
        return _own_agreement(asked.experiment, label)
    of = name, asked.seed, asked.hidden_size, number
    return _kept(("drawn", *of), lambda: jobs.do(claims.drawn, *of))


@cached(100)
def _own_agreement(experiment: Experiment, label: str) -> Any:
    if traces.seconds(experiment) > claims.MOST_SECONDS:
        return claims.not_measured(experiment, label)
    return claims.own_agreement(traces(experiment), label)
