"""The cached functions, and nothing else.

Runs are immutable, so visitors may share them. A run holds tens of megabytes: few are kept;
what is drawn from it is small: many are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import streamlit as st

from rnnviz.analysis import gates, gradients, spectra
from rnnviz.analysis import trust as trusting
from rnnviz.analysis.carry import CarryPaths, carry_paths
from rnnviz.analysis.layers import SEPARATOR, LayerTrace, layer_traces
from rnnviz.dashboard.training import trained_params
from rnnviz.experiment import Experiment, Run, make_batch, make_task, run
from rnnviz.tasks.batch import Batch
from rnnviz.tasks.ngram import MAX_ORDER

F = TypeVar("F", bound=Callable[..., Any])
COARSE_STEPS = 12
FEW_POWERS = (1, 2, 3, 5, 8, 14, 24, 40, 50)
EXACT_HIDDEN_SIZE = 128
# Multiplications: about half a second of singular values, two of matrix products.
JACOBIAN_BUDGET = 250_000_000
CARRY_BUDGET = 10_000_000_000


def _cached(max_entries: int) -> Callable[[F], F]:
    def wrap(function: F) -> F:
        keyed: dict[str | type[Any], Callable[[Any], Any]] = {Experiment: repr}
        return cast(
            F,
            st.cache_resource(max_entries=max_entries, show_spinner=False, hash_funcs=keyed)(
                function
            ),
        )

    return wrap


@_cached(max_entries=4)
def traces(experiment: Experiment) -> Run:
    """Run the experiment; models that are trained are trained first, or taken as they come."""
    return run(experiment, trained_params(experiment))


def layers(experiment: Experiment, label: str) -> tuple[LayerTrace, ...]:
    """Every layer and direction of one model, each with a label of its own."""
    model = label.partition(SEPARATOR)[0]
    return layer_traces(traces(experiment)[model], model)


def layer(experiment: Experiment, label: str) -> LayerTrace:
    """The layer and direction that a label names; of a model's own label the first."""
    parts = layers(experiment, label)
    return next((part for part in parts if part.label == label), parts[0])


@_cached(max_entries=64)
def flows(
    experiment: Experiment, labels: tuple[str, ...] | None = None
) -> tuple[gradients.GradientFlow, ...]:
    """One `GradientFlow` for each label; for each model's first layer if none are given."""
    wanted = tuple(map(str, experiment.models)) if labels is None else labels
    return tuple(_flow(experiment, label) for label in wanted)


def _flow(experiment: Experiment, label: str) -> gradients.GradientFlow:
    """Where sequences are padded, a layer that reads from the end stays in its own order: their
    ends are at different steps of the input."""
    _, _, direction, trace = layer(experiment, label)
    turned = direction if trace.lengths is None else 0
    return gradients.gradient_flow(trace, label, experiment.batch_size, turned)


@_cached(max_entries=16)
def batch(experiment: Experiment) -> Batch:
    """What every model was given."""
    return make_batch(experiment)


@_cached(max_entries=64)
def spectrum(experiment: Experiment, label: str, gate: str, coarse: bool) -> spectra.Spectrum:
    """The spectrum of one gate's block, with ‖W^k‖^(1/k): every k to 50, or a few of them."""
    trace = layer(experiment, label).trace
    few = coarse or trace.cell.hidden_size > EXACT_HIDDEN_SIZE
    powers = FEW_POWERS if few else spectra.POWERS
    return spectra.weight_spectra(trace, label, [gate], powers)[gate]


@_cached(max_entries=64)
def stretch(experiment: Experiment, label: str, gate: str) -> spectra.Stretch:
    """What the rule of thumb goes by."""
    return spectra.stretch(layer(experiment, label).trace, gate)


@_cached(max_entries=32)
def jacobians(experiment: Experiment, label: str, coarse: bool) -> spectra.JacobianSpectrum:
    """Of every step that the time allows, or of a dozen while a knob is dragged."""
    trace = layer(experiment, label).trace
    size = trace.cell.hidden_size * (2 if trace.cell.HAS_CELL_STATE else 1)
    last = trace.steps_of(0)  # the first sequence is shown; it may be shorter than T
    count = max(2, min(last, JACOBIAN_BUDGET // size**3))
    stride = math.ceil(last / (min(count, COARSE_STEPS) if coarse else count))
    steps = range(last, 0, -stride)[::-1]
    return spectra.jacobian_spectrum(trace, label, steps=steps)


@_cached(max_entries=64)
def gate_stats(experiment: Experiment, label: str) -> dict[str, gates.GateStats]:
    """Gate -> its statistics, of one layer."""
    return gates.gate_stats(layer(experiment, label).trace, label)


@_cached(max_entries=64)
def memories(
    experiment: Experiment, labels: tuple[str, ...] | None = None
) -> tuple[gates.Memory, ...]:
    """Half-lives of every label that has a memory gate; of each model's first layer if none are
    given."""
    wanted = tuple(map(str, experiment.models)) if labels is None else labels
    found = (gates.memory(layer(experiment, label).trace, label) for label in wanted)
    return tuple(memory for memory in found if memory is not None)


@_cached(max_entries=32)
def carry(experiment: Experiment, label: str, coarse: bool) -> CarryPaths | None:
    """Π f against the truth; None without a memory gate, or where the products take too long."""
    trace = layer(experiment, label).trace
    work = trace.seq_len * len(trace.cell.GATES) * trace.cell.hidden_size**3
    if work > CARRY_BUDGET:
        return None
    every = max(1, trace.seq_len // COARSE_STEPS) if coarse or work > CARRY_BUDGET // 10 else 1
    return carry_paths(trace, label, every=every)


@_cached(max_entries=64)
def trust(experiment: Experiment, label: str) -> trusting.Trust:
    """Every check of one model's run. A newer value of a knob stops it."""
    run = traces(experiment)
    return trusting.trust(run[label], run.batch, label, progress=give_way)


def give_way(_: float) -> None:
    """Whenever the state is read, Streamlit ends a script that a newer one waits for."""
    st.session_state.get("visit")


@_cached(max_entries=16)
def ngram(experiment: Experiment) -> tuple[int, float] | None:
    """(n, its loss per answer) of the best n-gram model on what the task holds out; None for a
    task that is not of language, or whose text is too short to hold any out."""
    task = make_task(experiment)
    losses = {order + 1: task.ngram_loss(order) for order in range(MAX_ORDER + 1)}
    known = {n: loss for n, loss in losses.items() if loss is not None}
    return min(known.items(), key=lambda item: item[1]) if known else None
