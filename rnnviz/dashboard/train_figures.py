"""The figures of the Train page, at the last training step or at the one that is scrubbed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from rnnviz.analysis.courses import Course
from rnnviz.dashboard import compute, layout
from rnnviz.dashboard import train_controls as controls
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.components.scrubber import Series, scrubber
from rnnviz.dashboard.runs_table import ghosts
from rnnviz.dashboard.train_gates import gate_courses
from rnnviz.dashboard.train_samples import samples
from rnnviz.dashboard.trainees import Training
from rnnviz.dashboard.training import Visit
from rnnviz.experiment import Experiment, make_task
from rnnviz.plots import theme
from rnnviz.plots import training as plots
from rnnviz.plots import training_gradients as gradients
from rnnviz.plots import training_weights as weights
from rnnviz.training import METRICS
from rnnviz.wording.texts import fill, texts
from rnnviz.wording.training import clip_words, course_words, loss_words

Array = np.ndarray
COARSE = 60
"""Columns of a heatmap while it plays."""
CHECKPOINTS = 16
"""Networks that the scrubber goes through, for what is not recorded at every training step."""
LOSS_HEIGHT, MAP_HEIGHT, LOW_HEIGHT = 196, 180, 230
Styles = dict[str, theme.Style]


def first_screen(visit: Visit, run: Training, on_command: Callable[[str, int], None]) -> None:
    """Verdict, scrubber, loss and metric, gradient over training."""
    courses = run.courses()
    styles = theme.model_styles([course.label for course in courses])
    baseline, words = _baseline(run.experiment)
    metric = METRICS[compute.plan(run.experiment).batch.loss]
    said = course_words(courses, baseline, words, metric)
    layout.verdict(said if visit.ahead is None else [_ahead(visit.ahead)], styles)
    controls.troubles(run)
    _scrubber(visit, run, courses, styles, on_command)
    figure = plots.loss_figure.plain(
        courses,
        baseline,
        also=_ngram_level(run.experiment),
        ghosts=ghosts(visit),
        playing=visit.playing,
        least=run.goal or 0,
        metric_name=metric,
        log=controls.log_loss(),
        styles=styles,
        height=LOSS_HEIGHT,
    )
    live_chart(
        figure,
        key="loss",
        height=LOSS_HEIGHT,
        step_axis=True,
        revision=run.zoom,
        filename="rnnviz-loss",
        alt="Loss and metric over training steps, one line a model, with the baseline",
    )
    layout.how_to_read(texts("train")["how_to_read_loss"])
    _maps(run, courses, styles, COARSE if visit.playing else gradients.COLUMNS)


def _ahead(run: Training) -> str:
    """How far the run is that a lesson compares with."""
    done, goal = run.updates, run.goal or run.updates
    return fill(texts("train")["ahead"], done=f"{done:,}", goal=f"{goal:,}")


def _baseline(experiment: Experiment) -> tuple[float | None, str]:
    """The loss per answer of the best answer that ignores the sequence, and its words."""
    task = make_task(experiment)
    value = task.baseline_at(experiment.seq_len, experiment.loss_at)
    if value is None:
        return None, ""
    return value, task.baseline_words(experiment.seq_len, experiment.loss_at)


def _ngram_level(experiment: Experiment) -> dict[str, float]:
    """What an n-gram model reaches on held-out text, to draw beside the baseline."""
    found = compute.ngram(experiment) if experiment.loss_at == "every" else None
    return {} if found is None else {f"best n-gram (n = {found[0]})": found[1]}


def _scrubber(
    visit: Visit,
    run: Training,
    courses: Sequence[Course],
    styles: Styles,
    on_command: Callable[[str, int], None],
) -> None:
    furthest = max(courses, key=lambda course: (course.last_step, len(course.curves.steps)))
    steps = furthest.curves.steps[-1:] if visit.playing else furthest.curves.steps
    colours = {c.label: styles[c.label].colour for c in courses}
    series = [
        Series(styles[label].title, colour, theme.DARK.get(colour, colour), _at(c, steps))
        for c, (label, colour) in zip(courses, colours.items(), strict=True)
    ]
    scrubber(
        key="training-step",
        run=str(run.number),
        steps=steps,
        series=series,
        playing=visit.playing,
        every=controls.pace().every,
        on_command=on_command,
        show=controls.SHOW,
    )


def _at(course: Course, steps: Array) -> list[str]:
    """The loss at each of these steps, or at the last recorded one before it."""
    rows = np.searchsorted(course.curves.steps, steps, side="right") - 1
    return [loss_words(course.loss_at(int(row))) for row in rows]


def _maps(run: Training, courses: Sequence[Course], styles: Styles, columns: int) -> None:
    live_chart(
        gradients.state_heatmaps.plain(
            courses, styles=styles, height=MAP_HEIGHT, most_columns=columns
        ),
        key="state-maps",
        height=MAP_HEIGHT,
        step_axis=True,
        revision=run.zoom,
        filename="rnnviz-gradient-over-training",
        alt="Gradient norm over training step and time step, log10, one panel a model",
    )
    layout.how_to_read(texts("train")["how_to_read_maps"])


def below_the_fold(visit: Visit, run: Training) -> None:
    """Gradient through time, its norm, the weights and the gates."""
    courses = run.courses()
    styles = theme.model_styles([course.label for course in courses])
    left, right = st.columns(2)
    with left:
        _profile(run, courses, styles, scrubbing=not visit.playing)
    with right:
        _norms(run, courses, styles)
    live_chart(
        weights.spectrum_figure.plain(courses, styles=styles, height=LOW_HEIGHT),
        key="spectra-course",
        height=LOW_HEIGHT,
        step_axis=True,
        revision=run.zoom,
        filename="rnnviz-singular-values-over-training",
        alt="Singular values and spectral radius of the recurrent weights over training",
    )
    layout.how_to_read(texts("train")["how_to_read_spectra"])
    # While it plays the last checkpoint alone; else more of them, for the scrubber.
    most = 1 if visit.playing else CHECKPOINTS
    _gates(run, styles, most)
    samples(run, compute.plan(run.experiment).batch, styles, most)


def _profile(run: Training, courses: Sequence[Course], styles: Styles, scrubbing: bool) -> None:
    live_chart(
        gradients.profile_figure.plain(courses, styles=styles, height=LOW_HEIGHT),
        key="profile",
        height=LOW_HEIGHT,
        time_axis=True,
        revision=run.zoom,
        tracks=gradients.profile_tracks(courses) if scrubbing else (),
        filename="rnnviz-gradient-through-time",
        alt="Gradient norm at each time step at the chosen training step, one line a model",
    )
    layout.how_to_read(texts("train")["how_to_read_profile"])


def _norms(run: Training, courses: Sequence[Course], styles: Styles) -> None:
    limit = controls.clip_limit(run.experiment)
    live_chart(
        gradients.norm_figure.plain(courses, limit, styles=styles, height=LOW_HEIGHT),
        key="norms",
        height=LOW_HEIGHT,
        step_axis=True,
        revision=run.zoom,
        filename="rnnviz-gradient-norm",
        alt="Norm of the whole gradient before and after clipping over training, log10",
    )
    how = "how_to_read_norms_free" if limit is None else "how_to_read_norms"
    layout.how_to_read(f"{texts('train')[how]} {clip_words(courses, limit)}")


def _gates(run: Training, styles: Styles, most: int) -> None:
    found = gate_courses(run, compute.plan(run.experiment).batch, most)
    live_chart(
        weights.gate_course_figure.plain(found, styles=styles, height=LOW_HEIGHT),
        key="gate-course",
        height=LOW_HEIGHT,
        time_axis=True,
        revision=run.zoom,
        tracks=weights.gate_tracks(found) if most > 1 else (),
        filename="rnnviz-gates-over-training",
        alt="The memory gate of each unit at each step at the chosen training step",
    )
    layout.how_to_read(texts("train")["how_to_read_gates"])
