"""Results drawn as plotly figures. Runs no network and knows no page.

Every public function takes results of `rnnviz.analysis` and returns a `go.Figure` that also
looks right in a notebook. Colours and sizes are in `theme`.
"""

from rnnviz.plots.gradients import flow_figure, flow_range, unit_heatmaps
from rnnviz.plots.theme import Style, model_styles

__all__ = ["Style", "flow_figure", "flow_range", "model_styles", "unit_heatmaps"]
