"""Training as a generator: pure state in, (state, record) out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnnviz.core import checks
from rnnviz.core.bptt import Tell, backward
from rnnviz.core.layers import Backward
from rnnviz.core.network import Examples, Network, NetworkTrace, run_network
from rnnviz.core.numerics import Array
from rnnviz.core.truncation import truncated_backward
from rnnviz.training.events import bad, bad_forward
from rnnviz.training.optimizers import CLIPS, OPTIMIZERS, global_norm
from rnnviz.training.records import (
    StepRecord,
    TrainState,
    loss_per_answer,
    metric,
    rms_state_log10,
    watched_spectrum,
)

MakeBatch = Callable[[int], Examples]
SPECTRA_EVERY = 8
"""Training steps between two recorded spectra of W_hh: eigenvalues cost a tenth of a step."""


@dataclass(frozen=True)
class TrainOptions:
    """How a network is trained.

    optimizer is a name in `OPTIMIZERS`, clip in `CLIPS`; clip_at is the limit.
    window: how many steps back the losses are sent at most (truncated backpropagation), every
    `stride` steps; 0 is the whole sequence. stride 0 means: as long as the window.
    Raises ValueError naming the field, what came and what is allowed.

    Examples
    --------
    >>> TrainOptions("sgd", learning_rate=0.1)
    TrainOptions(optimizer='sgd', learning_rate=0.1, clip='none', clip_at=1.0, window=0, stride=0)
    >>> TrainOptions("sgd", learning_rate=-1)
    Traceback (most recent call last):
        ...
    ValueError: learning_rate must be a finite number from 0, got -1
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    clip: str = "none"
    clip_at: float = 1.0
    window: int = 0
    stride: int = 0

    def __post_init__(self) -> None:
        checks.choice("optimizer", self.optimizer, OPTIMIZERS)
        checks.number("learning_rate", self.learning_rate, 0)
        checks.choice("clip", self.clip, CLIPS)
        checks.number("clip_at", self.clip_at, checks.ABOVE_0)
        checks.size("window", self.window, 0)
        checks.size("stride", self.stride, 0)


@dataclass(frozen=True, eq=False)
class Step:
    """One update. grads: those of the trace, 0 for parameters that are fixed. `after` is the state
    before it if `event` names something not finite."""

    trace: NetworkTrace
    grads: Mapping[str, Array]
    applied: Mapping[str, Array]
    after: TrainState
    event: str = ""


def train(
    network: Network,
    state: TrainState,
    make_batch: MakeBatch,
    options: TrainOptions,
    spectra_every: int = SPECTRA_EVERY,
    fixed: Collection[str] = (),
) -> Iterator[tuple[TrainState, StepRecord]]:
    """Train from `state` on, without end: the state after each step, and the step's record.

    Step n takes make_batch(n). Going on from any state that was yielded gives the same bits as
    not having stopped. The first step in which anything is not finite is the last one: its
    record names it and its state is the one before it, so what is kept is always finite.
    Spectra are recorded at steps that `spectra_every` divides. fixed: names of parameters that stay
    what they are: their gradients are taken to be 0.
    Raises ValueError for parameters or batches that do not fit the network.

    Examples
    --------
    >>> for _, (reached, record) in zip(range(3), train(network, state, planned.batch_at, options)):
    ...     print(reached.step, record.step)
    1 0
    2 1
    3 2
    """
    checks.size("spectra_every", spectra_every)
    while True:
        batch = make_batch(state.step)
        step = take_step(network, state, batch, options, fixed=fixed)
        record = _record(state, batch, step, state.step % spectra_every == 0)
        state = step.after
        del step, batch  # no trace stays in memory between two steps
        yield state, record
        if record.event:
            return


def advance(
    network: Network,
    state: TrainState,
    make_batch: MakeBatch,
    options: TrainOptions,
    steps: int,
    tell: Tell | None = None,
) -> TrainState:
    """The state that `train` reaches at step `steps`, to the bit, without its records; the last
    finite one if it does not get there. Raises ValueError for a step before `state.step`.

    Examples
    --------
    >>> advance(network, state, planned.batch_at, options, 5).step
    5
    """
    checks.size("steps", steps, state.step)
    event = ""
    while state.step < steps and not event:
        step = take_step(network, state, make_batch(state.step), options, tell)
        state, event = step.after, step.event
        del step  # its trace is never in memory beside another
    return state


def take_step(
    network: Network,
    state: TrainState,
    batch: Examples,
    options: TrainOptions,
    tell: Tell | None = None,
    fixed: Collection[str] = (),
) -> Step:
    """Gradients of one batch, clipped, and the optimizer's step with them. fixed: the parameters
    that it does not change."""
    with np.errstate(all="ignore"):
        trace = run_network(network, state.params, batch, _backward(options, tell), tell)
        grads = {n: np.zeros_like(g) if n in fixed else g for n, g in trace.grads.items()}
        event = bad_forward(trace, batch, state.step == 0) or bad("∂L/∂({})", grads)
        if event:
            return Step(trace, grads, grads, state, event)
        applied = CLIPS[options.clip](grads, options.clip_at)
        params, moments = OPTIMIZERS[options.optimizer](
            trace.params, applied, state.moments, options.learning_rate
        )
        event = bad("{} of the optimizer", moments) or bad("{} after the update", params)
    after = state if event else TrainState(state.step + 1, params, moments)
    return Step(trace, grads, applied, after, event)


def _backward(options: TrainOptions, tell: Tell | None) -> Backward:
    """The whole way back through time, or as far as the window reaches."""
    if not options.window:
        return partial(backward, tell=tell)
    return partial(truncated_backward, window=options.window, stride=options.stride, tell=tell)


def _record(state: TrainState, batch: Examples, step: Step, spectra: bool) -> StepRecord:
    before, after = global_norm(step.grads), global_norm(step.applied)
    sigma, radius = watched_spectrum(step.trace) if spectra else (None, None)
    return StepRecord(
        step=state.step,
        loss=step.trace.loss,
        loss_per_answer=loss_per_answer(batch, step.trace.loss),
        metric=metric(batch, step.trace.y),
        log10_state=rms_state_log10(step.trace),
        norm_before=before,
        norm_after=after,
        clipped=after < before,
        update_ratio=_update_ratio(step),
        singular_values=sigma,
        spectral_radius=radius,
        event=step.event,
    )


def _update_ratio(step: Step) -> float:
    """‖θ_new − θ‖ / ‖θ‖; NaN without an update or of parameters that are all zero."""
    size = global_norm(step.trace.params)
    if step.event or not size:
        return float("nan")
    changes = {name: step.after.params[name] - p for name, p in step.trace.params.items()}
    return global_norm(changes) / size
