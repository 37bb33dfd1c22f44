"""Axes of steps, units, lags and other whole things have no tick between two of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.analysis.carry import carry_paths
from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.gates import gate_stats
from rnnviz.analysis.lags import lag_profile
from rnnviz.analysis.lyapunov import lyapunov_spectrum
from rnnviz.analysis.spectra import jacobian_spectrum, weight_spectra
from rnnviz.analysis.step_factors import step_factors
from rnnviz.plots.carry import carry_figure
from rnnviz.plots.contributions import contributions_figure
from rnnviz.plots.detail import flow_detail_figure
from rnnviz.plots.forecast import forecast_figure
from rnnviz.plots.gates import gate_heatmap
from rnnviz.plots.gradients import flow_figure
from rnnviz.plots.heatmaps import unit_heatmaps
from rnnviz.plots.jacobians import jacobian_bands, jacobian_figure
from rnnviz.plots.lyapunov import lyapunov_figure
from rnnviz.plots.pairs import lag_figure
from rnnviz.plots.panels import counted
from rnnviz.plots.spectra import singular_values_figure
from rnnviz.plots.step_factors import step_factors_figure
from rnnviz.plots.training_gradients import state_heatmaps
from rnnviz.plots.training_profile import profile_figure
from tests.plots.courses import course
from tests.plots.support import flow, trace

T, H = 3, 2
LSTM, RNN = trace("lstm", T=T, H=H), trace("rnn", T=T, H=H)
JACOBIAN = jacobian_spectrum(RNN, "rnn")
WEIGHTS = weight_spectra(RNN, "rnn")["a"]
FLOW = flow("rnn", T=T, H=H)
FIGURES: dict[str, Callable[[], go.Figure]] = {
    "carry": lambda: carry_figure([carry_paths(LSTM, "lstm")]),
    "contributions": lambda: contributions_figure([weight_contributions(RNN, "rnn")]),
    "detail": lambda: flow_detail_figure([FLOW]),
    "flow": lambda: flow_figure([FLOW]),
    "forecast": lambda: forecast_figure(np.zeros(T), {"rnn": (np.ones(T), np.ones(T))}),
    "gate": lambda: gate_heatmap(gate_stats(LSTM, "lstm")["f"]),
    "jacobian": lambda: jacobian_figure([JACOBIAN]),
    "bands": lambda: jacobian_bands([JACOBIAN]),
    "lags": lambda: lag_figure([lag_profile(RNN, "rnn")]),
    "lyapunov": lambda: lyapunov_figure([lyapunov_spectrum(RNN, "rnn")]),
    "singular values": lambda: singular_values_figure([WEIGHTS]),
    "step factors": lambda: step_factors_figure([step_factors(RNN, "rnn")]),
    "units": lambda: unit_heatmaps([FLOW]),
    "profile": lambda: profile_figure([course(steps=T, T=T)]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_tick_lies_between_two_whole_things(name):
    assert FIGURES[name]().layout.xaxis.dtick == 1


def test_rows_that_are_time_steps_or_units_are_whole_too():
    assert state_heatmaps([course(T=T)]).layout.yaxis.dtick == 1
    assert unit_heatmaps([FLOW]).layout.yaxis.dtick == 1


@pytest.mark.parametrize("most", [4, 6, 10])
def test_where_there_are_many_the_browser_chooses_among_whole_distances(most):
    assert counted(most - 1, most) == {"dtick": 1}
    # Plotly's distance is a round one that is no less than the axis by the number of ticks.
    assert counted(most, most) == {"nticks": most}
