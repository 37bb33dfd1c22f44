"""Results drawn as plotly figures. Runs no network and knows no page.

Every public function takes results of `rnnviz.analysis` and returns a `go.Figure` that also
looks right in a notebook. Colours and sizes are in `theme`.
"""

from rnnviz.plots.carry import carry_figure
from rnnviz.plots.gates import gate_heatmap, gate_strips, half_life_figure
from rnnviz.plots.gradients import flow_detail_figure, flow_figure, flow_range, unit_heatmaps
from rnnviz.plots.spectra import (
    eigenvalue_figure,
    jacobian_figure,
    powers_figure,
    singular_values_figure,
)
from rnnviz.plots.theme import Style, model_colour, model_styles

__all__ = [
    "Style",
    "carry_figure",
    "eigenvalue_figure",
    "flow_detail_figure",
    "flow_figure",
    "flow_range",
    "gate_heatmap",
    "gate_strips",
    "half_life_figure",
    "jacobian_figure",
    "model_colour",
    "model_styles",
    "powers_figure",
    "singular_values_figure",
    "unit_heatmaps",
]
