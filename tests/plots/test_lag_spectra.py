"""Lines of chosen singular values over the lag, and words where one ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.lag_spectra import lag_spectrum
from rnnviz.core.numerics import Status
from rnnviz.plots import lag_spectra_figure
from tests.plots.support import as_json, named, texts, trace


def test_a_line_for_each_chosen_one_of_each_model_on_one_axis():
    spectra = [lag_spectrum(trace(kind), kind) for kind in ("rnn", "lstm")]
    figure = as_json(lag_spectra_figure(spectra, {"rnn": [1, 5], "lstm": [1, 5, 10]}))
    names = ["RNN σ 1", "RNN σ 5", "LSTM σ 1", "LSTM σ 5", "LSTM σ 10"]
    assert [t["name"] for t in figure["data"][1:]] == names
    (line,) = named(figure, "LSTM σ 10")
    np.testing.assert_allclose(line["y"], spectra[1].log10[:, 9], rtol=1e-6)
    np.testing.assert_array_equal(line["x"], spectra[1].lags)
    assert line["xaxis"] == "x2"
    layout = figure["layout"]
    assert layout["yaxis"]["range"] == layout["yaxis2"]["range"]
    wide = [t["line"]["width"] for t in figure["data"][1:3]]
    assert wide[0] > wide[1]
    go.Figure(figure)


def test_a_line_that_ends_says_why():
    found = lag_spectrum(trace("rnn", init="delay_line"), "rnn")
    figure = as_json(lag_spectra_figure([found], {"rnn": [1, 5]}))
    assert "σ<sub>5</sub>: " in texts(figure)
    at = int(np.flatnonzero(np.isneginf(found.log10[:, 4]))[0])
    assert f"from lag {found.lags[at]} on" in texts(figure)
    (line,) = named(figure, "RNN σ 5")
    assert len(line["x"]) == at


def test_a_hole_on_the_way_to_a_number_below_float64_is_no_reason_to_fail():
    found = lag_spectrum(trace("rnn"), "rnn")
    log10, status = found.log10.copy(), found.status.copy()
    log10[3, 0], status[3, 0] = -np.inf, Status.ROUNDED
    log10[-1, 0], status[-1, 0] = -350.0, Status.BELOW
    figure = as_json(lag_spectra_figure([replace(found, log10=log10, status=status)], {"rnn": [1]}))
    assert "−350.0" in texts(figure)
    (line,) = named(figure, "RNN σ 1")
    assert [at for at, y in enumerate(line["y"]) if y is None] == [3]


def test_never_blank():
    found = lag_spectrum(trace("rnn"), "rnn")
    lost = replace(found, log10=np.full_like(found.log10, np.nan))
    for spectra, ranks, words in (
        ([], {}, "No model chosen."),
        ([found], {"rnn": []}, "No singular value chosen."),
        ([replace(lost, log10=np.vstack([found.log10[:1], lost.log10[1:]]),
                  status=np.full(found.status.shape, 5))], {"rnn": [1]}, "not a number from lag"),
    ):  # fmt: skip
        figure = as_json(lag_spectra_figure(spectra, ranks))
        assert words in texts(figure)
        assert figure["data"]
