"""The switch that lays theory over what was measured, and the theory of the models shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.analysis.gradients import GradientFlow
from rnnviz.analysis.labels import display_name
from rnnviz.analysis.layers import SEPARATOR
from rnnviz.analysis.predictions import (
    Predictions,
    WeightLaw,
    gradient_predictions,
    norm_predictions,
    weight_law,
)
from rnnviz.analysis.spectra import Stretch
from rnnviz.core import RNN
from rnnviz.dashboard import compute
from rnnviz.dashboard.choices import view_key, widget
from rnnviz.dashboard.state import WHOLE_PAGE
from rnnviz.dashboard.texts import texts
from rnnviz.experiment import Experiment, Model
from rnnviz.experiment.networks import setting

Array = np.ndarray

THEORY = "view_theory"
KINDS = {"mean field": "theory_mean_field", "exact": "theory_exact",
         "gate alone": "theory_gate_alone"}  # fmt: skip
GATED = "there is no formula here for gated cells"
REFILLED = "error enters on the way, theory follows the error of one loss"


def switched_on() -> bool:
    """Whether theory is drawn. A link says it as text."""
    return st.session_state.get(view_key(THEORY)) in (True, "True")


def row() -> DeltaGenerator:
    """Where a page's choices and the switch stand, beside its question."""
    return st.container(horizontal=True, gap="small", horizontal_alignment="right",
                        vertical_alignment="center")  # fmt: skip


def switch() -> bool:
    """The switch of a page's own figures. It stands where there is room without moving them."""
    st.session_state[view_key(THEORY)] = switched_on()
    then = partial(st.rerun, WHOLE_PAGE)
    return st.toggle("Theory", **widget(view_key(THEORY), then=then))


def of_flows(experiment: Experiment, flows: Sequence[GradientFlow]) -> dict[str, Predictions]:
    """What is predicted of each model's gradient curve."""
    found = {}
    for flow in flows:
        part = compute.layer(experiment, flow.label)
        one = gradient_predictions(
            part.trace, flow.label, flow.reach_from, *_weights(experiment, flow.label)
        )
        found[flow.label] = replace(one, lines=(), missing=REFILLED) if flow.refilled else one
    return found


def of_lags(experiment: Experiment, labels: Iterable[str]) -> dict[str, Predictions]:
    """What is predicted of each model's lag profile."""
    traces = {label: compute.layer(experiment, label).trace for label in labels}
    return {
        label: norm_predictions(trace, label, trace.steps_of(0), *_weights(experiment, label))
        for label, trace in traces.items()
    }


def of_block(experiment: Experiment, label: str, gate: str, powers: Array) -> WeightLaw | str:
    """What is predicted of one H × H block of W_hh, or why nothing is."""
    trace = compute.layer(experiment, label).trace
    W = trace.params["W_hh"][trace.cell.gate_rows(gate)].astype(np.float64)
    init, trained, _ = _weights(experiment, label)
    return weight_law(W, init, trained, powers)


def of_exponents(experiment: Experiment, labels: Iterable[str]) -> tuple[dict[str, float], str]:
    """λ₁ in nats a step of the models that it is known of (½ ln χ; ln g without a nonlinearity),
    and why it is not of the others."""
    found = of_lags(experiment, labels)
    rates: dict[str, float] = {}
    for label, each in found.items():
        known = [line.rate for line in each.lines if line.name in ("mean field", "exact")]
        rates |= {label: known[0]} if known else {}
        if not known and not each.missing:
            found[label] = replace(each, missing=GATED)
    return rates, silent(found)


def words(found: Mapping[str, Predictions]) -> str:
    """What the lines are, as far as there are any; "" if there are none."""
    text, names = texts("gradient_flow"), [n.name for each in found.values() for n in each.lines]
    kinds = [text[key] for name, key in KINDS.items() if name in names]
    rates = [f"Dash-dotted: theory ({'; '.join(kinds)})."] * bool(kinds)
    return " ".join([*rates, *[text["theory_bound"]] * ("bound" in names)])


def silent(found: Mapping[str, Predictions]) -> str:
    """Where theory says nothing, and why; "" if it speaks everywhere."""
    by_reason: dict[str, list[str]] = {}
    for label, each in found.items():
        if each.missing:
            by_reason.setdefault(each.missing, []).append(display_name(label))
    said = [f"{', '.join(names)}: {reason}." for reason, names in by_reason.items()]
    return f"No rate is predicted. {' '.join(said)}" if said else ""


def _weights(experiment: Experiment, label: str) -> tuple[str, bool, Stretch | None]:
    """How W_hh was drawn, whether it was trained since, and how far it stretches in an RNN."""
    model = Model(label.partition(SEPARATOR)[0])
    simple = isinstance(compute.layer(experiment, label).trace.cell, RNN)
    stretch = compute.stretch(experiment, label, "a") if simple else None
    return str(setting(experiment, model, "init")), bool(experiment.train_steps), stretch
