"""The popular sentences put to the test: which results each has so far, and how they are made."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.rates import whole_slope
from rnnviz.claims.clipping import ClippedRun, entry_limit, time_profile
from rnnviz.claims.growth import STEPS, Draw, draw
from rnnviz.claims.highway import carry_draw
from rnnviz.claims.reduction import reduction
from rnnviz.claims.stability import CORRELATIONS, LAMBDAS, sensitivity
from rnnviz.claims.truncation import WINDOWS, Agreement, agreement, cosine
from rnnviz.core.network import run_network
from rnnviz.core.truncation import truncated_backward
from rnnviz.experiment import Experiment, Model, Run, estimate, run
from rnnviz.experiment.presets import PRESETS
from rnnviz.experiment.runs import batches_of, options_of, start
from rnnviz.training.optimizers import clip_by_value, global_norm
from rnnviz.training.trainer import Step, take_step

Array = np.ndarray

UPDATES = 30
LIMIT = 1.0
MOST_SECONDS = 0.5
"""Estimated, of a run of the visitor's models: above it they are not measured."""
SHARED: dict[str, Any] = {
    "models": ("rnn",),
    "seq_len": 30,
    "batch_size": 8,
    "distractor": 0.3,
    "optimizer": "sgd",
    "learning_rate": 0.5,
    "clip_at": LIMIT,
}
CASES: dict[str, dict[str, Any]] = {
    "exploding": {"init": "orthogonal", "gain": 2.0},
    "vanishing": {"init": "uniform", "gain": 1.0},
}
"""An RNN that learns delayed recall over 30 steps by SGD, from two kinds of initial weights."""
Clock = Callable[[], float]
Results = tuple[Any, ...]


def case_of(number: int) -> str:
    """Runs 0, 2, 4 explode, 1, 3, 5 vanish, and so on."""
    return list(CASES)[number % len(CASES)]


def set_up(seed: int, hidden_size: int, number: int) -> Experiment:
    """The clipped run `number` of a seed; two in a row share theirs."""
    own = seed * 1000 + number // len(CASES)
    case = CASES[case_of(number)]
    return Experiment(hidden_size=hidden_size, seed=own, clip="norm", **SHARED, **case)


def clipped_run(seed: int, hidden_size: int, number: int) -> ClippedRun:
    """Train with clipping by norm, and without; compare every gradient before and after."""
    experiment = set_up(seed, hidden_size, number)
    steps = list(_updates(experiment))
    free = [step.trace.loss for step in _updates(replace(experiment, clip="none"))]
    before = np.array([global_norm(s.trace.grads) for s in steps])
    after = np.array([global_norm(s.applied) for s in steps])
    most = int(np.argmax(before))
    trace, scale = steps[most].trace.trace, after[most] / before[most]
    return ClippedRun(
        number=number,
        case=case_of(number),
        limit=LIMIT,
        before=before,
        after=after,
        cosine=np.array([cosine(s.applied, s.trace.grads) for s in steps]),
        by_value=np.array([_by_value(s) for s in steps]),
        profile_before=time_profile(trace),
        profile_after=time_profile(trace, float(scale)),
        loss=np.array([s.trace.loss for s in steps]),
        loss_free=np.array(free),
    )


def _updates(experiment: Experiment) -> Iterator[Step]:
    """The first updates; fewer if something is not finite."""
    ((network, state),) = start(experiment).values()
    batch_of, options = batches_of(experiment), options_of(experiment)
    for number in range(UPDATES):
        step = take_step(network, state, batch_of(number), options)
        if step.event:
            return
        yield step
        state = step.after


def _by_value(step: Step) -> float:
    """The cosine that clipping entry by entry, to no more than the same length, would leave."""
    grads = step.trace.grads
    return cosine(clip_by_value(grads, entry_limit(LIMIT, grads)), grads)


def not_measured(experiment: Experiment, label: str) -> Agreement:
    """In place of the agreement of a network that would take too long."""
    kind, windows = label.partition(":")[0], np.array(WINDOWS)
    return Agreement(-1, kind, experiment.loss_at, windows, windows * np.nan, np.nan, label)


def own_agreement(run: Run, label: str) -> Agreement:
    """A visitor's own model: its gradient truncated after `WINDOWS` steps against the full one."""
    full, cosines = run[label], []
    for window in WINDOWS:
        cut = partial(truncated_backward, window=window)
        truncated = run_network(full.network, full.params, run.batch, cut)
        cosines.append(cosine(truncated.grads, full.grads))
    slope = whole_slope(state_curve(full.trace))
    growth = np.nan if slope is None else slope.decades_per_step
    kind, experiment = label.partition(":")[0], run.experiment
    loss_at = "last" if experiment is None else experiment.loss_at
    return Agreement(-1, kind, loss_at, np.array(WINDOWS), np.array(cosines), growth, label)


