"""The server: the Streamlit script and what a browser needs beside it. `streamlit run app.py`."""

from __future__ import annotations

import os

# One BLAS thread a session: small matrices gain nothing from two, and sessions share the cores.
# NumPy reads these once, so they must be set before anything imports it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from rnnviz.dashboard import compute, jobs, live, votes
from rnnviz.dashboard.metrics import metrics_routes
from rnnviz.dashboard.server import (
    allow_many_files,
    end_on_signals,
    keep_freed_memory,
    middleware,
    routes,
)
from rnnviz.dashboard.unsent import keep_unsent

keep_freed_memory()
allow_many_files()
end_on_signals()
keep_unsent()
compute.memory(), compute.speed(), votes.rooms()  # made at the start, not by the first visitor
jobs.workers()
app = st.App(
    "rnnviz/dashboard/script/run.py",
    routes=[*routes(), *metrics_routes(), live.route(), *votes.routes()],
    middleware=middleware(),
)
