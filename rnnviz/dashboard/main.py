"""Page config and navigation. Every page sees the experiment that the sidebar describes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from rnnviz.dashboard import compute, controls, layout
from rnnviz.dashboard.pages import gates, gradient_flow, spectrum
from rnnviz.experiment import check_size

PAGES = {
    "gradient-flow": ("Gradient flow", gradient_flow),
    "spectrum": ("Spectrum", spectrum),
    "gates": ("Gates", gates),
}


def main() -> None:
    """Sidebar, navigation, then the chosen page."""
    st.set_page_config(page_title="rnnviz", page_icon="📉", layout="wide")
    layout.style()
    pages = [
        st.Page(partial(_show, path), title=title, url_path=path, default=path == "gradient-flow")
        for path, (title, _) in PAGES.items()
    ]
    # Before the knobs: until the page is known, Streamlit gives them names it forgets in the next
    # run, and with the names their values.
    chosen = st.navigation(pages, position="top")
    controls.sidebar()
    chosen.run()


@st.fragment(key=controls.PAGE)
def _show(path: str) -> None:
    """The page, alone: a slider that is dragged runs this and nothing else."""
    setting = controls.setting()
    refusal = check_size(setting.experiment)
    if refusal:
        layout.link_messages(setting.experiment)
        layout.refused(refusal)
    else:
        if note := compute.batch(setting.experiment).note:
            st.caption(note)
        PAGES[path][1].page(setting)
