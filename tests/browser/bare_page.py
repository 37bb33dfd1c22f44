"""The floor of the latency measurement: one knob, one trivial chart, the dashboard's components."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from rnnviz.dashboard.components import live_chart, live_slider

st.set_page_config(layout="wide")
with st.sidebar:
    gain = live_slider("Gain", key="gain", value=1.0, low=0.25, high=4.0, step=0.02, log=True)
t = np.arange(1, 101)
figure = go.Figure(go.Scatter(x=t, y=gain * np.sin(t / 10)))
figure.update_layout(template="none", yaxis_range=[-4, 4], margin={"t": 20})
shows = f"gain={gain:.10g}"
live_chart(figure.to_plotly_json(), key="bare", height=372, alt="A sine wave", shows=shows)
