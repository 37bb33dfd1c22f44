"""The runs of this visit: a table, ghosts, downloads, links."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from rnnviz.analysis.courses import Course
from rnnviz.analysis.labels import display_name
from rnnviz.dashboard import layout, state
from rnnviz.dashboard.choices import widget
from rnnviz.dashboard.texts import fill, texts
from rnnviz.dashboard.train_controls import GHOSTS
from rnnviz.dashboard.training import WORTH_KEEPING, Kept, Visit, changes, kept
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.links import to_query


def ghosts(visit: Visit) -> tuple[Course, ...]:
    """The courses that are drawn in grey, under names that say which run they are of."""
    chosen = st.session_state.get(GHOSTS) or []
    runs = [run for run in visit.runs if run.number in chosen]
    return tuple(
        replace(course, label=f"run {run.number} {display_name(course.label)}")
        for run in runs
        for course in run.courses
    )


def runs_table(visit: Visit) -> None:
    """Every run, this one last; pick earlier ones to draw, download all, copy a link."""
    runs = [*visit.runs]
    if visit.training is not None and visit.training.furthest:
        runs.append(kept(visit.training))
    if not runs:
        return
    st.markdown("**Runs of this visit**")
    layout.table(frame(runs))
    layout.how_to_read(fill(texts("train")["runs"], least=WORTH_KEEPING))
    with st.container(horizontal=True, vertical_alignment="center"):
        _choose_ghosts([run.number for run in visit.runs])
        _downloads(runs)
        _links(runs)


def frame(runs: list[Kept]) -> pd.DataFrame:
    """One row a model of each run: settings that differ from the defaults, and the result."""
    rows = [
        {
            "run": run.number,
            "model": display_name(course.label),
            "training steps": course.last_step,
            "loss": course.loss,
            "metric": course.metric,
            "clipped": f"{course.clipped_share:.0%}",
            "ended": course.event or "",
            "settings": changes(Experiment(), run.experiment, most=99) or "the defaults",
        }
        for run in runs
        for course in run.courses
    ]
    return pd.DataFrame(rows)


def curves_frame(runs: list[Kept]) -> pd.DataFrame:
    """One row a recorded step of each model of each run."""
    names = ("loss_per_answer", "metric", "norm_before", "norm_after", "clipped")
    parts = [
        pd.DataFrame(
            {
                "run": run.number,
                "model": course.label,
                "step": course.curves.steps,
                **{name: getattr(course.curves, name) for name in names},
            }
        )
        for run in runs
        for course in run.courses
    ]
    return pd.concat(parts, ignore_index=True)


def as_json(runs: list[Kept]) -> str:
    """Every run with its whole experiment, its results and its curves."""
    return json.dumps([_run(run) for run in runs], indent=1, allow_nan=False)


def _run(run: Kept) -> dict[str, Any]:
    models = [
        {
            "label": course.label,
            "loss": _plain(course.loss),
            "metric": _plain(course.metric),
            "event": course.event,
            "steps": course.curves.steps.tolist(),
            "loss_per_answer": [_plain(v) for v in course.curves.loss_per_answer.tolist()],
        }
        for course in run.courses
    ]
    experiment = asdict(run.experiment)
    return {"run": run.number, "updates": run.updates, "link": link_of(run),
            "experiment": experiment, "models": models}  # fmt: skip


def _plain(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None


def link_of(run: Kept) -> str:
    """The query that repeats a run: its experiment, trained for as many steps."""
    steps = min(run.updates, int(FIELDS["train_steps"].high))
    return urlencode(to_query(replace(run.experiment, train_steps=steps)))


def _choose_ghosts(numbers: list[int]) -> None:
    if not numbers:
        return
    chosen = [n for n in st.session_state.get(GHOSTS) or [] if n in numbers]
    st.session_state[GHOSTS] = chosen
    st.pills(
        "Draw in grey",
        numbers,
        selection_mode="multi",
        format_func=lambda n: f"run {n}",
        **widget(GHOSTS, then=partial(st.rerun, state.WHOLE_PAGE)),
    )


def _downloads(runs: list[Kept]) -> None:
    layout.data_button("runs", lambda: curves_frame(runs))
    st.download_button(
        "Data: runs (JSON)",
        data=lambda: as_json(runs).encode(),
        file_name="runs.json",
        mime="application/json",
        on_click="ignore",
        key="json-runs",
    )


def _links(runs: list[Kept]) -> None:
    with st.popover("Links", key="run_links", on_change="rerun") as opened:
        if opened.open:
            base = (st.context.url or "").partition("?")[0]
            for run in runs:
                st.caption(f"Run {run.number}, {run.updates:,} training steps")
                st.code(f"{base}?{link_of(run)}", language=None, wrap_lines=True)