RNN = (Model("rnn"),)
OPENS: dict[str, tuple[str, Experiment]] = {
    "nilpotent": (
        "gradient-flow",
        Experiment(
            models=RNN,
            init="delay_line",
            hidden_size=2,
            gain=10.0,
            activation="identity",
            seq_len=10,
            distractor=0.0,
        ),
    ),
    "gaussian": (
        "spectrum",
        Experiment(
            models=RNN,
            init="gaussian",
            hidden_size=200,
            gain=0.6,
            activation="identity",
            seq_len=50,
            distractor=0.0,
        ),
    ),
    "saturated": ("gradient-flow", PRESETS["all_twos"].experiment()),
}
"""Counterexample -> the page that shows it best, and its experiment. The fourth has weights and
biases of its own, which no experiment has."""


def experiment_of_draw(draw: Draw) -> Experiment:
    """The experiment that a draw was: the same weights, and the same first sequence."""
    return Experiment(
        models=RNN,
        seq_len=STEPS,
        hidden_size=draw.hidden_size,
        init=draw.init,
        gain=draw.gain,
        activation=draw.activation,
        distractor=draw.input_scale,
        seed=draw.network_seed,
    )


@dataclass(frozen=True)
class Asked:
    """What a visitor wants measured: another seed redraws everything. experiment: whose networks
    are measured too."""

    seed: int
    hidden_size: int
    experiment: Experiment


@dataclass(frozen=True)
class Claim:
    """How a sentence is put to the test. count: of random draws; measure(seed, H, k): result k.
    unit: what one result is, in the plural. own: whether the visitor's networks are measured too,
    after the draws."""

    count: int
    measure: Callable[[int, int, int], Any]
    own: bool = False
    unit: str = "draws"

    def key(self, asked: Asked) -> Hashable:
        """What its results depend on."""
        return asked.seed, asked.hidden_size, repr(asked.experiment) if self.own else ""


CLAIMS: dict[str, Claim] = {
    "sigma": Claim(300, draw),
    "reduction": Claim(40, reduction),
    "highway": Claim(80, carry_draw),
    "clipping": Claim(12, clipped_run, unit="runs"),
    "truncation": Claim(80, agreement, own=True),
    "stability": Claim(
        len(LAMBDAS) * len(CORRELATIONS), lambda seed, _, k: sensitivity(seed, k), unit="units"
    ),
}
"""In the order of the page; the sentences are in `rnnviz.wording.claims`."""


@dataclass(frozen=True, eq=False)
class Claims:
    """What is measured of every claim, in the order of its numbers. first: the claim that comes
    before the others."""

    asked: Asked
    first: str = next(iter(CLAIMS))
    results: dict[str, Results] = field(default_factory=lambda: dict.fromkeys(CLAIMS, ()))

    def total(self, name: str) -> int:
        """Results that a claim will have."""
        return CLAIMS[name].count + CLAIMS[name].own * len(self.asked.experiment.models)

    def is_finished(self, name: str) -> bool:
        return len(self.results[name]) >= self.total(name)

    @property
    def finished(self) -> bool:
        return not self.current

    @property
    def current(self) -> str:
        """The claim that is being measured; "" if all are."""
        order = [self.first, *(name for name in CLAIMS if name != self.first)]
        return next((name for name in order if not self.is_finished(name)), "")


def follow(now: Claims | None, asked: Asked, first: str) -> Claims:
    """What was measured for these settings, and nothing yet of what was not; `first` comes
    first."""
    if now is None:
        return Claims(asked, first)
    if (now.asked, now.first) == (asked, first):
        return now
    same = {name: claim.key(now.asked) == claim.key(asked) for name, claim in CLAIMS.items()}
    return Claims(asked, first, {name: now.results[name] if same[name] else () for name in CLAIMS})


Measure = Callable[[Asked, str, int], Any]


def measure(asked: Asked, name: str, number: int) -> Any:
    """Result `number` of a claim: of a random draw, then of the visitor's own networks."""
    claim = CLAIMS[name]
    if number < claim.count:
        return drawn(name, asked.seed, asked.hidden_size, number)
    experiment, label = asked.experiment, own_label(asked, name, number)
    if estimate(experiment).seconds > MOST_SECONDS:
        return not_measured(experiment, label)
    return own_agreement(run(experiment), label)


def drawn(name: str, seed: int, hidden_size: int, number: int) -> Any:
    """Result `number` of a claim, of a random draw."""
    return CLAIMS[name].measure(seed, hidden_size, number)


def own_label(asked: Asked, name: str, number: int) -> str:
    """Which of the visitor's networks a result is of; "" for a draw."""
    own = number - CLAIMS[name].count
    return str(asked.experiment.models[own]) if own >= 0 else ""


def advance(
    claims: Claims, seconds: float, measure: Measure = measure, clock: Clock = time.perf_counter
) -> tuple[Claims, Results]:
    """Measure one claim until the time is up or it is finished; at least one result, if any is
    missing."""
    end, name, found = clock() + seconds, claims.current, list[Any]()
    if not name:
        return claims, ()
    known = claims.results[name]
    while len(known) + len(found) < claims.total(name):
        found.append(measure(claims.asked, name, len(known) + len(found)))
        if clock() >= end:
            break
    return replace(claims, results={**claims.results, name: (*known, *found)}), tuple(found)
