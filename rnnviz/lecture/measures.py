"""What a reveal's numbers are read off: each measure has a name and reads a page's view, or the
lesson of the Train page, that its scene shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis.courses import Course
from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.step_factors import step_factors
from rnnviz.claims.influence import EXACT, influence_curve
from rnnviz.claims.truncation import cosine
from rnnviz.experiment import Experiment, Run, plan, run
from rnnviz.experiment.lessons import LESSONS
from rnnviz.jobs.training import Training, advance, begin
from rnnviz.lecture.scenes import Number, Question
from rnnviz.training.optimizers import clip_by_norm
from rnnviz.views import gates, gradient_flow, spectrum

LONG = 3600.0
"""Seconds that nobody waits for: a lesson is trained to its end."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """The clipping lesson when both of its runs have come to its goal."""

    free: Training
    clipped: Training

    def course(self, which: str) -> Course:
        """What was recorded of the run that is `free` or `clipped`."""
        (found,) = getattr(self, which).courses()
        return found


def trained(seed: int = 0) -> Lesson:
    """Train the clipping lesson: both runs to its goal, about a thousand training steps."""
    lesson = LESSONS["clipping"]
    runs = [
        begin(plan(lesson.experiment(seed, first)), goal=lesson.goal) for first in (True, False)
    ]
    free, clipped = (advance(each, LONG)[0] for each in runs)
    return Lesson(free, clipped)


@dataclass(eq=False)
class Bench:
    """Where measures run what they read: the last run, and the lesson once it is trained."""

    last: Run | None = None
    lesson: Lesson | None = None

    def run(self, experiment: Experiment) -> Run:
        """The run of an experiment."""
        if self.last is None or self.last.experiment != experiment:
            self.last = run(experiment)
        return self.last

    def trained(self) -> Lesson:
        """The clipping lesson at its goal."""
        self.lesson = self.lesson or trained()
        return self.lesson


Measure = Callable[[Bench, Experiment, str], float]
"""Of a bench, an experiment, and which model, window or run of it."""


def measured(bench: Bench, question: Question, number: Number) -> float:
    """What a run says of a number."""
    experiment = replace(question.experiment, **number.changes)
    return MEASURES[number.measure](bench, experiment, number.of)


def _flow(bench: Bench, experiment: Experiment, label: str) -> GradientFlow:
    flows = gradient_flow.view(bench.run(experiment)).flows
    return next(flow for flow in flows if flow.label == label)


def _reach(bench: Bench, experiment: Experiment, label: str) -> float:
    """log10 of what reaches step 1: the number at the end of the curve."""
    return float(_flow(bench, experiment, label).reach_log10)


def _lasts(bench: Bench, experiment: Experiment, label: str) -> float:
    """The most steps back at which something of the error is left."""
    left = np.isfinite(_flow(bench, experiment, label).state.log10[::-1])
    return float(np.flatnonzero(left)[-1])


def _growth(bench: Bench, experiment: Experiment, label: str) -> float:
    return 10.0 ** _reach(bench, experiment, label)


def _percent(bench: Bench, experiment: Experiment, label: str) -> float:
    return 100 * _growth(bench, experiment, label)


def _factor(bench: Bench, experiment: Experiment, label: str) -> float:
    """What a step back multiplies the gradient by, in the mean."""
    rate = _flow(bench, experiment, label).rate
    assert rate is not None
    return float(10.0**rate.decades_per_step)


def _slope(bench: Bench, experiment: Experiment, label: str) -> float:
    """What the nonlinearity leaves in a step back, in the mean."""
    trace = bench.run(experiment)[label].layers[0][0]
    return float(10.0 ** step_factors(trace, label).mean("slope"))


def _bound(bench: Bench, experiment: Experiment, label: str) -> float:
    """log10 of the most that σ_max lets reach step 1, where slopes are at most 1."""
    return (experiment.seq_len - 1) * float(np.log10(_sigma_max(bench, experiment, label)))


def _sigma_max(bench: Bench, experiment: Experiment, label: str) -> float:
    return float(_spectrum(bench, experiment, label).spectrum.sigma_max)


def _radius(bench: Bench, experiment: Experiment, label: str) -> float:
    return float(_spectrum(bench, experiment, label).spectrum.spectral_radius)


def _spectrum(bench: Bench, experiment: Experiment, label: str) -> spectrum.View:
    return spectrum.view(bench.run(experiment), spectrum.Choices(model=label))


def _gate_product(bench: Bench, experiment: Experiment, label: str) -> float:
    """Π f of the first sequence's best unit: the left end of the dashed curve."""
    carry = _gates(bench, experiment, label).carry
    assert carry is not None
    return float(10.0 ** carry.product.log10[0])


def _memory_kept(bench: Bench, experiment: Experiment, label: str) -> float:
    """‖∂c_T/∂c_0‖₂ of the first sequence: the left end of the solid curve."""
    carry = _gates(bench, experiment, label).carry
    assert carry is not None
    return float(10.0 ** carry.true.log10[0])


def _half_life(bench: Bench, experiment: Experiment, label: str) -> float:
    memory = _gates(bench, experiment, label).memory
    assert memory is not None
    return memory.median


def _gates(bench: Bench, experiment: Experiment, label: str) -> gates.View:
    return gates.view(bench.run(experiment), gates.Choices(model=label))


def _right_answers(bench: Bench, _: Experiment, which: str) -> float:
    """Per cent of the last 30 recorded batches."""
    return float(100 * bench.trained().course(which).curves.metric[-30:].mean())


def _guess(_: Bench, experiment: Experiment, __: str) -> float:
    """Per cent of right answers of one who guesses among all symbols."""
    return 100.0 / plan(experiment).networks["rnn"].output_size


def _seen(_: Bench, __: Experiment, window: str) -> float:
    """The slope that a window sees; the exact one for none."""
    return float(influence_curve().slope[int(window) - 1]) if window else EXACT


def _last_wrong(_: Bench, __: Experiment, ___: str) -> float:
    return float(influence_curve().last_wrong)


def _clipped_cosine(bench: Bench, experiment: Experiment, label: str) -> float:
    """Between the gradient of all parameters and the same clipped to half of its norm."""
    grads = bench.run(experiment)[label].grads
    half = 0.5 * float(np.sqrt(sum(float((g * g).sum()) for g in grads.values())))
    return cosine(clip_by_norm(grads, half), grads)


MEASURES: dict[str, Measure] = {
    "reach": _reach,
    "lasts": _lasts,
    "growth": _growth,
    "percent": _percent,
    "factor": _factor,
    "slope": _slope,
    "bound": _bound,
    "sigma_max": _sigma_max,
    "radius": _radius,
    "gate_product": _gate_product,
    "memory_kept": _memory_kept,
    "half_life": _half_life,
    "right_answers": _right_answers,
    "guess": _guess,
    "seen": _seen,
    "last_wrong": _last_wrong,
    "clipped_cosine": _clipped_cosine,
}
