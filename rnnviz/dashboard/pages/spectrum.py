"""What does W_hh promise, and what happens?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.dashboard import compute, layout, measured, offers, show
from rnnviz.dashboard.layout import switch
from rnnviz.dashboard.show import equations
from rnnviz.dashboard.state import Setting, view_key, widget
from rnnviz.experiment import Experiment
from rnnviz.views import fixed_points, lag_spectra, weights
from rnnviz.views.spectrum import (
    Choices,
    Shown,
    View,
    bands_pictures,
    exponents_picture,
    exponents_row,
    pictures,
    shown,
)
from rnnviz.views.theory import of_exponents
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, texts

MODEL, GATE, RANKS, INPUT = "view_model", "view_gate", "view_ranks", "view_input"
RANKS_WIDTH, INPUT_WIDTH = 320, 280


def page(setting: Setting) -> None:
    """Verdict; singular values and eigenvalues; powers; below the fold the step itself."""
    layout.link_messages(setting.experiment)
    view = _view(setting)
    _choices(view)
    offers.offer(setting, view.choices, view)
    show.show(pictures(view), view.styles, pairs=[("singular-values", "eigenvalues")])


def _view(setting: Setting) -> View:
    layer, direction = show.chosen_layer()
    choices = Choices(
        layout.chosen(MODEL),
        layout.chosen(GATE),
        layer,
        direction,
        show.theory_is_on(),
    )
    return compute.spectrum_view(setting.experiment, choices)


def _choices(view: View) -> None:
    """The page's question, and beside it which model, which of its layers and directions, and
    which gate's block of its W_hh."""
    text = texts("layout")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        layout.question(texts("spectrum")["question"])
        narrow = show.LAYER_WIDTH if view.layers.has_alternatives else None
        layout.choice(text["choose_model"], view.models, MODEL, view.model, display_name, narrow)
        show.layer_choice(view.layers, small=True)
        if len(view.gates) > 1:
            small = show.GATE_WIDTH if narrow else None
            layout.choice(text["gate"], view.gates, GATE, view.gate, width=small)
        show.theory_switch()


def details(setting: Setting) -> None:
    """Departure from normality, the numbers, the equations."""
    view = _view(setting)
    text = texts("spectrum")
    st.caption(fill(text["departure"], value=f"{view.spectrum.departure:.2f}"))
    _panels_of_one(setting.experiment, view)
    _panels(setting.experiment, view)
    with layout.lazy(text["numbers"]) as opened:
        if opened:
            layout.data_button("spectrum", lambda: frames.spectrum_frame([view.spectrum]))
            layout.data_button("jacobians", lambda: frames.jacobian_frame([view.jacobian]))
    equations(compute.plan(setting.experiment))


def _panels_of_one(experiment: Experiment, view: View) -> None:
    """Of the model, the layer and the direction that the page shows."""
    text = texts("spectrum")
    for title, panel in (
        (text["title_weights"], _weights),
        (text["title_fixed_points"], _fixed_points),
    ):
        with layout.lazy(title) as opened:
            if opened:
                panel(experiment, view)


def _weights(experiment: Experiment, of: View) -> None:
    choices = weights.Choices(of.model, of.layers.layer, of.layers.direction)
    view = weights.view(compute.traces(experiment), choices)
    show.show(weights.pictures(view), view.styles)
    layout.data_button("weights", lambda: frames.weight_frame(view.maps))


def _fixed_points(experiment: Experiment, of: View) -> None:
    choices = fixed_points.Choices(of.model, of.layers.layer, of.layers.direction, _input())
    view = compute.fixed_points_view(experiment, choices)
    show.show(fixed_points.pictures(view), view.styles)
    rows, found = fixed_points.rows(view), view.found
    if found is None or not rows:
        return
    layout.table(pd.DataFrame(rows))
    if (count := len(found.points)) > len(rows):
        st.caption(fill(texts("fixed_points")["more_points"], shown=len(rows), count=count))
    layout.data_button("fixed-points", lambda: frames.fixed_points_frame(found))


def _input() -> float:
    """What every input is held at; a link says it as text."""
    most = fixed_points.MOST_INPUT
    try:
        value = float(layout.chosen(INPUT) or 0)
    except ValueError:
        value = 0.0
    value = min(max(value, -most), most) if value == value else 0.0
    own = widget(view_key(INPUT), value)
    label = texts("fixed_points")["input"]
    st.number_input(label, -most, most, step=0.1, format="%.2f", width=INPUT_WIDTH, **own)
    return value


def _panels(experiment: Experiment, view: View) -> None:
    """All models, each with the layer and the direction that the page shows of it."""
    text = texts("spectrum")
    for title, panel in (
        (text["title_lag_spectra"], _lag_spectra),
        (text["title_lyapunov"], _exponents),
        (text["title_bands"], _bands),
    ):
        with layout.lazy(title) as opened:
            if opened:
                panel(shown(compute.traces(experiment), view.layers))


def _lag_spectra(of: Shown) -> None:
    ranks = _ranks()
    result = measured.measured("lag_spectra", of.run, of.parts)
    view = lag_spectra.View(result.found, ranks, of.styles, result.refusals)
    show.show(lag_spectra.pictures(view), view.styles)
    layout.data_button("lag-spectra", lambda: frames.lag_spectra_frame(result.found))


def _ranks() -> str:
    """Which singular values: one of a few sets, or as they are typed."""
    text, ranks = texts("lag_spectra"), layout.chosen(RANKS) or lag_spectra.DEFAULT
    ranks = ranks[: lag_spectra.LONGEST]
    options = [*dict.fromkeys([*lag_spectra.OFFERED, ranks])]
    own = widget(view_key(RANKS), ranks, options=options)
    st.selectbox(
        text["ranks"],
        options,
        format_func=lag_spectra.in_words,
        accept_new_options=True,
        help=text["ranks_help"],
        width=RANKS_WIDTH,
        **own,
    )
    return ranks


def _exponents(of: Shown) -> None:
    text = texts("spectrum")
    with st.container(horizontal=True):
        longer = switch(fill(text["long_run"], steps=f"{measured.LONG_RUN:,}"), "long_run")
        theory = switch(text["theory_lyapunov"], "lyapunov_theory")
    result = measured.measured("exponents", of.run, of.parts)
    more = measured.measured("long_run", of.run, of.parts if longer else ())
    found = [*result.found, *more.found]
    rates, silent = of_exponents(of.run, of.parts) if theory else ({}, "")
    if result.found:
        show.chart(exponents_picture(result.found, more.found, rates, of.styles))
        layout.table(pd.DataFrame([exponents_row(s) for s in found]))
        st.caption(text["residual"])
    for reason in filter(None, (silent, *result.refusals, *more.refusals)):
        layout.warn(reason)
    layout.data_button("lyapunov", lambda: frames.lyapunov_frame(found))


def _bands(of: Shown) -> None:
    spectra = [compute.jacobians(of.run, part) for part in of.parts]
    skips = any(part.trace.cell.skip for part in of.parts)
    show.show(bands_pictures(spectra, of.styles, skips), of.styles)
    layout.data_button("jacobians-of-all", lambda: frames.jacobian_frame(spectra))
