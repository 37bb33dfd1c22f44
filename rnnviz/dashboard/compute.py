"""The cached functions, and nothing else.

Runs are immutable, so visitors may share them. A run holds tens of megabytes: few are kept;
what is drawn from it is small: many are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from rnnviz.analysis import gates, gradients, spectra
from rnnviz.experiment import Experiment, Run, run

F = TypeVar("F", bound=Callable[..., Any])
COARSE_STEPS = 12


def _cached(max_entries: int) -> Callable[[F], F]:
    return st.cache_resource(
        max_entries=max_entries, show_spinner=False, hash_funcs={Experiment: repr}
    )


@_cached(max_entries=4)
def traces(experiment: Experiment) -> Run:
    return run(experiment)


@_cached(max_entries=64)
def flows(experiment: Experiment) -> tuple[gradients.GradientFlow, ...]:
    """One `GradientFlow` for each model."""
    scale = experiment.batch_size
    results = traces(experiment)
    return tuple(
        gradients.gradient_flow(trace.trace, label, scale) for label, trace in results.items()
    )


@_cached(max_entries=64)
def clue_steps(experiment: Experiment) -> tuple[int, ...]:
    return traces(experiment).batch.clue_steps


@_cached(max_entries=64)
def spectrum(experiment: Experiment, label: str, gate: str) -> spectra.Spectrum:
    """The spectrum of one gate's block, with ‖W^k‖^(1/k)."""
    return spectra.weight_spectra(traces(experiment)[label].trace, label, [gate])[gate]


@_cached(max_entries=64)
def edge(experiment: Experiment, label: str, gate: str) -> spectra.Spectrum:
    """The same without the powers: quick."""
    return spectra.weight_spectra(traces(experiment)[label].trace, label, [gate], [1])[gate]


@_cached(max_entries=32)
def jacobians(experiment: Experiment, label: str, coarse: bool) -> spectra.JacobianSpectrum:
    """Of every step, or of a dozen while a knob is dragged."""
    count = experiment.seq_len
    stride = max(1, count // COARSE_STEPS) if coarse else 1
    trace = traces(experiment)[label].trace
    steps = range(1, trace.seq_len + 1, stride)
    return spectra.jacobian_spectrum(trace, label, steps=steps)


@_cached(max_entries=64)
def gate_stats(experiment: Experiment, label: str) -> dict[str, gates.GateStats]:
    return gates.gate_stats(traces(experiment)[label].trace, label)


@_cached(max_entries=64)
def memories(experiment: Experiment) -> tuple[gates.Memory, ...]:
    """Half-lives of every model that has a memory gate."""
    found = (gates.memory(t.trace, label) for label, t in traces(experiment).items())
    return tuple(memory for memory in found if memory is not None)


@_cached(max_entries=32)
def carry(experiment: Experiment, label: str, coarse: bool) -> gates.CarryProduct | None:
    every = max(1, experiment.seq_len // COARSE_STEPS) if coarse else 1
    return gates.carry_product(traces(experiment)[label].trace, label, every=every)
