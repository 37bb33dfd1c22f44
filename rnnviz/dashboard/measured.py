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

from rnnviz.analysis import contributions, lag_spectra, lags, limits, lyapunov, pairs, precision
from rnnviz.analysis.jacobian.sequence import Progress
from rnnviz.analysis.jacobian.structured import state_size
from rnnviz.analysis.layers import LayerTrace
from rnnviz.core import Trace
from rnnviz.core.cost import Estimate
from rnnviz.core.layers import Traces
from rnnviz.dashboard import compute
from rnnviz.dashboard.cached import cached
from rnnviz.dashboard.jobs import courteous
from rnnviz.experiment import Experiment, Run
from rnnviz.views.layer_choice import parts_of
from rnnviz.views.seeds import layers_from, true_parts
from rnnviz.wording.remarks import refusal_words
from rnnviz.wording.texts import fill, texts

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
    """run(run, part of it, progress) and what it costs."""

    run: Callable[[Run, LayerTrace, Progress | None], Any]
    cost: Callable[[Run, LayerTrace], Estimate]


@dataclass(frozen=True)
class Measured:
    """The results of the labels that have one, and why the others have none."""

    found: tuple[Any, ...]
    refusals: tuple[str, ...]


def measured(what: str, run: Run, parts: Sequence[LayerTrace]) -> Measured:
    """One result for each layer of the run: "pairs", "lags", "contributions", "precision",
    "lag_spectra", "exponents" or "long_run".

    A network that comes out of the analysis with no result (too large) is named in `refusals`.
    """
    measure = MEASURES[what]
    todo = [part for part in parts if _slot(what, run, part).value is None]
    seconds = sum(_seconds(measure.cost(run, part)) for part in todo)
    found, refusals = [], []
    with _progress(seconds) as tell:
        for index, part in enumerate(parts):
            try:
                found.append(_once(what, run, part, _share(tell, index, len(parts))))
            except ValueError as refusal:
                refusals.append(refusal_words(part.label, refusal))
    return Measured(tuple(found), tuple(refusals))


def _once(what: str, run: Run, part: LayerTrace, progress: Progress | None) -> Any:
    slot, measure = _slot(what, run, part), MEASURES[what]
    with slot.lock:
        if slot.value is None:
            cost = measure.cost(run, part)
            size = 0 if limits.refusal("", cost) else cost.bytes
            with compute.memory().room(size, courteous()):
                slot.value = measure.run(run, part, progress)
        return slot.value


def _slot(what: str, run: Run, part: LayerTrace) -> _Slot:
    assert run.experiment is not None
    return (_large if what == "pairs" else _small)(what, run.experiment, part.label)


@cached(96)
def _small(what: str, experiment: Experiment, label: str) -> _Slot:
    """A few numbers for each step or unit."""
    return _Slot()


@cached(12)
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
    text = fill(texts("layout")["measuring"], seconds=f"{seconds:.0f}")
    bar, drawn = place.progress(0.0, text=text), 0.0

    def tell(share: float) -> None:
        nonlocal drawn
        if share - drawn >= 0.02:
            drawn = share
            bar.progress(min(share, 1.0), text=text)

    yield tell
    place.empty()


def _share(tell: Progress | None, index: int, count: int) -> Progress | None:
    """The share of one model of several."""
    return None if tell is None else lambda share: tell((index + share) / count)


def pair_sequences(run: Run) -> int:
    """How many sequences the pair matrices are of: all, where that takes no model long."""
    size, traces = run.batch.batch_size, [network.trace for network in run.values()]
    longest = max(_pairs_of(trace, size).seconds for trace in traces)
    return max(1, min(size, int(PAIR_SECONDS / max(longest, 1e-9) * size)))


def _true(run: Run, part: LayerTrace) -> Trace:
    """Of the layer with the derivatives of its pre-activations, as the page's curves."""
    (true,) = true_parts([part], parts_of(run))
    return true.trace


def _pairs(run: Run, part: LayerTrace, progress: Progress | None) -> pairs.PairMatrix:
    """Of each sequence's own loss, as the page's other curves."""
    chosen, size = range(pair_sequences(run)), float(run.batch.batch_size)
    return pairs.pair_matrix(_true(run, part), part.label, chosen, size, progress)


def _pairs_of(trace: Trace, sequences: int) -> Estimate:
    losses = int(trace.enters.any(axis=1).sum())
    return limits.pairs_cost(trace.cell, trace.seq_len, losses, sequences)


