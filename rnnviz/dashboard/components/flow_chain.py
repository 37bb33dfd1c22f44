"""A network unrolled above its curves: one looks at a step, and hears what it did to the error."""

from __future__ import annotations

import json

import streamlit as st

from rnnviz.dashboard.components.browser import HERE, loader
from rnnviz.plots import theme
from rnnviz.plots.drawing import Range
from rnnviz.views import flow_chain as views
from rnnviz.views.gradient_flow import View, chain_data

KEY = "flow-chain"

# Not isolated in a shadow root: the page's style sheet dims it.
_CHAIN = st.components.v2.component(
    "rnnviz_flow_chain",
    css=(HERE / "flow_chain.css").read_text("utf-8"),
    js=loader("flow_chain.js"),
    isolate_styles=False,
)


def flow_chain(view: View, shows: str) -> None:
    """Draw it, or bring the one that is there up to date; nothing where a view has none."""
    if view.chain is not None:
        _CHAIN(key=f"{KEY}.chain", data=packed(view, shows))


def packed(view: View, shows: str, at_least: Range | None = None) -> bytes:
    """What the browser is sent of it. The script sends it, and the live route does. shows: the
    query of the experiment; at_least: decades that the curves' axis keeps."""
    assert view.chain is not None
    told = {
        **chain_data(view, at_least),
        "key": KEY,
        "shows": shows,
        "hint": views.hint(view.chain.each),
        "words": views.words(),
        "dark": theme.DARK,
    }
    return json.dumps(told, default=dict, separators=(",", ":")).encode()
