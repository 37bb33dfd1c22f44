"""A small cell, unrolled, that the browser computes, draws and lets be changed in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from rnnviz.dashboard.components.browser import HERE, finite, loader
from rnnviz.views.by_hand import Chain, furnishings, in_numbers

_CHAIN = st.components.v2.component(
    "rnnviz_chain",
    css=(HERE / "by_hand.css").read_text("utf-8"),
    js=loader("chain_component.js"),
)


def unrolled(
    chain: Chain, *, key: str, large: Mapping[str, Any], on_change: Callable[[dict[str, str]], None]
) -> None:
    """Draw a chain, or bring the one that is there up to date.

    Parameters
    ----------
    key : names it on its page.
    large : {"path", "query"} of the page that the button to many units opens, its model left out,
        and the "ends" of its knobs.
    on_change : called, before the script's body, with what a link would say of the chain.
    """
    name = f"{key}.chain"

    def changed() -> None:
        told = (st.session_state.get(name) or {}).get("chain")
        if isinstance(told, dict):
            st.session_state[f"{key}.seq"] = finite(told.get("seq")) or 0.0
            on_change(_texts_of(told.get("asked")))

    data = {
        "chain": in_numbers(chain),
        "seq": st.session_state.get(f"{key}.seq", 0.0),
        **furnishings(),
        "large": large,
    }
    _CHAIN(key=name, data=json.dumps(data).encode(), on_chain_change=changed)


def _texts_of(asked: object) -> dict[str, str]:
    """What of a browser's message may be read as a link: texts by name."""
    items = asked.items() if isinstance(asked, dict) else ()
    return {name: value for name, value in items if isinstance(value, str)}
