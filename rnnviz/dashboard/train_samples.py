"""What the networks do with their task now: a text that they write, pictures that they read."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from rnnviz.core.network import predict
from rnnviz.dashboard import layout
from rnnviz.dashboard.components import live_chart
from rnnviz.dashboard.texts import texts
from rnnviz.dashboard.trainees import Trainee, Training
from rnnviz.experiment import Experiment, make_task
from rnnviz.plots import digits, theme
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import HELD_OUT
from rnnviz.training import sampling

WRITTEN = 80
"""Symbols of a sample."""
GIVEN = 3
"""Symbols that a network is given to begin with."""
TEMPERATURE = 0.7
PICTURES = 10
Styles = dict[str, theme.Style]


def samples(run: Training, batch: Batch, styles: Styles) -> None:
    """Drawn where the task has symbols to write or digits to read."""
    if run.experiment.task in ("digit_rows", "digit_pixels"):
        _digits(run, styles)
    elif batch.x.ndim == 2 and batch.labels:
        _texts(run, batch, styles)


def _texts(run: Training, batch: Batch, styles: Styles) -> None:
    lines = []
    for label, trainee in run.trainees.items():
        if written := sample_text(trainee, batch, run.experiment.seed):
            name = f'<b style="color:{styles[label].colour}">{styles[label].title}</b>'
            lines.append(f"<p>{name} {html.escape(written)}</p>")
    if lines:
        st.html(f'<div class="rnnviz-sample">{"".join(lines)}</div>')
        layout.how_to_read(texts("train")["how_to_read_sample"])


def sample_text(trainee: Trainee, batch: Batch, seed: int) -> str:
    """What the network writes after the first symbols of the batch's first sequence; "" if it
    cannot write: one that reads backwards, or has answers that are no inputs."""
    given = [int(i) for i in batch.x[:GIVEN, 0]]
    params, network = trainee.state.params, trainee.network
    context = None if batch.context is None else batch.context[:, 0]
    try:
        position = sampling.begin(network, params, context)
        position = sampling.read(network, params, position, given)
        rng = np.random.default_rng([seed, trainee.state.step])
        drawn = sampling.sample(network, params, position, rng, WRITTEN, TEMPERATURE)
    except ValueError:
        return ""
    symbols = [batch.labels[i] for i in (*given, *drawn.ids)]
    space = "" if all(len(label) == 1 for label in batch.labels) else " "
    return space.join("⏎" if symbol == "\n" else symbol for symbol in symbols)


def _digits(run: Training, styles: Styles) -> None:
    batch = held_out_pictures(run.experiment)
    answers = {}
    for label, trainee in run.trainees.items():
        y = predict(trainee.network, trainee.state.params, batch)
        answers[label] = y[-1].argmax(axis=0).tolist()
    pictures = batch.x.reshape(-1, PICTURES).T.reshape(PICTURES, 8, 8)
    live_chart(
        digits.digits_figure(pictures, batch.target[-1].tolist(), answers, styles=styles),
        key="digits",
        height=digits.HEIGHT,
        filename="rnnviz-digits",
        alt="Pictures of digits that were never trained on, and each model's answers",
    )
    layout.how_to_read(texts("train")["how_to_read_digits"])


def held_out_pictures(experiment: Experiment) -> Batch:
    """Pictures that training never sees."""
    e = experiment
    return make_task(e).batch(e.seed, e.seq_len, PICTURES, e.loss_at, first=HELD_OUT)
