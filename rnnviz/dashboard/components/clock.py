"""Asks for the next slice of work, in the fragment that it stands in, as long as there is some."""

from __future__ import annotations

import json
from collections.abc import Callable

import streamlit as st

from rnnviz.dashboard.components.assets import loader

_CLOCK = st.components.v2.component("rnnviz_clock", js=loader("clock.js"))


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


def told(key: str) -> int | None:
    """The count that the browser knew of when it ticked last."""
    said = st.session_state.get(f"{key}.clock") or {}
    count: int | None = said.get("tick")
    return count
