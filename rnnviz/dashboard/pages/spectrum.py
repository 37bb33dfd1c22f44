"""What does W_hh promise, and what happens?"""

from __future__ import annotations

import streamlit as st

from rnnviz import frames
from rnnviz.analysis.labels import display_name
from rnnviz.analysis.predictions import WeightLaw
from rnnviz.analysis.spectra import JacobianSpectrum, Spectrum
from rnnviz.analysis.verdicts import spectrum_verdict
from rnnviz.analysis.words import say
from rnnviz.core import CELLS, Cell
from rnnviz.dashboard import compute, layout, panels_spectrum, theories, views
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.equations import equations
from rnnviz.dashboard.panels_spectrum import in_real_time
from rnnviz.dashboard.state import Setting
from rnnviz.dashboard.texts import texts
from rnnviz.experiment import Experiment, Model
from rnnviz.plots import jacobians as jacobian_plots
from rnnviz.plots import spectra as plots
from rnnviz.plots import theme

Styles = dict[str, theme.Style]

OTHER_WAYS = {"leak": "the leak", "skip": "W_skip"}


def page(setting: Setting) -> None:
    """Verdict; singular values and eigenvalues; powers; below the fold the step itself."""
    experiment, text = setting.experiment, texts("spectrum")
    layout.link_messages(experiment)
    label, gate = _choice(experiment)
    styles = theme.model_styles([*experiment.models, label])
    cell = compute.layer(experiment, label).trace.cell
    spectrum = compute.spectrum(experiment, label, gate, setting.dragging)
    jacobian = in_real_time(experiment, compute.jacobians(experiment, label, setting.dragging))
    (flow,) = compute.flows(experiment, (label,))
    verdict = spectrum_verdict(
        spectrum,
        flow.rate,
        cell.activation_of(cell.CANDIDATE_GATE).name,
        reach_status=flow.reach_status,
        refilled=flow.refilled,
        also=_also(cell),
    )
    layout.verdict([say(verdict)], styles)
    if not cell.SIMPLE:
        st.caption(text["no_single_block"])
    if cell.skip:
        st.caption(text["skip"])
    law = _law(experiment, spectrum)
    _weights(spectrum, jacobian, cell, styles, law)
    _powers(spectrum, jacobian, styles, law)
    _step(jacobian, styles)


def _law(experiment: Experiment, spectrum: Spectrum) -> WeightLaw | None:
    """What theory says of this block, where it is asked for; where it is silent it is said."""
    if not theories.switched_on():
        return None
    law = theories.of_block(experiment, spectrum.label, spectrum.gate, spectrum.powers_k)
    if isinstance(law, str):
        layout.warn(f"No law is drawn: {law}.")
        return None
    return law


def _choice(experiment: Experiment) -> tuple[str, str]:
    """The page's question, and beside it which model, which of its layers and directions, and
    which gate's block of its W_hh."""
    model = _model(experiment)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        layout.question(texts("spectrum")["question"])
        models = [str(model) for model in experiment.models]
        narrow = views.WIDTH if views.offers(experiment, model) else None
        model = layout.choice("Model", models, "view_model", model, display_name, narrow)
        views.choices(experiment, [model], every=False)
        label, gate = _chosen(experiment)
        gates = compute.layer(experiment, label).trace.cell.trainable_gates
        if len(gates) > 1:
            small = views.SMALL if narrow else None
            gate = layout.choice("Gate", list(gates), "view_gate", gate, width=small)
        theories.switch()
    return label, gate


def _model(experiment: Experiment) -> str:
    """The model last chosen; the first simple one where that is no longer there."""
    models = [str(model) for model in experiment.models]
    simple = [label for label in models if CELLS[Model(label).kind].SIMPLE]
    return layout.kept("view_model", models, (simple or models)[0])


def _chosen(experiment: Experiment) -> tuple[str, str]:
    """The model's layer and the gate last chosen; a gate with weights, the memory gate if it
    has, where that is no longer there."""
    part = views.part(experiment, _model(experiment))
    gates, memory = part.trace.cell.trainable_gates, part.trace.cell.MEMORY_GATE
    return part.label, layout.kept("view_gate", gates, memory if memory in gates else gates[0])


def _also(cell: Cell) -> list[str]:
    """What else than W_hh and the nonlinearity the error passes."""
    return [OTHER_WAYS[way] for way in cell.other_ways]


def _weights(
    spectrum: Spectrum,
    jacobian: JacobianSpectrum,
    cell: Cell,
    styles: Styles,
    law: WeightLaw | None,
) -> None:
    text = texts("spectrum")
    simple = cell.SIMPLE and not cell.skip
    kind = "" if simple else "_skip" if cell.SIMPLE else "_gate"
    slope = float(jacobian.mean_slope.mean())
    circled = "" if not simple or plots.has_slope_circle(spectrum, slope) else "_plain"
    left, right = st.columns(2)
    with left:
        live_chart(
            plots.singular_values_figure([spectrum], styles=styles, promise=simple, law=law),
            key="singular-values",
            height=262,
            filename="rnnviz-singular-values",
            alt="Singular values of W_hh, largest first, with the line at 1 over gamma",
        )
        layout.how_to_read(text["how_to_read_law"] if law else text[f"how_to_read_singular{kind}"])
    with right:
        live_chart(
            plots.eigenvalue_figure([spectrum], slope if simple else None, styles=styles, law=law),
            key="eigenvalues",
            height=262,
            filename="rnnviz-eigenvalues",
            alt="Eigenvalues of W_hh in the complex plane with the unit circle",
        )
        spread = (
            text["how_to_read_disc"] if law else text[f"how_to_read_eigenvalues{kind}{circled}"]
        )
        layout.how_to_read(spread)


def _powers(
    spectrum: Spectrum, jacobian: JacobianSpectrum, styles: Styles, law: WeightLaw | None
) -> None:
    measured = {spectrum.label: jacobian.measured_rate}
    live_chart(
        plots.powers_figure([spectrum], measured, styles=styles, law=law),
        key="powers",
        height=190,
        filename="rnnviz-powers",
        alt="Norm of the k-th power of W_hh to the power 1 over k",
    )
    layout.how_to_read(texts("spectrum")["how_to_read_growth" if law else "how_to_read_powers"])


def _step(jacobian: JacobianSpectrum, styles: Styles) -> None:
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
    panels_spectrum.draw(experiment)
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
