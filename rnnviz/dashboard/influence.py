"""The panel "Truncation points the wrong way": influence balancing."""

from __future__ import annotations

from rnnviz.claims.influence import EXACT, OPTIMUM, influence_curve, influence_runs
from rnnviz.dashboard import layout
from rnnviz.dashboard.components import live_chart
from rnnviz.plots import influence as plots
from rnnviz.plots import theme
from rnnviz.wording.numbers import minus
from rnnviz.wording.texts import fill, texts

WINDOWS = (20, 40, 41, 100, 0)
HEIGHT = 226
REVISION = -1
"""Of its charts, which belong to no run."""


def panel() -> None:
    """Verdict, the gradient against the window, and where training goes with each window."""
    text = texts("train")
    curve, runs = influence_curve(), influence_runs(WINDOWS)
    says = {f"at{k}": minus(f"{curve.slope[k - 1]:+.2f}") for k in (20, 40, 41)}
    words = fill(text["influence_words"], last=(curve.first_right or 1) - 1, **says)
    layout.verdict([words], theme.model_styles(["rnn"]))
    live_chart(
        plots.slope_figure.plain(curve, EXACT, height=HEIGHT),
        key="influence",
        revision=REVISION,
        height=HEIGHT,
        filename="rnnviz-influence",
        alt="The gradient that truncated backpropagation finds against the length of its window",
    )
    layout.how_to_read(text["influence_how"])
    live_chart(
        plots.runs_figure.plain(runs, OPTIMUM, height=HEIGHT),
        key="influence-runs",
        revision=REVISION,
        height=HEIGHT,
        step_axis=True,
        filename="rnnviz-influence-runs",
        alt="The parameter under gradient descent with each window",
    )
    layout.how_to_read(text["influence_runs_how"])
