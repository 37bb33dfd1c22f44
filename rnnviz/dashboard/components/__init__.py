"""The browser components Streamlit lacks: a slider and a chart that follow the hand."""

from __future__ import annotations

from rnnviz.dashboard.components.chart import live_chart
from rnnviz.dashboard.components.slider import (
    all_drawn,
    below_the_fold,
    end_moves,
    follow_hand,
    live_slider,
    set_value,
)

__all__ = [
    "all_drawn",
    "below_the_fold",
    "end_moves",
    "follow_hand",
    "live_chart",
    "live_slider",
    "set_value",
]
