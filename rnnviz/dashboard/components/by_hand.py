"""A small cell, unrolled, that the browser computes, draws and lets be changed in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from rnnviz.dashboard.components.browser import HERE, finite, loader
from rnnviz.plots import theme
from rnnviz.views.by_hand import ACTIVATIONS, GATES, MOST, STEPS, UNITS, Chain, default
from rnnviz.wording.glossary import definition
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import texts

DEFINE = "define_"

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
    large : {"path", "query"} of the page that the button to many units opens, its model left out.
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


def furnishings() -> dict[str, Any]:
    """What the browser's part needs beside the chain: words, colours, defaults, limits."""
    text = texts("chain")
    of_house = {"error": definition("error")}
    return {
        "words": {name: said for name, said in text.items() if not name.startswith(DEFINE)},
        "definitions": of_house
        | {n.removeprefix(DEFINE): text[n] for n in text if n.startswith(DEFINE)},
        "names": {cell: display_name(cell) for cell in GATES},
        "colours": {cell: _both(theme.model_colour(cell)) for cell in GATES},
        "defaults": {
            cell: {units: in_numbers(default(cell, units)) for units in UNITS} for cell in GATES
        },
        "activations": ACTIVATIONS,
        "steps": STEPS,
        "most": MOST,
    }


def in_numbers(chain: Chain) -> dict[str, Any]:
    """A chain as the browser has it."""
    return {**asdict(chain), "units": int(chain.units)}


def _both(colour: str) -> tuple[str, str]:
    """A colour on a light page and on a dark one."""
    return colour, theme.DARK.get(colour, colour)


def _texts_of(asked: object) -> dict[str, str]:
    """What of a browser's message may be read as a link: texts by name."""
    items = asked.items() if isinstance(asked, dict) else ()
    return {name: value for name, value in items if isinstance(value, str)}
