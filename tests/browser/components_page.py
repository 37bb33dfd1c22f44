"""A page for test_components.py: two knobs, three charts, buttons that set a knob from outside,
and one that puts all of them away."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from rnnviz.dashboard.components import live_chart, live_slider, set_value
from rnnviz.plots.drawing import Drawing

MODELS = {"RNN": "#d55e00", "LSTM": "#0072b2", "GRU": "#009e73"}


def lines(gain: float, steps: int) -> go.Figure:
    """Three straight lines whose y range follows the knob."""
    t = np.arange(1, steps + 1)
    figure = go.Figure()
    for rank, (name, colour) in enumerate(MODELS.items()):
        line = {"width": 3, "color": colour}
        figure.add_scatter(x=t, y=(t - steps) * gain / (10 + 10 * rank), name=name, line=line)
    figure.add_annotation(x=1, y=0, text="clue", showarrow=True)
    figure.add_hline(y=0)
    figure.update_layout(
        template="none",
        hovermode="x unified",
        margin={"t": 20, "b": 50},
        yaxis_range=[-steps * gain / 10, 4],
        xaxis_title="time step t",
    )
    return figure


def maps(gain: float, steps: int) -> go.Figure:
    """Three heatmaps side by side, as in the first screen's lower row."""
    rng = np.random.default_rng(0)
    figure = make_subplots(cols=3, subplot_titles=tuple(MODELS))
    for column in (1, 2, 3):
        z = np.tanh(gain * rng.standard_normal((32, steps))).astype(np.float32)
        scale = go.Heatmap(x=np.arange(1, steps + 1), z=z, coloraxis="coloraxis")
        figure.add_trace(scale, row=1, col=column)
    return figure.update_layout(
        template="none", margin={"t": 24, "b": 24}, coloraxis={"colorscale": "RdBu", "cmid": 0}
    )


def plain(figure: go.Figure) -> Drawing:
    """As the pages hand it over."""
    drawn = figure.to_plotly_json()
    return {"data": list(drawn["data"]), "layout": drawn["layout"]}


def reset() -> None:
    set_value("gain", 1.0)


def clicked(point: object) -> None:
    st.session_state["clicked"] = point


st.set_page_config(page_title="Components", layout="wide")
with st.sidebar:
    if st.toggle("Put everything away"):  # what is there afterwards is made anew
        for name in list(st.session_state):
            del st.session_state[name]
        st.stop()
    gain = live_slider(
        "Gain",
        key="gain",
        value=1.0,
        low=0.25,
        high=4.0,
        step=0.02,
        log=True,
        ticks=(1.0,),
        default=1.0,
        help="Scales W_hh.",
    )
    steps = live_slider(
        "Sequence length", key="T", value=100, low=10, high=500, step=10, fmt="%d steps"
    )
    live_slider("Memory bias", key="bias", value=3, low=-2, high=6, step=0.1, fmt="%+.1f")
    live_slider("Closed", key="off", value=1, low=0, high=2, step=1, fmt="%d", disabled=True)
    st.button("Reset", on_click=reset)
    empty = st.toggle("Break the chart")
st.markdown(f"gain is `{gain!r}`")
live_chart(
    plain(lines(gain, int(steps))),
    key="lines",
    height=330,
    time_axis=True,
    alt="Three lines through time",
    filename="lines",
)
live_chart(
    plain(maps(gain, int(steps))), key="maps", height=160, time_axis=True, alt="Three heatmaps"
)
square = go.Figure(go.Heatmap(z=np.arange(12).reshape(3, 4))).update_layout(template="none")
live_chart(plain(go.Figure() if empty else square), key="square", height=200, on_click=clicked)
st.markdown(f"clicked `{st.session_state.get('clicked')}`")
