"""Where does the error go, number by number?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.dashboard import layout
from rnnviz.dashboard.address import language_query
from rnnviz.dashboard.components.by_hand import unrolled
from rnnviz.dashboard.server import url
from rnnviz.dashboard.state import Setting, view_key
from rnnviz.experiment import FIELDS
from rnnviz.experiment.links import VERSION, VERSION_KEY
from rnnviz.views.by_hand import PREFIX, VIEWS, Chain, from_link, to_link
from rnnviz.wording.lists import sentences
from rnnviz.wording.texts import texts

KEY, REFUSED = "by_hand", "by_hand.refused"
"""Names the component; what a link asked for and did not get, with the chain that it got."""


def page(setting: Setting) -> None:
    """One cell, all its numbers. The sidebar's experiment is not in it."""
    text = texts("by_hand")
    layout.question(text["question"])
    layout.link_messages(setting.experiment)
    chain = _chain()
    unrolled(chain, key=KEY, large=_large(), on_change=_change)
    layout.how_to_read(text["how_to_read"])


def _chain() -> Chain:
    """What the link or the browser said last; what of it is not allowed is said."""
    chain, messages = from_link(_asked())
    if messages:
        st.session_state[REFUSED] = chain, messages
        _keep(chain)
    asked, refused = st.session_state.get(REFUSED, (None, ()))
    if asked == chain:
        layout.warn(sentences(refused))
    return chain


def _asked() -> dict[str, str]:
    values = {view: st.session_state.get(view_key(view)) for view in VIEWS}
    return {view.removeprefix(PREFIX): str(value) for view, value in values.items() if value}


def _change(asked: dict[str, str]) -> None:
    """The visitor has changed a number, or gone a step on."""
    chain, _ = from_link(asked)
    _keep(chain)
    st.session_state.pop(REFUSED, None)


def _keep(chain: Chain) -> None:
    """As the page's views, which are in its link."""
    said = to_link(chain)
    for view in VIEWS:
        st.session_state[view_key(view)] = said.get(view.removeprefix(PREFIX))


def _large() -> dict[str, Any]:
    """Gradient flow with its usual size, and every singular value of W_hh the same; the ends of its
    knobs."""
    query = {**language_query(), "init": "orthogonal", VERSION_KEY: str(VERSION)}
    ends = {name: (FIELDS[name].least, FIELDS[name].most) for name in ("gain", "memory_bias")}
    return {"path": url("/"), "query": query, "ends": ends}
