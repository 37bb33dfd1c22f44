"""Untrained or trained: which weights the Gates page shows, one click apart."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rnnviz.dashboard import layout, state
from rnnviz.dashboard.choices import view_key
from rnnviz.experiment import Experiment
from rnnviz.experiment.checkpoints import TRAINED

WEIGHTS = "weights"
UNTRAINED = "untrained"
NAMES = {UNTRAINED: "untrained", "delayed_recall": "trained on recall", "text": "on text"}
ROOM, NARROW = 68, 156


def choice(experiment: Experiment, narrow: bool) -> None:
    """The initial weights, or those of a network that comes trained; `narrow`: as a list."""
    now = shown(experiment)
    names = NAMES if now in NAMES else {**NAMES, now: now}
    st.session_state[view_key(WEIGHTS)] = now
    layout.choice("Weights", list(names), WEIGHTS, now, names.__getitem__,
                  NARROW if narrow else None, _choose, ROOM)  # fmt: skip


def shown(experiment: Experiment) -> str:
    """What the experiment's weights are: a key of NAMES, or "after … steps" of a training of the
    visitor's own."""
    if not experiment.train_steps:
        return UNTRAINED
    recipes = {replace(e, models=experiment.models): task for task, e in TRAINED.items()}
    return recipes.get(experiment, f"after {experiment.train_steps:,} steps")


def _choose() -> None:
    """Another network takes all knobs along; the same one untrained keeps them."""
    wanted = st.session_state.get(view_key(WEIGHTS))
    if wanted in TRAINED:
        state.adopt(TRAINED[wanted])
    elif wanted == UNTRAINED:
        st.session_state["train_steps"] = 0
    st.rerun()  # the sidebar's knobs too
