"""Results drawn as plotly figures. Runs no network and knows no page.

Every public function takes results of `rnnviz.analysis` and returns a `go.Figure` that also
looks right in a notebook. Colours and sizes are in `theme`.

Examples
--------
Those of what the package has go on from here.

>>> import rnnviz
>>> from rnnviz import analysis, plots
>>> run = rnnviz.run(rnnviz.Experiment(hidden_size=8, seq_len=20, batch_size=4))
>>> traces = {label: run[label].trace for label in run}
"""

from rnnviz.plots.carry import carry_figure
from rnnviz.plots.contributions import contributions_figure
from rnnviz.plots.fixed_points import fixed_points_figure
from rnnviz.plots.forecast import forecast_figure
from rnnviz.plots.gates import gate_heatmap, gate_strips, half_life_figure
from rnnviz.plots.gradients import flow_detail_figure, flow_figure, flow_range, unit_heatmaps
from rnnviz.plots.jacobians import jacobian_bands
from rnnviz.plots.lag_spectra import lag_spectra_figure
from rnnviz.plots.lyapunov import lyapunov_figure
from rnnviz.plots.pairs import cancellation_figure, lag_figure, pair_heatmaps
from rnnviz.plots.saliency import saliency_figure, signed_figure
from rnnviz.plots.sentence import sentence_figure
from rnnviz.plots.spectra import (
    eigenvalue_figure,
    jacobian_figure,
    powers_figure,
    singular_values_figure,
)
from rnnviz.plots.theme import Style, model_colour, model_styles
from rnnviz.plots.weights import weight_figure

__all__ = [
    "Style",
    "cancellation_figure",
    "carry_figure",
    "contributions_figure",
    "eigenvalue_figure",
    "fixed_points_figure",
    "flow_detail_figure",
    "flow_figure",
    "flow_range",
    "forecast_figure",
    "gate_heatmap",
    "gate_strips",
    "half_life_figure",
    "jacobian_bands",
    "jacobian_figure",
    "lag_figure",
    "lag_spectra_figure",
    "lyapunov_figure",
    "model_colour",
    "model_styles",
    "pair_heatmaps",
    "powers_figure",
    "saliency_figure",
    "sentence_figure",
    "signed_figure",
    "singular_values_figure",
    "unit_heatmaps",
    "weight_figure",
]
