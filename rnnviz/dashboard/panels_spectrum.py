"""Below the fold of Spectrum: Lyapunov exponents, and all singular values of every step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.analysis.lyapunov import LyapunovSpectrum
from rnnviz.dashboard import compute, layout, measured
from rnnviz.dashboard.layout import switch
from rnnviz.dashboard.panels_flow import tall_chart
from rnnviz.experiment import Experiment
from rnnviz.plots import bands, lyapunov, theme
from rnnviz.views.layer_choice import parts_of, single
from rnnviz.views.spectrum import View
from rnnviz.views.theory import of_exponents
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import scientific, steps
from rnnviz.wording.texts import fill, texts


def draw(experiment: Experiment, view: View) -> None:
    """One expander a panel; what is not open is not computed. All models, each with the layer and
    the direction that the page shows of it."""
    text = texts("spectrum")
    parts = parts_of(compute.traces(experiment))
    layer, direction = view.layers.layer, view.layers.direction
    labels = tuple(single(parts, model, layer, direction)[0].label for model in parts)
    styles = theme.model_styles([*parts, *labels])
    with layout.lazy(text["title_lyapunov"]) as opened:
        if opened:
            _exponents(experiment, labels, styles)
    with layout.lazy(text["title_bands"]) as opened:
        if opened:
            _bands(experiment, labels, styles)


def _exponents(
    experiment: Experiment, labels: Sequence[str], styles: dict[str, theme.Style]
) -> None:
    text = texts("spectrum")
    with st.container(horizontal=True):
        longer = switch(fill(text["long_run"], steps=f"{measured.LONG_RUN:,}"), "long_run")
        theory = switch(text["theory_lyapunov"], "lyapunov_theory")
    result = measured.measured("exponents", experiment, labels)
    more = measured.measured("long_run", experiment, labels if longer else ())
    found = [*result.found, *more.found]
    parts = [compute.layer(experiment, label) for label in labels]
    rates, silent = of_exponents(compute.traces(experiment), parts) if theory else ({}, "")
    if result.found:
        figure = lyapunov.lyapunov_figure.plain(
            result.found,
            long_run=more.found,
            mean_field=rates,
            styles=styles,
        )
        tall_chart(figure, "lyapunov", "Lyapunov exponents of each model, largest first")
        keys = ["lyapunov", *["long_run"] * bool(more.found), *["mean_field"] * bool(rates)]
        layout.how_to_read(" ".join(text[f"how_to_read_{key}"] for key in keys))
        layout.table(pd.DataFrame([_row(s) for s in found]))
        st.caption(text["residual"])
    for reason in filter(None, (silent, *result.refusals, *more.refusals)):
        layout.warn(reason)
    layout.data_button("lyapunov", lambda: frames.lyapunov_frame(found))


def _row(spectrum: LyapunovSpectrum) -> dict[str, object]:
    largest = spectrum.largest
    return {
        "model": display_name(spectrum.label),
        "steps": f"{spectrum.steps:,}",
        "λ₁, nats a step": _number(largest),
        "what λ₁ means": _meaning(largest),
        "Σ λ": _number(float(spectrum.exponents.sum())),
        "mean ln |det J|": _number(spectrum.determinant),
        "they differ by": _small(spectrum.residual),
    }


def _number(value: float) -> float | str:
    return str(value).replace("inf", "∞").replace("-", "−") if np.isinf(value) else value


def _meaning(largest: float) -> str:
    """How many steps it takes to change e-fold."""
    if not np.isfinite(largest) or largest == 0:
        return "–"
    return f"{'grows' if largest > 0 else 'falls'} e-fold in {steps(1 / abs(largest))}"


def _small(value: float) -> str:
    return "–" if np.isnan(value) else scientific(value)


def _bands(experiment: Experiment, labels: Sequence[str], styles: dict[str, theme.Style]) -> None:
    text = texts("spectrum")
    spectra = [compute.jacobians(experiment, label) for label in labels]
    figure = bands.jacobian_bands.plain(spectra, styles=styles)
    alt = "All singular values of each step's Jacobian, one panel a model"
    tall_chart(figure, "bands", alt, time_axis=True)
    layout.how_to_read(text["how_to_read_bands"])
    layout.data_button("jacobians-of-all", lambda: frames.jacobian_frame(spectra))
