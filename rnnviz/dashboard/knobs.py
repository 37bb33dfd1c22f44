"""One knob: a live slider, or a list, whose range and name come from `experiment.FIELDS`."""

from __future__ import annotations

import streamlit as st

from rnnviz.dashboard import choices, state
from rnnviz.dashboard.components import live_slider
from rnnviz.dashboard.components.slider import any_dragging
from rnnviz.experiment import FIELDS
from rnnviz.wording.tasks import TASK_NAMES
from rnnviz.wording.texts import texts

# Where a knob's useful range is narrower than what is allowed: (low, high, format).
RANGES = {
    "gain": (0.25, 4.0, "%.2f"),
    "memory_bias": (-2.0, 6.0, "%.1f"),
    "seq_len": (10, 500, "%d"),
    "distractor": (0.0, 3.0, "%.1f"),
    "hidden_size": (1, 256, "%d"),
    "batch_size": (1, 64, "%d"),
    "input_scale": (0.0, 4.0, "%.1f"),
    "layers": (1, 4, "%d"),
    "leak": (0.01, 1.0, "%.2f"),
    "skip": (0, 20, "%d"),
}
SLIDERS = tuple(RANGES)
OCTAVES = 1 / 24
LABELS = {"init": "Initializer", "activation": "Activation", "skip": "Skip, steps"}
NAMES = {"task": TASK_NAMES}
"""Choices that have a better name than their own without underscores."""


def is_dragging() -> bool:
    """Whether any knob is being dragged."""
    return any_dragging(SLIDERS)


def slider(name: str, ticks: tuple[float, ...] = (), disabled: bool = False) -> None:
    """A live slider whose range holds what a link or a preset asked for, too, and keeps holding
    it while the knob moves."""
    known, (low, high, fmt) = FIELDS[name], RANGES[name]
    held = (st.session_state[name], getattr(st.session_state[state.ASKED], name))
    live_slider(
        LABELS.get(name, known.label),
        key=name,
        value=known.default,
        low=min(low, *held),
        high=max(high, *held),
        step=OCTAVES if known.log else (known.step or 1),
        log=known.log,
        fmt=_format(held[0], fmt),
        ticks=ticks,
        help=texts("sidebar")[f"help_{name}"],
        disabled=disabled,
        default=known.default,
        on_change=_show_page,
    )


def _format(value: float, fmt: str) -> str:
    """The knob's format, or one with the digits that a value from a link needs."""
    return fmt if abs(float(fmt % value) - value) <= 0.01 * abs(value) else "%.3g"


def _show_page() -> None:
    """Run the page alone: the other knobs do not depend on a slider. All, if a run of all was cut
    short: it may have been about to draw a popover that was opened."""
    if not st.session_state.get(state.CUT_SHORT):
        st.rerun(state.PAGE if is_dragging() else state.WHOLE_PAGE)


def select(name: str) -> None:
    """A list of what a field may be."""
    known, names = FIELDS[name], NAMES.get(name, {})
    st.selectbox(
        LABELS.get(name, known.label),
        options=known.choices,
        format_func=lambda choice: names.get(choice, choice.replace("_", " ")),
        **choices.widget(name),
    )
