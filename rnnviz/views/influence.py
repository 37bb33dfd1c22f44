"""The lesson on truncated backpropagation: what influence the window misses, exactly."""

from __future__ import annotations

from collections.abc import Iterator

from rnnviz.claims.influence import EXACT, OPTIMUM, influence_curve, influence_runs
from rnnviz.plots import claims_training, theme
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.numbers import signed
from rnnviz.wording.texts import fill, texts

WINDOWS = (20, 40, 41, 100, 0)
HEIGHT = 226
REVISION = -1
"""Of its charts, which belong to no run."""
STYLES = theme.model_styles(["rnn"])


def pictures() -> Iterator[Picture | Words]:
    """Verdict, the gradient against the window, and where training goes with each window."""
    text, curve = texts("train"), influence_curve()
    says = {f"at{k}": signed(curve.slope[k - 1], 2) for k in (20, 40, 41)}
    yield Words("verdict", (fill(text["influence_words"], last=curve.last_wrong, **says),))
    yield Picture(
        "influence",
        claims_training.slope_figure.plain(curve, EXACT, height=HEIGHT),
        text["alt_influence"],
        text["influence_how"],
    )
    yield Picture(
        "influence-runs",
        claims_training.runs_figure.plain(influence_runs(WINDOWS), OPTIMUM, height=HEIGHT),
        text["alt_influence_runs"],
        text["influence_runs_how"],
        step_axis=True,
    )
