"""The script that Streamlit runs for every visitor at every change.

It has a folder of its own because Streamlit takes any folder `pages` beside its script for pages
of another kind.
"""

from __future__ import annotations

from rnnviz.dashboard.main import main
from rnnviz.dashboard.saving import SHARED

main(SHARED)
