"""What does W_hh promise, and what happens?"""

from __future__ import annotations

import streamlit as st

from rnnviz import frames
from rnnviz.analysis.labels import display_name
from rnnviz.analysis.spectra import JacobianSpectrum, Spectrum
from rnnviz.analysis.verdicts import spectrum_verdict
from rnnviz.analysis.words import say
from rnnviz.dashboard import compute, layout
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.texts import texts
from rnnviz.experiment import Experiment, Model
from rnnviz.plots import jacobians as jacobian_plots
from rnnviz.plots import spectra as plots
from rnnviz.plots import theme


def page(setting: Setting) -> None:
    """Verdict; singular values and eigenvalues; powers; below the fold the step itself."""
    experiment, text = setting.experiment, texts("spectrum")
    layout.link_messages(experiment)
    label, gate = _choice(experiment)
    styles = theme.model_styles(experiment.models)
    spectrum = compute.spectrum(experiment, label, gate, setting.dragging)
    jacobian = compute.jacobians(experiment, label, setting.dragging)
    flow = next(flow for flow in compute.flows(experiment) if flow.label == label)
    verdict = spectrum_verdict(
        spectrum,
        flow.rate,
        _slope_name(experiment, label),
        reach_status=flow.reach_status,
        refilled=flow.refilled,
    )
    words = say(verdict)
    layout.verdict([words], styles)
    if Model(label).kind != "rnn":
        st.caption(text["no_single_block"])
    _weights(spectrum, jacobian, styles)
    _powers(spectrum, jacobian, styles)
    _step(jacobian, styles)


def _choice(experiment: Experiment) -> tuple[str, str]:
    """The page's question, and beside it which model, and which gate's block of its W_hh."""
    left, middle, right = st.columns([13, 8, 7], vertical_alignment="center")
    with left:
        layout.question(texts("spectrum")["question"])
    label, _ = _chosen(experiment)
    with middle:
        models = [str(model) for model in experiment.models]
        label = layout.choice("Model", models, "view_model", label, display_name)
    gates = compute.traces(experiment)[label].trace.cell.GATES
    _, gate = _chosen(experiment)
    if len(gates) > 1:
        with right:
            gate = layout.choice("Gate", list(gates), "view_gate", gate)
    return label, gate


def _chosen(experiment: Experiment) -> tuple[str, str]:
    """The model and the gate last chosen; the first RNN, a memory gate where that is no longer
    there."""
    models = [str(model) for model in experiment.models]
    rnns = [label for label in models if Model(label).kind == "rnn"]
    label = layout.kept("view_model", models, (rnns or models)[0])
    cell = compute.traces(experiment)[label].trace.cell
    return label, layout.kept("view_gate", cell.GATES, cell.MEMORY_GATE or cell.GATES[0])


def _slope_name(experiment: Experiment, label: str) -> str:
    cell = compute.traces(experiment)[label].trace.cell
    return str(getattr(cell, "activation", "tanh"))


def _weights(
    spectrum: Spectrum, jacobian: JacobianSpectrum, styles: dict[str, theme.Style]
) -> None:
    text = texts("spectrum")
    simple = Model(spectrum.label).kind == "rnn"
    kind = "" if simple else "_gate"
    slope = float(jacobian.mean_slope.mean())
    circled = "" if not simple or plots.has_slope_circle(spectrum, slope) else "_plain"
    left, right = st.columns(2)
    with left:
        live_chart(
            plots.singular_values_figure([spectrum], styles=styles),
            key="singular-values",
            height=262,
            filename="rnnviz-singular-values",
            alt="Singular values of W_hh, largest first, with the line at 1 over gamma",
        )
        layout.how_to_read(text[f"how_to_read_singular{kind}"])
    with right:
        live_chart(
            plots.eigenvalue_figure([spectrum], slope if simple else None, styles=styles),
            key="eigenvalues",
            height=262,
            filename="rnnviz-eigenvalues",
            alt="Eigenvalues of W_hh in the complex plane with the unit circle",
        )
        layout.how_to_read(text[f"how_to_read_eigenvalues{kind}{circled}"])


def _powers(spectrum: Spectrum, jacobian: JacobianSpectrum, styles: dict[str, theme.Style]) -> None:
    measured = {spectrum.label: jacobian.measured_rate}
    live_chart(
        plots.powers_figure([spectrum], measured, styles=styles),
        key="powers",
        height=190,
        filename="rnnviz-powers",
        alt="Norm of the k-th power of W_hh to the power 1 over k",
    )
    layout.how_to_read(texts("spectrum")["how_to_read_powers"])


def _step(jacobian: JacobianSpectrum, styles: dict[str, theme.Style]) -> None:
    live_chart(
        jacobian_plots.jacobian_figure([jacobian], styles=styles),
        key="jacobians",
        height=300,
        time_axis=True,
        filename="rnnviz-jacobians",
        alt="Largest singular value of each step's state Jacobian, and the mean slope",
    )
    layout.how_to_read(texts("spectrum")["how_to_read_jacobian"])


def details(setting: Setting) -> None:
    """Departure from normality, the numbers, the equations."""
    experiment = setting.experiment
    label, gate = _chosen(experiment)
    spectrum = compute.spectrum(experiment, label, gate, setting.dragging)
    st.caption(
        f"Departure from normality (Henrici, relative to the Frobenius norm): "
        f"**{spectrum.departure:.2f}**; 0 for a normal matrix, where singular values and "
        f"|eigenvalues| agree."
    )
    with layout.lazy("Numbers: data") as opened:
        if opened:
            _numbers(experiment, label, gate)
    equations(experiment)


def _numbers(experiment: Experiment, label: str, gate: str) -> None:
    layout.data_button(
        "spectrum",
        lambda: frames.spectrum_frame([compute.spectrum(experiment, label, gate, False)]),
    )
    layout.data_button(
        "jacobians", lambda: frames.jacobian_frame([compute.jacobians(experiment, label, False)])
    )
