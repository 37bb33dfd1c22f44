"""A figure as plain data is the figure that a notebook gets."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis import gradient_flow
from rnnviz.plots.drawing import drawing, to_json
from rnnviz.plots.gradients import flow_figure


def test_a_page_and_a_notebook_get_the_same_figure() -> None:
    result = run(Experiment(models=("rnn", "lstm"), seq_len=12, hidden_size=4))
    flows = [gradient_flow(trace.trace, label) for label, trace in result.items()]
    sent = json.loads(to_json(flow_figure.plain(flows)))
    assert sent == json.loads(flow_figure(flows).to_json(validate=False))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, np.uint8, np.int16])
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_arrays_are_sent_as_plotly_sends_them(dtype: type, shape: tuple[int, ...]) -> None:
    values = np.arange(6).astype(dtype).reshape(shape)
    sent = json.loads(to_json(drawing([{"type": "heatmap", "z": values}], {}, "")))
    theirs = go.Figure(go.Heatmap(z=values)).to_json(validate=False)
    assert sent["data"][0]["z"] == json.loads(theirs)["data"][0]["z"]


def test_what_json_has_no_number_for_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json(drawing([{"type": "scatter", "y": [1.0, float("nan")]}], {}, ""))
