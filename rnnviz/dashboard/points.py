"""The points of diagrams, cached for all visitors: a few numbers each."""

from __future__ import annotations

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.sweep import Point, Result, measure

MOST_SECONDS = 1.0
"""Estimated, of one model at one point: a slice of work cannot be shorter."""


@st.cache_resource(max_entries=20_000, show_spinner=False, hash_funcs={Experiment: repr})
def few_numbers(experiment: Experiment) -> tuple[Result, ...]:
    """A result for each model of the experiment."""
    return tuple(measure(Point((), experiment), MOST_SECONDS))
