"""The browser components Streamlit lacks: a slider and a chart that follow the hand."""

from __future__ import annotations

from rnnviz.dashboard.components.chart import live_chart
from rnnviz.dashboard.components.slider import (
    all_drawn,
    dragging,
    end_moves,
    live_slider,
    relay,
    set_value,
)

__all__ = ["all_drawn", "dragging", "end_moves", "live_chart", "live_slider", "relay", "set_value"]
