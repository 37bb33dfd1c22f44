"""What a visit has trained outlives its session: a page loaded again, a connection lost.

The browser's tab keeps a token that only it knows; it is never in an address. The server keeps,
under the token, the job itself: a value that never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import streamlit as st

from rnnviz.dashboard import state, trained, training
from rnnviz.dashboard.components.browser import browser_tab, claimed
from rnnviz.dashboard.store import Store, is_token
from rnnviz.dashboard.training import Kept, Visit
from rnnviz.experiment import Experiment, Plan
from rnnviz.experiment.links import from_query, to_query
from rnnviz.jobs.alike import Alike, Shelves
from rnnviz.jobs.training import Training

PLACE = "shared"
"""Where a session has what all visitors share."""
CHOICES = ("train_speed", "train_log", "train_lesson")
"""What else belongs to a training: how fast it goes, and how it is shown."""
BYTES = 2000
"""About what Python takes for the rest of what is saved."""


@dataclass(frozen=True, eq=False)
class Saved:
    """What is kept of a visit; `ghosts` are the runs drawn in grey, `shelves` what it shares with
    those who train the same. Nothing in it ever changes."""

    training: Training
    runs: tuple[Kept, ...]
    choices: Mapping[str, Any]
    ghosts: tuple[int, ...] = ()
    shelves: Shelves | None = None

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return BYTES + self.training.nbytes + sum(run.nbytes for run in self.runs)

    @property
    def parts(self) -> Mapping[int, int]:
        """Of that, what others may have too."""
        return self.training.parts


def save(visit: Visit) -> None:
    """Keep what the visit has trained; forget what it had, if it begins anew. What is kept is
    shared with the visit: while that lasts, it takes no memory, and nothing is copied."""
    saver()(visit)


def saver() -> Callable[[Visit], None]:
    """What saves, with the choices of now, outside a script, too."""
    choices = {name: st.session_state[name] for name in CHOICES if name in st.session_state}
    return partial(_save, st.session_state[PLACE], choices)


def _save(shared: Shared, choices: Mapping[str, Any], visit: Visit) -> None:
    if visit.training is None or not visit.begun:
        shared.saved.drop(visit.token)
        return
    run, shelves = visit.share(shared.alike)
    # A plan of its own: what the visit's has made of its experiment takes no room here.
    run = replace(run, plan=Plan(run.experiment))
    saved = Saved(run, tuple(visit.runs), choices, visit.ghosts, shelves)
    shared.saved.put(visit.token, saved)


def tab() -> None:
    """Let the browser's tab keep the token, and ask for what it kept one for before."""
    visit = training.visit()
    browser_tab(token=visit.token, trained=visit.begun, on_claim=_claim)


def _claim() -> None:
    """The page was loaded again: go on with what was trained before.

    A tab that was duplicated has its original's token: it gets a copy under its own.
    """
    claim, visit = claimed(), training.visit()
    if not is_token(claim.get("token")):
        return
    if not claim.get("copy"):
        visit.token = claim["token"]
    shared: Shared = st.session_state[PLACE]
    saved = shared.saved.get(claim["token"])
    if saved is None:
        visit.lost = bool(claim.get("trained")) and not visit.begun
    else:
        _bring_back(visit, saved)
    st.rerun()


def _bring_back(visit: Visit, saved: Saved) -> None:
    visit.restore(saved.training, saved.runs, saved.ghosts)
    st.session_state.update(saved.choices)
    whole = saved.training.experiment
    if trained.untrained(st.session_state["last_good"]) in _linked(whole):
        steps = st.session_state["train_steps"]
        state.adopt(replace(whole, train_steps=steps))  # an address has no room for a long text
    save(visit)


def _linked(experiment: Experiment) -> tuple[Experiment, ...]:
    """What a link to this experiment opens, and its address."""
    return tuple(from_query(to_query(experiment, whole))[0] for whole in (True, False))


@dataclass(frozen=True, eq=False)
class Shared:
    """saved: what visitors have trained, by the token of their browser's tab; alike: what several
    of them have of it."""

    saved: Store[Saved] = field(default_factory=Store)
    alike: Alike = field(default_factory=Alike)


SHARED = Shared()
