"""Page config and navigation. Every page sees the experiment that the sidebar describes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from rnnviz.dashboard import (
    compute,
    controls,
    layout,
    own_text,
    state,
    train_controls,
    training,
    trust,
)
from rnnviz.dashboard.components import relay
from rnnviz.dashboard.pages import claims, gates, gradient_flow, phase, spectrum, train
from rnnviz.experiment import check_size

PAGES = {
    "gradient-flow": ("Gradient flow", gradient_flow),
    "spectrum": ("Spectrum", spectrum),
    "gates": ("Gates", gates),
    "train": ("Train", train),
    "phase-diagram": ("Phase diagram", phase),
    "claims": ("Claims", claims),
}
FIRST = "gradient-flow"


def main() -> None:
    """Sidebar, navigation, then the chosen page."""
    st.session_state[state.CUT_SHORT] = True
    st.set_page_config(page_title="rnnviz", page_icon="📉", layout="wide")
    layout.style()
    pages = [
        st.Page(partial(_show, path), title=title, url_path=path, default=path == FIRST)
        for path, (title, _) in PAGES.items()
    ]
    st.session_state["pages"] = dict(zip(PAGES, pages, strict=True))
    # Before the knobs: until the page is known, Streamlit gives them names it forgets in the next
    # run, and with the names their values.
    chosen = st.navigation(pages, position="top")
    state.open_page(chosen.url_path or FIRST)
    controls.sidebar()
    chosen.run()
    st.session_state[state.CUT_SHORT] = False


def _show(path: str) -> None:
    _page(path)
    _details(path)


@st.fragment(key=state.PAGE)
def _page(path: str) -> None:
    """What is seen first: a slider that is dragged runs this and nothing else."""
    setting = controls.setting()
    controls.say_problem()
    controls.follow(setting)
    setting = _of_page(path, setting)
    work = training.still_to_do(setting.experiment)
    refusal, place = check_size(work), st.empty()
    trust.mark(place, path, setting.experiment, refusal)
    if refusal:
        layout.link_messages(setting.experiment)
        if not own_text.asked(work, refusal):
            layout.refused(refusal)
    else:
        with layout.patience(work):
            layout.notes(compute.batch(setting.experiment))
            if path != "gates":  # which has a switch for it
                train_controls.shown_after(setting.experiment)
            PAGES[path][1].page(setting)
    if path == "train":  # it may have begun another run
        trust.mark(place, path, setting.experiment, refusal)
    relay()


@st.fragment(key=state.DETAILS)
def _details(path: str) -> None:
    """What is below the fold: it follows when a knob is let go."""
    linked = controls.setting()
    setting = _of_page(path, linked)
    refusal = check_size(training.still_to_do(setting.experiment))
    strip = st.container(key="trust")
    if not refusal:
        PAGES[path][1].details(setting)
    with strip:
        trust.strip(path, setting.experiment, refusal)
    controls.follow(linked)  # the page has dropped the views that it does not have


def _of_page(path: str, setting: state.Setting) -> state.Setting:
    """The Train page trains by itself; the others show what was trained, or the initial weights."""
    return training.beginning(setting) if path == "train" else setting
