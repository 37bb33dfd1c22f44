"""A line that opens a panel, with a button in it that asks for work, slice by slice."""

from __future__ import annotations

import json
from collections.abc import Callable

import streamlit as st

from rnnviz.dashboard.components.browser import loader

# Not isolated: the page's style sheet says how it looks, and when it is dimmed.
_DISCLOSURE = st.components.v2.component(
    "rnnviz_disclosure", js=loader("disclosure.js"), isolate_styles=False
)


def disclosure(
    *,
    key: str,
    run: str,
    line: str,
    otherwise: str,
    panel: str = "",
    name: str = "",
    ask: str = "",
    running: bool = False,
    done: bool = False,
    on_ask: Callable[[], None] = lambda: None,
) -> None:
    """Draw the line; without a panel it is a line and nothing else.

    Parameters
    ----------
    key : names it on its page.
    run : what it is about, in `data-run`; the page's style shows `otherwise` if that is not it.
    line, otherwise, panel : HTML.
    name : the accessible name of the panel.
    ask : on the panel's button.
    running : whether the browser asks again by itself as soon as the script has ended.
    done : whether there is nothing left to ask for.
    on_ask : called, before the script's body, for every slice that is asked for; see `told`.
    """
    said = {"run": run, "line": line, "otherwise": otherwise, "panel": panel, "name": name,
            "ask": ask, "running": running, "done": done}  # fmt: skip
    _DISCLOSURE(key=f"{key}.disclosure", data=json.dumps(said).encode(), on_ask_change=on_ask)


def told(key: str) -> str:
    """The run for which the browser asked last; "" if it sent anything else."""
    said = (st.session_state.get(f"{key}.disclosure") or {}).get("ask")
    return said if isinstance(said, str) else ""
