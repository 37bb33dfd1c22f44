"""A page without idle space, so that the first screen fits 1280 x 720."""

from __future__ import annotations

import streamlit as st

SIDEBAR_WIDTH = 280  # px; for st.set_page_config(initial_sidebar_state=...)

# What Streamlit's theme cannot say: side margins, and the empty rows above the content.
_STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding-left: 24px; padding-right: 24px; max-width: none; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
[data-testid="stSidebarUserContent"] > div > [data-testid="stVerticalBlock"] { gap: 0.6rem; }
[data-testid="stSidebarUserContent"] { padding-left: 16px; padding-right: 16px; }
[data-testid="stSidebarHeader"] { height: 2.25rem; min-height: 0; margin-bottom: 0; padding-top: 0; }
</style>
"""


def compact() -> None:
    """Use the whole window; call once in each run, before the page is drawn."""
    st.html(_STYLE)
