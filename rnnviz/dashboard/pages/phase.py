"""Where does learning live?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.dashboard import layout, state
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.components.clock import clock
from rnnviz.dashboard.components.numbers import finite
from rnnviz.dashboard.diagram import RANGES, SIZES, Diagram, make_axis, visit
from rnnviz.dashboard.state import Setting
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.plots import phase as plots
from rnnviz.plots import theme
from rnnviz.plots.drawing import Drawing
from rnnviz.wording.phase import phase_words
from rnnviz.wording.texts import texts

QUANTITIES = {"slope": "slope", "horizon": "horizon", "reach": "final gradient",
              "lambda_1": "λ₁"}  # fmt: skip
HEIGHT = 400
DIAGRAM, CLOCK = "diagram", "cells"
"""Keys of the fragment that a tick runs, and of the clock that ticks."""


def page(setting: Setting) -> None:
    """Two knobs, a quantity; then the diagram as far as it is."""
    text = texts("phase")
    layout.question(text["question"])
    layout.link_messages(setting.experiment)
    if setting.experiment.loss_at == "every":
        layout.warn(text["every_step_warning"])
    x, y, cells, quantity = _choices()
    if not setting.dragging:
        wide, high = SIZES[cells]
        visit().follow(setting.experiment, make_axis(x, wide), make_axis(y, high))
    _diagram(setting, quantity)


def _choices() -> tuple[str, str, str, str]:
    """Which knob goes across, which up, how many cells, which number."""
    x = layout.kept("view_x", list(RANGES), "gain")
    others = [name for name in RANGES if name != x]
    y = layout.kept("view_y", others, "seq_len" if x != "seq_len" else "gain")
    columns = st.columns([5, 5, 6, 6], vertical_alignment="center")
    with columns[0]:
        x = layout.choice("Across", list(RANGES), "view_x", x, lambda n: f"→ {FIELDS[n].label}")
    with columns[1]:
        others = [name for name in RANGES if name != x]
        y = layout.choice("Up", others, "view_y", y, lambda n: f"↑ {FIELDS[n].label}")
    with columns[2]:
        cells = layout.choice("Cells", list(SIZES), "view_cells", "medium")
    with columns[3]:
        quantity = layout.choice("Number", list(QUANTITIES), "view_number", "slope",
                                 QUANTITIES.__getitem__)  # fmt: skip
    return x, y, cells, quantity


@st.fragment(key=DIAGRAM)
def _diagram(setting: Setting, quantity: str) -> None:
    """Some work if it runs, then the picture. The browser asks for it again and again."""
    mine, text = visit(), texts("phase")
    mine.turning.turn()
    diagram, leaving = mine.diagram, mine.turning.asked is not None
    if diagram is None:
        return
    if mine.running and not (diagram.finished or setting.dragging or leaving):
        diagram.advance()
    _figure(diagram, setting.experiment, quantity)
    layout.how_to_read(text[f"how_to_read_{quantity}"])
    _progress(diagram)
    going = (mine.running and not diagram.finished) or leaving
    clock(key=CLOCK, running=going, count=diagram.slices, on_tick=_tick)


def _figure(diagram: Diagram, experiment: Experiment, quantity: str) -> None:
    styles = theme.model_styles([str(model) for model in experiment.models])
    x, y = (float(getattr(experiment, axis.name)) for axis in (diagram.x, diagram.y))

    def make() -> tuple[tuple[str, ...], Drawing]:
        grids, words = diagram.grids(quantity), phase_words(diagram.grids("slope"), y)
        return words, plots.phase_figure.plain(grids, here=(x, y), styles=styles, height=HEIGHT)

    words, figure = diagram.picture((quantity, x, y), make)
    layout.verdict(words or ("Nothing is computed yet.",), styles)
    live_chart(
        figure,
        key="phase",
        height=HEIGHT,
        filename=f"rnnviz-phase-{quantity}",
        alt=f"{QUANTITIES[quantity]} over {diagram.x.label} and {diagram.y.label}, a panel a model",
        on_click=_open,
    )


def _progress(diagram: Diagram) -> None:
    """How far it is, and the button that stops it or lets it go on."""
    mine = visit()
    if diagram.finished:
        return
    left, right = st.columns([7, 1], vertical_alignment="center")
    with left:
        share = diagram.done / diagram.total
        st.progress(share, text=f"{diagram.done:,} of {diagram.total:,} runs")
    with right:
        label = "Cancel" if mine.running else "Go on"
        st.button(label, key="phase_run", on_click=_turn, width="stretch")


def _turn() -> None:
    visit().running = not visit().running


def _tick() -> None:
    """Before a slice."""
    mine = visit()
    if mine.diagram is not None:
        mine.turning.hear(CLOCK, mine.diagram.slices)


def _open(point: Mapping[str, Any]) -> None:
    """Set the two knobs as the cell has them, and turn to Gradient flow."""
    mine = visit()
    x, y = finite(point.get("x")), finite(point.get("y"))
    if mine.diagram is None or x is None or y is None:
        return
    experiment, _ = state.read()
    axes = mine.diagram.x, mine.diagram.y
    changes: dict[str, Any] = {a.name: a.value(p) for a, p in zip(axes, (x, y), strict=True)}
    mine.diagram.slices += 1
    mine.turning.ask("gradient-flow", replace(experiment, train_steps=0, **changes))


def details(setting: Setting) -> None:
    """The numbers, for those who want them."""
    with layout.lazy("Numbers: every run of this diagram") as opened:
        diagram = visit().diagram
        if opened and diagram is not None:
            rows = [result.row() for result in diagram.results]
            layout.data_button("phase-diagram", lambda: pd.DataFrame(rows))
