"""Where a component's files are, on disk and for the browser."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from rnnviz.dashboard.server import SCRIPTS_PATH

HERE = Path(__file__).parent


def loader(name: str) -> str:
    """Give the inline script that fetches the real one, once.

    Streamlit sends a component's inline script along with every update; this keeps updates small
    and lets the scripts import each other.
    """
    return f"""const script = import(new URL("{url(f"{SCRIPTS_PATH}/{name}")}", location.origin));
export default async (component) => (await script).default(component);
"""


def url(path: str) -> str:
    """Put the path the server is mounted under before a path of our own."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{path}" if base else path
