"""Between a page and its browser: where a component's script is, numbers as a browser sends them,
the clock that asks for the next slice of work, and the tab, as far as it outlives a session.

JSON as Python reads it has integers of any length, Infinity and NaN; most of what is done with
them raises OverflowError. So what a browser sends is read here and nowhere else. The tab keeps a
token, and claims what is kept under it when the page is loaded again or a new session has begun.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.dashboard.server import SCRIPTS_PATH, url

HERE = Path(__file__).parent
TAB_KEY = "visit.tab"


def loader(name: str) -> str:
    """Give the inline script that fetches the real one, once.

    Streamlit sends a component's inline script along with every update; this keeps updates small
    and lets the scripts import each other.
    """
    path = url(f"{SCRIPTS_PATH}/{name}")
    return f"""const script = import(new URL("{path}", location.origin));
export default async (component) => (await script).default(component);
"""


_CLOCK = st.components.v2.component("rnnviz_clock", js=loader("clock.js"))
_TAB = st.components.v2.component("rnnviz_tab", js=loader("tab.js"))


def number(value: object) -> float | None:
    """A number, infinite where it is too large for a float; None for NaN and all other things."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    try:
        read = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return None if math.isnan(read) else read


def finite(value: object) -> float | None:
    """A finite number; None for all other things."""
    read = number(value)
    return read if read is not None and math.isfinite(read) else None


def clock(*, key: str, running: bool, count: int, on_tick: Callable[[], None]) -> None:
    """Draw nothing; call `on_tick` before the script's body for each slice.

    Parameters
    ----------
    key : names it on its page.
    running : whether it asks for slices.
    count : of the slices so far; a new one tells the browser that the last was done.
    on_tick : called for every slice that the browser asks for.
    """
    data = json.dumps({"running": running, "count": count}).encode()
    _CLOCK(key=f"{key}.clock", data=data, on_tick_change=on_tick)


def ticked(key: str) -> int | None:
    """The count that the browser knew of when it ticked last."""
    said = st.session_state.get(f"{key}.clock") or {}
    count: int | None = said.get("tick")
    return count


def browser_tab(*, token: str, trained: bool, on_claim: Callable[[], None]) -> None:
    """Draw nothing.

    Parameters
    ----------
    token : what the tab is to keep, if it does not keep another one.
    trained : whether anything is kept under it; comes back with a claim.
    on_claim : called, before the script's body, when the tab keeps another token; see `claimed`.
    """
    _TAB(key=TAB_KEY, data={"token": token, "trained": trained}, on_claim_change=on_claim)


def claimed() -> dict[str, Any]:
    """What the tab claims: {"token", "copy", "trained"}, none of it checked; copy: the token is
    another tab's, of which this one is a duplicate."""
    claim = (st.session_state.get(TAB_KEY) or {}).get("claim")
    return claim if isinstance(claim, dict) else {}
