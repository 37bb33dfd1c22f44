"""What is measured below the fold: small results of work that may take seconds, kept for all
visitors. A result is computed when it is first asked for, with a progress bar if it will take a
while; what would take too long is refused with its estimate.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.analysis import contributions, lags, limits, lyapunov, pairs
from rnnviz.analysis.factored import state_size
from rnnviz.analysis.linear import Progress
from rnnviz.core import Trace
from rnnviz.core.cost import Estimate
from rnnviz.dashboard import compute
from rnnviz.dashboard.jobs import courteous
from rnnviz.experiment import Experiment
from rnnviz.wording.names import display_name

Array = np.ndarray

SOON = 1.0
"""Seconds of estimated work that need no progress bar."""
PAIR_SECONDS = 0.4
"""Of the pair matrix of one model: more sequences are left out."""
LONG_RUN = 2000
"""Steps of the long run."""
DISCARD = 200
LARGEST = 16
"""Exponents where all of them would take too long."""


@dataclass(eq=False)
class _Slot:
    """A result that may still have to be computed."""

    value: Any = None
    lock: Any = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Measure:
    """run(experiment, label, progress) and what it costs."""

    run: Callable[[Experiment, str, Progress | None], Any]
    cost: Callable[[Experiment, str], Estimate]


@dataclass(frozen=True)
class Measured:
    """The results of the labels that have one, and why the others have none."""

    found: tuple[Any, ...]
    refusals: tuple[str, ...]


def measured(what: str, experiment: Experiment, labels: Sequence[str]) -> Measured:
    """One result for each label: "pairs", "lags", "contributions", "exponents" or "long_run".

    A network that comes out of the analysis with no result (too large) is named in `refusals`.
    """
    measure = MEASURES[what]
    todo = [label for label in labels if _slot(what, experiment, label).value is None]
    seconds = sum(_seconds(measure.cost(experiment, label)) for label in todo)
    found, refusals = [], []
    with _progress(seconds) as tell:
        for index, label in enumerate(labels):
            try:
                found.append(_once(what, experiment, label, _part(tell, index, len(labels))))
            except ValueError as refusal:
                refusals.append(f"{display_name(label)}: {refusal}")
    return Measured(tuple(found), tuple(refusals))


def _once(what: str, experiment: Experiment, label: str, progress: Progress | None) -> Any:
    slot = _slot(what, experiment, label)
    measure = MEASURES[what]
    with slot.lock:
        if slot.value is None:
            cost = measure.cost(experiment, label)
            size = 0 if limits.refusal("", cost) else cost.bytes
            with compute.memory().room(size, courteous()):
                slot.value = measure.run(experiment, label, progress)
        return slot.value


def _slot(what: str, experiment: Experiment, label: str) -> _Slot:
    return (_large if what == "pairs" else _small)(what, experiment, label)


@st.cache_resource(max_entries=96, show_spinner=False, hash_funcs={Experiment: repr})
def _small(what: str, experiment: Experiment, label: str) -> _Slot:
    """A few numbers for each step or unit."""
    return _Slot()


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs={Experiment: repr})
def _large(what: str, experiment: Experiment, label: str) -> _Slot:
    """Up to 20 MB each."""
    return _Slot()


def _seconds(cost: Estimate) -> float:
    """On this machine; what is refused takes no time."""
    return 0.0 if limits.refusal("", cost) else cost.on(compute.speed()).seconds


@contextmanager
def _progress(seconds: float) -> Iterator[Progress | None]:
    """A bar, where it will take a while; whom it is told of may be stopped by the next knob."""
    if seconds < SOON:
        yield None
        return
    place = st.empty()
    text = f"Measuring, about {seconds:.0f} s …"
    bar, drawn = place.progress(0.0, text=text), 0.0

    def tell(share: float) -> None:
        nonlocal drawn
        if share - drawn >= 0.02:
            drawn = share
            bar.progress(min(share, 1.0), text=text)

    yield tell
    place.empty()


def _part(tell: Progress | None, index: int, count: int) -> Progress | None:
    """The share of one model of several."""
    return None if tell is None else lambda share: tell((index + share) / count)


def pair_sequences(experiment: Experiment) -> int:
    """How many sequences the pair matrices are of: all, where that takes no model long."""
    traces = [_trace(experiment, str(model)) for model in experiment.models]
    longest = max(_pairs_of(trace, experiment.batch_size).seconds for trace in traces)
    share = PAIR_SECONDS / max(longest, 1e-9)
    return max(1, min(experiment.batch_size, int(share * experiment.batch_size)))


def _pairs(experiment: Experiment, label: str, progress: Progress | None) -> pairs.PairMatrix:
    """Of each sequence's own loss, as the page's other curves."""
    trace, chosen = _trace(experiment, label), range(pair_sequences(experiment))
    return pairs.pair_matrix(trace, label, chosen, float(experiment.batch_size), progress)


def _pairs_of(trace: Trace, sequences: int) -> Estimate:
    losses = int(trace.d_h_direct.any(axis=(1, 2)).sum())
    return limits.pairs_cost(trace.cell, trace.seq_len, losses, sequences)


def _pairs_cost(experiment: Experiment, label: str) -> Estimate:
    return _pairs_of(_trace(experiment, label), pair_sequences(experiment))


def _lags(experiment: Experiment, label: str, progress: Progress | None) -> lags.LagProfile:
    return lags.lag_profile(_trace(experiment, label), label, progress=progress)


def _lags_cost(experiment: Experiment, label: str) -> Estimate:
    trace = _trace(experiment, label)
    return limits.lags_cost(trace.cell, trace.steps_of(0), trace.batch_size)


def _contributions(
    experiment: Experiment, label: str, progress: Progress | None
) -> contributions.Contributions:
    return contributions.weight_contributions(_trace(experiment, label), label, progress)


def _contributions_cost(experiment: Experiment, label: str) -> Estimate:
    trace = _trace(experiment, label)
    return limits.contributions_cost(trace.cell, trace.seq_len, trace.batch_size)


def _exponents(
    experiment: Experiment, label: str, progress: Progress | None
) -> lyapunov.LyapunovSpectrum:
    trace = _trace(experiment, label)
    count = _count(trace, trace.steps_of(0))
    return lyapunov.lyapunov_spectrum(trace, label, count=count, progress=progress)


def _exponents_cost(experiment: Experiment, label: str) -> Estimate:
    trace = _trace(experiment, label)
    return limits.spectrum_cost(trace.cell, trace.steps_of(0), _count(trace, trace.steps_of(0)))


def _count(trace: Trace, steps: int) -> int:
    """All exponents; the largest ones where all of them would take too long."""
    every = state_size(trace.cell)
    cost = limits.spectrum_cost(trace.cell, steps, every)
    return min(every, LARGEST) if limits.refusal("", cost) else every


def _long_run(
    experiment: Experiment, label: str, progress: Progress | None
) -> lyapunov.LyapunovSpectrum:
    """Driven by the run's own sequences, one after another, again and again."""
    trace, last = _trace(experiment, label), None
    count = _count(trace, LONG_RUN + DISCARD)
    inputs = np.concatenate([trace.x[: trace.steps_of(b), :, b] for b in range(trace.batch_size)])
    params = {name: value.astype(np.float64) for name, value in trace.params.items()}

    def drive(start: int, stop: int) -> Array:
        return inputs[np.arange(start, stop) % len(inputs), :, None].astype(np.float64)

    for last in lyapunov.long_run(trace.cell, params, LONG_RUN, label, drive=drive,
                                  discard=DISCARD, count=count):  # fmt: skip
        if progress is not None:
            progress(last.steps / LONG_RUN)
    assert last is not None
    return last


def _long_run_cost(experiment: Experiment, label: str) -> Estimate:
    trace, steps = _trace(experiment, label), LONG_RUN + DISCARD
    once = limits.spectrum_cost(trace.cell, lyapunov.BLOCK, _count(trace, steps))
    return once.times(steps / lyapunov.BLOCK)


def _trace(experiment: Experiment, label: str) -> Trace:
    return compute.layer(experiment, label).trace


MEASURES = {
    "pairs": Measure(_pairs, _pairs_cost),
    "lags": Measure(_lags, _lags_cost),
    "contributions": Measure(_contributions, _contributions_cost),
    "exponents": Measure(_exponents, _exponents_cost),
    "long_run": Measure(_long_run, _long_run_cost),
}
