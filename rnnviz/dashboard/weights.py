"""Untrained or trained: which weights the Gates page shows, one click apart."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rnnviz.dashboard import layout, state
from rnnviz.dashboard.choices import view_key
from rnnviz.experiment import Experiment
from rnnviz.experiment.checkpoints import TRAINED
from rnnviz.wording.texts import fill, texts

WEIGHTS = "weights"
UNTRAINED = "untrained"
NAMES = (UNTRAINED, "delayed_recall", "text")
"""Weights that are always there to be chosen."""
ROOM, NARROW = 68, 156


def choice(experiment: Experiment, narrow: bool) -> None:
    """The initial weights, or those of a network that comes trained; `narrow`: as a list."""
    now = shown(experiment)
    names = NAMES if now in NAMES else (*NAMES, now)
    st.session_state[view_key(WEIGHTS)] = now
    layout.choice("Weights", names, WEIGHTS, now, _called,
                  NARROW if narrow else None, _choose, ROOM)  # fmt: skip


def shown(experiment: Experiment) -> str:
    """What the experiment's weights are: one of NAMES, or "after … steps" of a training of the
    visitor's own."""
    if not experiment.train_steps:
        return UNTRAINED
    recipes = {replace(e, models=experiment.models): task for task, e in TRAINED.items()}
    return recipes.get(experiment, _after(experiment.train_steps))


def _after(steps: int) -> str:
    return fill(texts("gates")["weights_after"], steps=f"{steps:,}")


def _called(weights: str) -> str:
    return texts("gates")[f"weights_{weights}"] if weights in NAMES else weights


def _choose() -> None:
    """Another network takes all knobs along; the same one untrained keeps them."""
    wanted = st.session_state.get(view_key(WEIGHTS))
    if wanted in TRAINED:
        state.adopt(TRAINED[wanted])
    elif wanted == UNTRAINED:
        st.session_state["train_steps"] = 0
    st.rerun()  # the sidebar's knobs too
