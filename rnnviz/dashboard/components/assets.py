"""Where a component's files are, on disk and for the browser."""

from __future__ import annotations

from pathlib import Path

from rnnviz.dashboard.server import SCRIPTS_PATH, url

HERE = Path(__file__).parent


def loader(name: str) -> str:
    """Give the inline script that fetches the real one, once.

    Streamlit sends a component's inline script along with every update; this keeps updates small
    and lets the scripts import each other.
    """
    path = url(f"{SCRIPTS_PATH}/{name}")
    return f"""const script = import(new URL("{path}", location.origin));
export default async (component) => (await script).default(component);
"""
