"""What a visitor has chosen, whatever Streamlit forgets.

Streamlit drops the value of a widget that was not drawn in the last run (its popover is closed,
another page is open). So no widget owns a value here: a choice lives in `st.session_state` under
its own name, where any code may read and set it, as `components.live_slider` has it, too. Its
widget has another key, is set to the choice before it is drawn, and writes the choice when the
visitor moves it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

Callback = Callable[[], None]
CHOSEN = object()
"""Stands for the choice's own value."""
MOVED = "moved"
"""Key of the widget that the visitor has moved, until it is drawn again."""
PATH = "path"
"""The page that is open."""
PAGE_VIEWS: dict[str, tuple[str, ...]] = {
    "gradient-flow": ("view_layer", "view_direction", "view_theory", "view_quantity"),
    "spectrum": ("view_model", "view_layer", "view_direction", "view_gate", "view_theory"),
    "gates": ("view_model", "view_layer", "view_direction"),
    "train": (),
    "phase-diagram": ("view_x", "view_y", "view_cells", "view_number"),
    "claims": ("view_claim", "view_units", "view_draws", "view_example"),
}
"""Display choices of each page. They are in its link alone, and never change the network."""
VIEWS = frozenset(view for views in PAGE_VIEWS.values() for view in views)


def view_key(view: str, path: str = "") -> str:
    """Where a page, the open one if none is named, has a display choice of its own."""
    return f"{path or st.session_state[PATH]}.{view}"


def widget(
    name: str, shown: Any = CHOSEN, *, then: Callback | None = None, place: str = "widget"
) -> dict[str, Any]:
    """Key and callback of the Streamlit widget that shows a choice and writes to it.

    Parameters
    ----------
    name : of the choice in `st.session_state`.
    shown : what the widget shows, if that is not the choice as it stands there.
    then : called after the choice has been written, before the script's body.
    place : tells a second widget of the same choice from the first.
    """
    key, value = widget_key(name, place), st.session_state[name] if shown is CHOSEN else shown
    if st.session_state.get(MOVED) == key and st.session_state.get(key) == value:
        del st.session_state[MOVED]  # the browser knows, and may be a click ahead
    else:
        # In every run: a run that is cut short may not have reached the browser, which would show
        # the widget's default, and send that with its next message.
        st.session_state[key] = value
    return {"key": key, "on_change": partial(_write, name, key, then)}


def widget_key(name: str, place: str = "widget") -> str:
    """Under which name Streamlit knows a choice's widget."""
    return f"{name}.{place}"


def _write(name: str, key: str, then: Callback | None) -> None:
    st.session_state[name], st.session_state[MOVED] = st.session_state[key], key
    if then is not None:
        then()
