"""The browser's tab, as far as it outlives a session: it keeps a token, and claims what is kept
under it when the page is loaded again or a new session has begun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from rnnviz.dashboard.components.assets import loader

_TAB = st.components.v2.component("rnnviz_tab", js=loader("tab.js"))
KEY = "visit.tab"


def browser_tab(*, token: str, trained: bool, on_claim: Callable[[], None]) -> None:
    """Draw nothing.

    Parameters
    ----------
    token : what the tab is to keep, if it does not keep another one.
    trained : whether anything is kept under it; comes back with a claim.
    on_claim : called, before the script's body, when the tab keeps another token; see `claimed`.
    """
    _TAB(key=KEY, data={"token": token, "trained": trained}, on_claim_change=on_claim)


def claimed() -> dict[str, Any]:
    """What the tab claims: {"token", "copy", "trained"}, none of it checked; copy: the token is
    another tab's, of which this one is a duplicate."""
    claim = (st.session_state.get(KEY) or {}).get("claim")
    return claim if isinstance(claim, dict) else {}
