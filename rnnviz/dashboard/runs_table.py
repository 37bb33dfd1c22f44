"""The runs of this visit: a table, ghosts, downloads, links."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from rnnviz.analysis.courses import Course
from rnnviz.dashboard import layout, state, training
from rnnviz.dashboard.state import widget
from rnnviz.dashboard.train_controls import GHOSTS
from rnnviz.dashboard.training import MOST_KEPT, WORTH_KEEPING, Kept, Visit, kept
from rnnviz.experiment import FIELDS, Experiment
from rnnviz.experiment.links import to_query
from rnnviz.wording.changes import changes
from rnnviz.wording.lists import sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import percent
from rnnviz.wording.texts import fill, say, texts
from rnnviz.wording.training import event_words


def ghosts(visit: Visit) -> tuple[Course, ...]:
    """The courses that are drawn in grey, under names that say which run they are of."""
    found = [(run.number, run.courses) for run in visit.runs if run.number in visit.ghosts]
    if (ahead := visit.ahead.job) is not None:
        found.append((ahead.number, ahead.courses()))
    return tuple(
        replace(course, label=_ghost_name(number, course.label))
        for number, courses in found
        for course in courses
    )


def _ghost_name(number: int, label: str) -> str:
    return say("train", "run_name", number=number, model=display_name(label))


def runs_table(visit: Visit) -> None:
    """The earlier runs that got somewhere, then this one; pick earlier ones to draw, download all,
    copy a link."""
    runs = [*visit.runs]
    if visit.training is not None and visit.training.furthest:
        runs.append(kept(visit.training))
    if not runs:
        return
    st.markdown(texts("train")["runs_title"])
    layout.table(frame(runs))
    layout.how_to_read(_listed(visit, runs))
    with st.container(horizontal=True, vertical_alignment="center"):
        _choose_ghosts(visit)
        _downloads(runs)
        _links(runs)


def _listed(visit: Visit, runs: list[Kept]) -> str:
    """What the table lists, and what can be chosen from it."""
    text = texts("train")
    if not visit.runs:
        return fill(text["runs_this"], least=WORTH_KEEPING)
    listed = text["runs_with_this"] if len(runs) > len(visit.runs) else text["runs_earlier"]
    return sentences([fill(listed, least=WORTH_KEEPING, most=MOST_KEPT), text["runs_choose"]])


def frame(runs: list[Kept]) -> pd.DataFrame:
    """One row a model of each run: settings that differ from the defaults, and the result."""
    text = texts("train")
    rows = [
        {
            text["column_run"]: run.number,
            text["column_model"]: display_name(course.label),
            text["column_steps"]: course.last_step,
            text["column_loss"]: course.loss,
            text["column_metric"]: course.metric,
            text["column_clipped"]: percent(course.clipped_share),
            text["column_ended"]: event_words(course),
            text["column_settings"]: changes(Experiment(), run.experiment, most=99)
            or text["defaults"],
        }
        for run in runs
        for course in run.courses
    ]
    return pd.DataFrame(rows)


def curves_frame(runs: list[Kept]) -> pd.DataFrame:
    """One row a recorded step of each model of each run."""
    names = ("loss_per_answer", "metric", "held_out_loss", "held_out_metric", "norm_before",
             "norm_after", "clipped")  # fmt: skip
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
            **{
                name: [_plain(v) for v in getattr(course.curves, name).tolist()]
                for name in ("loss_per_answer", "held_out_loss", "held_out_metric")
            },
        }
        for course in run.courses
    ]
    experiment = asdict(run.experiment)
    return {"run": run.number, "updates": run.updates, "link": link_of(run),
            "experiment": experiment, "models": models}  # fmt: skip


def _plain(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None


def link_of(run: Kept) -> str:
    """The query that repeats a run: its experiment, trained for as many steps; "" where these are
    more than a link may ask for."""
    if run.updates > FIELDS["train_steps"].page_high:
        return ""
    return urlencode(to_query(replace(run.experiment, train_steps=run.updates)))


def _choose_ghosts(visit: Visit) -> None:
    """The visit knows what is chosen, not the widget: it is not drawn while training plays, and
    then the browser would bring back what another lesson had."""
    numbers = [run.number for run in visit.runs]
    if not numbers:
        return
    st.session_state[GHOSTS] = [n for n in visit.ghosts if n in numbers]
    st.pills(
        texts("train")["runs_draw"],
        numbers,
        selection_mode="multi",
        format_func=lambda n: say("train", "run_number", number=n),
        **widget(GHOSTS, default="default", then=_ghosts_chosen),
    )


def _ghosts_chosen() -> None:
    training.visit().ghosts = tuple(st.session_state[GHOSTS])
    st.rerun(state.WHOLE_PAGE)


def _downloads(runs: list[Kept]) -> None:
    layout.data_button("runs", lambda: curves_frame(runs))
    st.download_button(
        say("layout", "data_json", name="runs"),
        data=lambda: as_json(runs).encode(),
        file_name="runs.json",
        mime="application/json",
        on_click="ignore",
        key="json-runs",
    )


def _links(runs: list[Kept]) -> None:
    with st.popover(texts("train")["links"], key="run_links", on_change="rerun") as opened:
        if opened.open:
            base = (st.context.url or "").partition("?")[0]
            for run in runs:
                query, most = link_of(run), int(FIELDS["train_steps"].page_high)
                text = texts("train")["runs_link" if query else "runs_no_link"]
                st.caption(
                    fill(text, number=run.number, steps=f"{run.updates:,}", most=f"{most:,}")
                )
                if query:
                    st.code(f"{base}?{query}", language=None, wrap_lines=True)