def _pairs_cost(run: Run, part: LayerTrace) -> Estimate:
    return _pairs_of(part.trace, pair_sequences(run))


def _lags(run: Run, part: LayerTrace, progress: Progress | None) -> lags.LagProfile:
    return lags.lag_profile(_true(run, part), part.label, progress=progress)


def _lags_cost(run: Run, part: LayerTrace) -> Estimate:
    trace = part.trace
    return limits.lags_cost(trace.cell, trace.steps_of(0), trace.batch_size)


def _contributions(
    run: Run, part: LayerTrace, progress: Progress | None
) -> contributions.Contributions:
    return contributions.weight_contributions(_true(run, part), part.label, progress)


def _contributions_cost(run: Run, part: LayerTrace) -> Estimate:
    trace = part.trace
    return limits.contributions_cost(trace.cell, trace.seq_len, trace.batch_size)


def _precision(run: Run, part: LayerTrace, progress: Progress | None) -> precision.Precision:
    return precision.precision(part.trace, part.label, _from(run, part))


def _from(run: Run, part: LayerTrace) -> Traces:
    """The layer and all above it."""
    return layers_from(parts_of(run)[part.model], part.layer)


def _precision_cost(run: Run, part: LayerTrace) -> Estimate:
    trace, traces = part.trace, sum(map(len, _from(run, part)))
    return limits.precision_cost(trace.cell, trace.seq_len, trace.batch_size, traces)


def _lag_spectra(run: Run, part: LayerTrace, progress: Progress | None) -> lag_spectra.LagSpectrum:
    return lag_spectra.lag_spectrum(_true(run, part), part.label, progress=progress)


def _lag_spectra_cost(run: Run, part: LayerTrace) -> Estimate:
    steps = part.trace.steps_of(0)
    return limits.lag_spectra_cost(part.trace.cell, steps, min(steps, lag_spectra.MOST_LAGS))


def _exponents(run: Run, part: LayerTrace, progress: Progress | None) -> lyapunov.LyapunovSpectrum:
    count, true = _count(part.trace, part.trace.steps_of(0)), _true(run, part)
    return lyapunov.lyapunov_spectrum(true, part.label, count=count, progress=progress)


def _exponents_cost(run: Run, part: LayerTrace) -> Estimate:
    trace = part.trace
    steps = trace.steps_of(0)
    return limits.exponents_cost(trace.cell, steps, trace.batch_size, _count(trace, steps))


def _count(trace: Trace, steps: int) -> int:
    """All exponents; the largest ones where all of them would take too long."""
    every = state_size(trace.cell)
    cost = limits.spectrum_cost(trace.cell, steps, every)
    return min(every, LARGEST) if limits.refusal("", cost) else every


def _long_run(run: Run, part: LayerTrace, progress: Progress | None) -> lyapunov.LyapunovSpectrum:
    """Driven by the run's own sequences, one after another, again and again."""
    trace, last = part.trace, None
    count = _count(trace, LONG_RUN + DISCARD)
    inputs = np.concatenate([trace.x[: trace.steps_of(b), :, b] for b in range(trace.batch_size)])
    params = {name: value.astype(np.float64) for name, value in trace.params.items()}

    def drive(start: int, stop: int) -> Array:
        return inputs[np.arange(start, stop) % len(inputs), :, None].astype(np.float64)

    for last in lyapunov.long_run(trace.cell, params, LONG_RUN, part.label, drive=drive,
                                  discard=DISCARD, count=count):  # fmt: skip
        if progress is not None:
            progress(last.steps / LONG_RUN)
    assert last is not None
    return last


def _long_run_cost(run: Run, part: LayerTrace) -> Estimate:
    once = limits.spectrum_cost(
        part.trace.cell, lyapunov.BLOCK, _count(part.trace, LONG_RUN + DISCARD)
    )
    return once.times((LONG_RUN + DISCARD) / lyapunov.BLOCK)


MEASURES = {
    "pairs": Measure(_pairs, _pairs_cost),
    "lags": Measure(_lags, _lags_cost),
    "contributions": Measure(_contributions, _contributions_cost),
    "precision": Measure(_precision, _precision_cost),
    "lag_spectra": Measure(_lag_spectra, _lag_spectra_cost),
    "exponents": Measure(_exponents, _exponents_cost),
    "long_run": Measure(_long_run, _long_run_cost),
}
