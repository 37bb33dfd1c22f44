"""Where does learning live?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.dashboard import compute, jobs, layout, show, state
from rnnviz.dashboard.components.browser import finite
from rnnviz.dashboard.jobs import Work
from rnnviz.dashboard.knobs import hear_sliders
from rnnviz.dashboard.state import Setting
from rnnviz.experiment import Experiment
from rnnviz.jobs.phase import RANGES, SIZES, Diagram, advance, follow, make_axis
from rnnviz.views.phase import QUANTITIES, Choices, View, pictures, view
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.names import field_name
from rnnviz.wording.texts import fill, texts

DIAGRAM, CLOCK = "diagram", "cells"
"""Keys of the fragment that a tick runs, and of the clock that ticks."""
ROOM = 28
"""Letters that the last of the choices has room for, as buttons."""


def visit() -> Work[Diagram]:
    """The diagram that this visit sees."""
    return jobs.work(DIAGRAM, jobs.DIAGRAM)


def page(setting: Setting) -> None:
    """Two knobs, a quantity; then the diagram as far as it is."""
    text = texts("phase")
    layout.question(text["question"])
    layout.link_messages(setting.experiment)
    if setting.experiment.loss_at == "every":
        layout.warn(text["every_step_warning"])
    x, y, cells, quantity = _choices()
    work, (wide, high) = visit(), SIZES[cells]
    axes = make_axis(x, wide), make_axis(y, high)
    work.follow(follow(work.job, setting.experiment, *axes))
    _diagram(setting, quantity)


def _choices() -> tuple[str, str, str, str]:
    """Which knob goes across, which up, how many cells, which number."""
    x = layout.kept("view_x", list(RANGES), "gain")
    others = [name for name in RANGES if name != x]
    y = layout.kept("view_y", others, "seq_len" if x != "seq_len" else "gain")
    text = texts("phase")
    with st.container(key="diagram-choices"):
        columns = st.columns([6, 6, 7, 6], vertical_alignment="center")
    with columns[0]:
        x = layout.choice(text["across"], list(RANGES), "view_x", x, lambda n: f"→ {field_name(n)}")
    with columns[1]:
        others = [name for name in RANGES if name != x]
        y = layout.choice(text["up"], others, "view_y", y, lambda n: f"↑ {field_name(n)}")
    with columns[2]:
        cells = layout.choice(text["cells"], list(SIZES), "view_cells", "medium",
                              lambda n: text[f"cells_{n}"])  # fmt: skip
    with columns[3]:
        quantity = layout.choice(text["number"], list(QUANTITIES), "view_number", "slope",
                                 lambda n: text[f"number_{n}"], room=ROOM)  # fmt: skip
    return x, y, cells, quantity


@state.fragment(key=DIAGRAM)
def _diagram(setting: Setting, quantity: str) -> None:
    """Some work if it runs, then the picture. The browser asks for it again and again."""
    work = visit()
    work.turn()
    if work.job is None:
        return
    if work.running and not (work.job.finished or work.leaving is not None):
        work.advance(partial(advance, measure=compute.few_numbers))
    diagram = work.job
    shown, items = _shown(work, diagram, setting.experiment, quantity)
    show.show(items, shown.styles, clicks={"phase": _open})
    _progress(diagram)
    work.tick(CLOCK, more=work.running and not diagram.finished)


def _shown(
    work: Work[Diagram], diagram: Diagram, experiment: Experiment, quantity: str
) -> tuple[View, list[Picture | Words]]:
    x, y = (float(getattr(experiment, axis.name)) for axis in (diagram.x, diagram.y))
    choices = Choices(quantity, (x, y))

    def make() -> tuple[View, list[Picture | Words]]:
        shown = view(diagram, choices)
        return shown, list(pictures(shown))

    return work.picture(choices, diagram.done, not diagram.finished, make)


def _progress(diagram: Diagram) -> None:
    """How far it is, and the button that stops it or lets it go on."""
    if diagram.finished:
        return
    left, right = st.columns([7, 1], vertical_alignment="center")
    with left:
        done, total = diagram.done, diagram.total
        said = fill(texts("phase")["so_far"], done=f"{done:,}", total=f"{total:,}")
        st.progress(done / total, text=said)
    with right:
        label = texts("phase")["cancel" if visit().running else "go_on"]
        st.button(label, key="phase_run", on_click=_turn, width="stretch")


def _turn() -> None:
    visit().running = not visit().running


def _open(point: Mapping[str, Any]) -> None:
    """Set the two knobs as the cell has them, and turn to Gradient flow."""
    work = visit()
    x, y = finite(point.get("x")), finite(point.get("y"))
    if work.job is None or x is None or y is None:
        return
    hear_sliders()
    experiment, _ = state.read()
    axes = work.job.x, work.job.y
    changes: dict[str, Any] = {a.name: a.value(p) for a, p in zip(axes, (x, y), strict=True)}
    work.leave("gradient-flow", replace(experiment, train_steps=0, **changes))


def details(setting: Setting) -> None:
    """The numbers, for those who want them."""
    with layout.lazy(texts("phase")["numbers"]) as opened:
        diagram = visit().job
        if opened and diagram is not None:
            rows = [result.row() for result in diagram.results]
            layout.data_button("phase-diagram", lambda: pd.DataFrame(rows))
