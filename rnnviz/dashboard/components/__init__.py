"""The browser components Streamlit lacks: a slider and a chart that follow the hand."""

from __future__ import annotations

from rnnviz.dashboard.components.chart import live_chart
from rnnviz.dashboard.components.layout import SIDEBAR_WIDTH, compact
from rnnviz.dashboard.components.slider import dragging, live_slider, set_value

__all__ = ["SIDEBAR_WIDTH", "compact", "dragging", "live_chart", "live_slider", "set_value"]
