"""Page config and navigation. Every page sees the experiment that the sidebar describes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from rnnviz.dashboard import controls, layout
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
    setting = controls.sidebar()
    refusal = check_size(setting.experiment)
    pages = [
        st.Page(
            partial(layout.refused, refusal) if refusal else partial(module.page, setting),
            title=title,
            url_path=path,
            default=path == "gradient-flow",
        )
        for path, (title, module) in PAGES.items()
    ]
    st.navigation(pages, position="top").run()


main()
