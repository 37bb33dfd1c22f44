"""The points of diagrams, cached for all visitors: a few numbers each."""

from __future__ import annotations

import streamlit as st

from rnnviz.dashboard import compute
from rnnviz.experiment import Experiment, check_size
from rnnviz.sweep import Point, Result, cost_of, measure

MOST_SECONDS = 1.0
"""Estimated, of one model at one point: a slice of work cannot be shorter."""


@st.cache_resource(max_entries=20_000, show_spinner=False, hash_funcs={Experiment: repr})
def few_numbers(experiment: Experiment) -> tuple[Result, ...]:
    """A result for each model of the experiment."""
    size = 0
    if not check_size(experiment, max_seconds=MOST_SECONDS, cost_of=cost_of):
        size = cost_of(experiment).bytes
    with compute.memory().room(size, compute.courteous()):
        return tuple(measure(Point((), experiment), MOST_SECONDS))
