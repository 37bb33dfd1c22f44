"""Below the fold of Spectrum, one expander a panel; what is not open is not computed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from rnnviz import frames
from rnnviz.dashboard import compute, layout, measured, show
from rnnviz.dashboard.layout import switch
from rnnviz.experiment import Experiment
from rnnviz.views.spectrum import View
from rnnviz.views.spectrum_panels import (
    Shown,
    bands_pictures,
    exponents_picture,
    exponents_row,
    shown,
)
from rnnviz.views.theory import of_exponents
from rnnviz.wording.texts import fill, texts


def draw(experiment: Experiment, view: View) -> None:
    """All models, each with the layer and the direction that the page shows of it."""
    text = texts("spectrum")
    for title, panel in ((text["title_lyapunov"], _exponents), (text["title_bands"], _bands)):
        with layout.lazy(title) as opened:
            if opened:
                panel(shown(compute.traces(experiment), view.layers))


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
    show.show(bands_pictures(spectra, of.styles), of.styles)
    layout.data_button("jacobians-of-all", lambda: frames.jacobian_frame(spectra))
