"""Turning to another page with other knobs, from a page that asks for work all the time.

What the browser had sent before it knew of the click comes with the knobs as they were, and would
bring them back. So the page is turned at the tick that answers the click.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from rnnviz.dashboard import state
from rnnviz.dashboard.components.clock import told
from rnnviz.experiment import Experiment


@dataclass(eq=False)
class Turning:
    """asked: the page and the experiment that a click asked for; path: the page to turn to now."""

    asked: tuple[str, Experiment] | None = None
    path: str = ""

    def ask(self, path: str, experiment: Experiment) -> None:
        """Of a click. The clock must tell the browser a new count with the next run."""
        self.asked = path, experiment

    def hear(self, key: str, count: int) -> None:
        """Of a tick, before the script's body: set the knobs, if the browser knows of the click:
        its clock's count is the present one."""
        if self.asked is not None and told(key) == count:
            (self.path, experiment), self.asked = self.asked, None
            state.adopt(experiment)
            st.session_state["preset"] = state.preset_of(experiment)

    def turn(self) -> None:
        """In the script's body: leave, if it is time."""
        if self.path:
            path, self.path = self.path, ""
            st.switch_page(st.session_state["pages"][path])
