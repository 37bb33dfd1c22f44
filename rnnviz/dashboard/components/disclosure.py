"""A line that opens a panel, with a button in it that asks for work, slice by slice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import streamlit as st

from rnnviz.dashboard.components.browser import loader

# Not isolated: the page's style sheet says how it looks, and when it is dimmed.
_DISCLOSURE = st.components.v2.component(
    "rnnviz_disclosure", js=loader("disclosure.js"), isolate_styles=False
)


@dataclass(frozen=True)
class Disclosed:
    """What stands there; without a panel it is a line and nothing else.

    key : names it on its page.
    run : what it is about, in `data-run`; the page's style shows `otherwise` if that is not it.
    line, otherwise, panel : HTML.
    name : the accessible name of the panel.
    ask : on the panel's button.
    running : whether the browser asks again by itself as soon as the script has ended.
    done : whether there is nothing left to ask for.
    """

    key: str
    run: str
    line: str
    otherwise: str
    panel: str = ""
    name: str = ""
    ask: str = ""
    running: bool = False
    done: bool = False

    def packed(self) -> bytes:
        """What the browser is sent of it. The script sends it, and the live route does."""
        return json.dumps(asdict(self)).encode()


def disclosure(said: Disclosed, on_ask: Callable[[], None]) -> None:
    """Draw it. on_ask: called, before the script's body, for every slice that is asked for; see
    `told`."""
    _DISCLOSURE(key=f"{said.key}.disclosure", data=said.packed(), on_ask_change=on_ask)


def told(key: str) -> str:
    """The run for which the browser asked last; "" if it sent anything else."""
    said = (st.session_state.get(f"{key}.disclosure") or {}).get("ask")
    return said if isinstance(said, str) else ""
