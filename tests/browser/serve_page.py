"""Serves one script named by RNNVIZ_TEST_PAGE exactly as app.py serves the dashboard."""

from __future__ import annotations

import os

import streamlit as st

from rnnviz.dashboard.server import (
    allow_many_files,
    end_on_signals,
    keep_freed_memory,
    middleware,
    routes,
)

keep_freed_memory()
allow_many_files()
end_on_signals()
app = st.App(os.environ["RNNVIZ_TEST_PAGE"], routes=routes(), middleware=middleware())
