"""Equations of the chosen cells, one click away, with this run's sizes."""

from __future__ import annotations

import streamlit as st

from rnnviz.dashboard import compute, layout
from rnnviz.dashboard.texts import fill, texts
from rnnviz.experiment import Experiment, Model

SLOPES = {
    "tanh": r"\tanh",
    "relu": r"\mathrm{ReLU}",
    "logistic": r"\sigma",
    "identity": r"\mathrm{id}",
}


def equations(experiment: Experiment) -> None:
    """An expander for each kind of cell on the page."""
    shown = {Model(label).kind: label for label in reversed(experiment.models)}
    for kind, label in sorted(shown.items()):
        with layout.lazy(f"Equations of the {kind.upper()} and their gradients") as opened:
            if opened:
                st.markdown(_words(experiment, kind, label))


def _words(experiment: Experiment, kind: str, label: str) -> str:
    cell = compute.traces(experiment)[label].trace.cell
    return fill(
        texts("equations")[kind],
        T=compute.batch(experiment).seq_len,
        B=experiment.batch_size,
        D=cell.input_size,
        H=cell.hidden_size,
        GH=len(cell.GATES) * cell.hidden_size,
        phi=SLOPES[getattr(cell, "activation", "tanh")],
    )
