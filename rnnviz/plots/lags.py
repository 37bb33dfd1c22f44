"""How far does a past step still reach? ‖∂h_t/∂h_{t−k}‖₂ over lags k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.plots import predictions, theme
from rnnviz.plots.curves import Relative
from rnnviz.plots.drawing import Drawing, FigureFunction
from rnnviz.plots.log_curves import magnitude_figure
from rnnviz.plots.theme import Styles

if TYPE_CHECKING:
    from rnnviz.analysis.lags import LagProfile
    from rnnviz.analysis.predictions import Predictions
    from rnnviz.analysis.rates import Curve

HEIGHT = 330
TITLES = ("lag k, steps back", "log<sub>10</sub> ‖∂s<sub>t</sub>/∂s<sub>t−k</sub>‖<sub>2</sub>")


@FigureFunction
def lag_figure(
    profiles: Sequence[LagProfile],
    *,
    theory: Mapping[str, Predictions] | None = None,
    styles: Styles | None = None,
    height: int = HEIGHT,
) -> Drawing:
    """log10 of the norm at the lags 1 to t, of the whole state; thin, where it is another one, of h
    alone. Lag 0 is the identity, at 0. theory: what is predicted, by label, drawn thin.
    """
    known = theme.styles_for([p.label for p in profiles], styles)
    drawn = []
    for profile in profiles:
        style = known[profile.label]
        drawn.append((replace(style, faint=False), _relative(profile.state)))
        if not np.array_equal(profile.h.log10, profile.state.log10, equal_nan=True):
            name = f"{style.name} h alone"
            alone = replace(style, name=name, detail="", where="", dash="dot", faint=True)
            drawn.append((alone, _relative(profile.h)))
    extra = [
        pair
        for profile in profiles
        if (found := (theory or {}).get(profile.label)) is not None
        for pair in predictions.over_lags(found, known[profile.label], profile.end)
    ]
    return magnitude_figure(
        drawn, extra=extra, titles=TITLES, styles=known, height=height, revision="lags"
    )


def _relative(curve: Curve) -> Relative:
    """The lags from 1 on, as they are: the reference is the identity."""
    return Relative(
        np.where(np.isfinite(curve.log10), curve.log10, np.nan)[1:], curve.status[1:], 0.0, 0, True
    )
