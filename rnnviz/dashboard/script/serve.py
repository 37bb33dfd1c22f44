"""The server of an installed package, as app.py is that of a clone. `rnnviz app` starts it."""

from __future__ import annotations

import os

# One BLAS thread a session, set before anything imports NumPy: see app.py.
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
    "run.py",
    routes=[*routes(), *metrics_routes(), live.route(), *votes.routes()],
    middleware=middleware(),
)
