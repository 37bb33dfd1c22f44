"""Below the fold of the Claims page: how the draws are made, scores, counterexamples, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.claims import growth, highway, reduction, truncation
from rnnviz.claims.counterexamples import EXAMPLES, counterexample
from rnnviz.claims.growth import PREDICTORS, Draw, score
from rnnviz.claims.stability import SEQUENCES
from rnnviz.dashboard import layout
from rnnviz.dashboard.claims import Work
from rnnviz.dashboard.claims_runs import SHARED, UPDATES
from rnnviz.dashboard.components import live_chart
from rnnviz.plots.claims import members
from rnnviz.plots.claims_theory import examples_figure
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import fill, texts

HEIGHT = 330
NAMES = {
    "sigma": "γσₘₐₓ",
    "rho": "γρ",
    "mean_field": "mean field ½ ln χ",
    "lyapunov": "λ₁ (measured)",
}
SAID: dict[str, dict[str, object]] = {
    "sigma": {
        "gain_low": growth.GAINS[0],
        "gain_high": growth.GAINS[1],
        "input_low": growth.INPUTS[0],
        "input_high": growth.INPUTS[1],
        "steps": growth.STEPS,
        "stretch": growth.STRETCH,
    },
    "reduction": {
        "low": reduction.GAINS[0],
        "high": reduction.GAINS[1],
        "steps": reduction.STEPS,
    },
    "highway": {"steps": highway.STEPS},
    "clipping": {"steps": SHARED["seq_len"], "updates": UPDATES},
    "truncation": {
        "low": truncation.GAINS[0],
        "high": truncation.GAINS[1],
        "bias_low": truncation.BIASES[0],
        "bias_high": truncation.BIASES[1],
        "steps": truncation.STEPS,
        "good": truncation.GOOD,
    },
    "stability": {"sequences": f"{SEQUENCES:,}"},
}
"""What the texts on how the draws are made are filled with."""


def show(work: Work) -> None:
    """Everything about one claim that does not fit on the first screen."""
    said = {name: _number(value) for name, value in SAID[work.name].items()}
    st.caption("How it is measured: " + fill(texts("claims")[f"drawn_{work.name}"], **said))
    if work.name == "sigma":
        with layout.lazy("Scores: how often each predictor has the sign right") as opened:
            if opened:
                layout.table(scores(work.found))
        with layout.lazy("The four counterexamples, drawn") as opened:
            if opened:
                _examples()
    with layout.lazy("Numbers: every result behind this verdict") as opened:
        if opened:
            layout.data_button(f"claim-{work.name}", lambda: pd.DataFrame(rows(work.found)))


def scores(found: Sequence[Draw]) -> pd.DataFrame:
    """A row a predictor, a column for all draws and for each activation."""
    groups = {"all": found, **members(found)}
    table = []
    for predictor in PREDICTORS:
        judged = {name: score(group, predictor) for name, group in groups.items()}
        hits = {name: f"{s.hits} of {s.draws}" if s.draws else "–" for name, s in judged.items()}
        error = judged["all"].median_error
        table.append({"predictor": NAMES[predictor], **hits, "median error": error})
    return pd.DataFrame(table)


def rows(found: Sequence[Any]) -> list[dict[str, Any]]:
    """Each result as a row of a table; arrays as text."""
    return [{key: _plain(value) for key, value in vars(result).items()} for result in found]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return " ".join(f"{x:.6g}" for x in value.ravel())
    return value


def _number(value: object) -> str:
    return minus(f"{value:g}") if isinstance(value, float) else str(value)


def _examples() -> None:
    live_chart(
        examples_figure.plain([counterexample(name) for name in EXAMPLES], height=HEIGHT),
        key="claims-examples",
        height=HEIGHT,
        filename="rnnviz-counterexamples",
        alt="How far a change reaches in four networks, and what σₘₐₓ promises",
    )
    layout.how_to_read(texts("claims")["how_to_read_examples"])
