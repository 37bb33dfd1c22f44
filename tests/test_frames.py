"""Data frames hold every number once, and no number that is none."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from rnnviz import frames
from rnnviz.analysis import (
    LayerTrace,
    carry_paths,
    fixed_points,
    gate_stats,
    gradient_flow,
    jacobian_spectrum,
    lag_profile,
    lag_spectrum,
    layer_states,
    lyapunov_spectrum,
    memory,
    pair_matrix,
    step_factors,
    weight_contributions,
    weight_maps,
    weight_spectra,
)
from rnnviz.analysis.batch_carry import batch_carry
from tests.analysis.support import last_step, nine_and_five, quiet_lstm, simple
from tests.core.support import problem

T, B, H = 6, 2, 4


@pytest.fixture
def lstm():
    return problem("lstm", T, B, 3, H).trace()


def dead():
    """A delay line: exact zeros, ρ = 0, powers that end."""
    return simple(np.eye(3, k=-1), last_step(T, 3))


@cache
def every_frame():
    """Name -> frame, which a test that changes it must copy."""
    linear, closed = dead(), quiet_lstm(T, 2, -1e4)
    exploding = simple(np.array([[1e200]]), last_step(T, 1))
    unknown = simple(np.eye(2), last_step(T, 2, value=np.nan))
    flows = [gradient_flow(trace, "m") for trace in (linear, closed, exploding, unknown)]
    return {
        "gradient": frames.gradient_frame(flows),
        "slope": frames.slope_frame(flows),
        "spectrum": frames.spectrum_frame(weight_spectra(linear, "m").values()),
        "jacobian": frames.jacobian_frame([jacobian_spectrum(linear, "m")]),
        "state": frames.state_frame(
            state
            for trace in (linear, closed, exploding, unknown)
            for state in layer_states(LayerTrace("m", 1, 0, trace))
        ),
        "saturation": frames.saturation_frame(gate_stats(closed, "m").values()),
        "memory": frames.memory_frame([memory(quiet_lstm(T, 2, 1e4), "m")]),
        "carry": frames.carry_frame([carry_paths(closed, "m", every=4)]),
        "batch_carry": frames.batch_carry_frame([batch_carry(closed, "m", 1)]),
        "pair": frames.pair_frame([pair_matrix(trace, "m") for trace in (linear, exploding)]),
        "lag": frames.lag_frame([lag_profile(trace, "m") for trace in (linear, closed)]),
        "contribution": frames.contribution_frame([weight_contributions(linear, "m")]),
        "step_factor": frames.step_factor_frame([step_factors(linear, "m")]),
        "lyapunov": frames.lyapunov_frame([lyapunov_spectrum(linear, "m")]),
        "lag_spectra": frames.lag_spectra_frame([lag_spectrum(t, "m") for t in (linear, unknown)]),
        "fixed_points": frames.fixed_points_frame(fixed_points(closed, "m")),
        "weight": frames.weight_frame(weight_maps(unknown, "m")),
    }


@pytest.mark.parametrize("name", every_frame())
def test_numbers_are_finite_or_missing(name):
    frame = every_frame()[name]
    numbers = frame.select_dtypes("number").to_numpy()
    assert not np.isinf(numbers).any()
    text = frame.to_json(orient="records")
    assert json.loads(text, parse_constant=pytest.fail)
    assert "inf" not in frame.to_csv(index=False).lower()


@pytest.mark.parametrize("name", ["gradient", "spectrum", "memory", "carry",
                                  "pair", "lag", "lag_spectra", "lyapunov"])  # fmt: skip
def test_what_is_missing_is_named(name):
    frame = every_frame()[name]
    column = next(c for c in ("half_life", "log10", "exponent", "value") if c in frame)
    missing = frame[column].isna()
    assert missing.any()
    assert not frame["status"][missing].isin(["finite", "below"]).any()


def test_gradient_frame(lstm):
    flow = gradient_flow(lstm, "lstm")
    frame = frames.gradient_frame([flow])
    assert list(frame) == ["model", "kind", "quantity", "step", "log10", "status"]
    assert len(frame) == 4 * (T + 1)
    c = frame[frame["quantity"] == "c"].set_index("step")["log10"]
    np.testing.assert_array_equal(c, flow.c.log10)
    zero = frames.gradient_frame([gradient_flow(dead(), "rnn")])
    assert set(zero["quantity"]) == {"state", "h", "direct"}
    assert zero["status"][0] == "zero"
    assert zero["status"].iloc[-T - 1] == "not_recorded"


def test_slope_frame(lstm):
    frame = frames.slope_frame([gradient_flow(lstm, "lstm"), gradient_flow(dead(), "rnn")])
    assert frame["model"].tolist() == ["lstm", "rnn"]
    assert frame["reach_status"].tolist() == ["finite", "zero"]
    assert frame["window_stop"][0] == T - 1


def test_of_sequences_of_different_lengths_the_numbers_are_those_of_the_verdict():
    """0.8 a step from the ends at steps 9 and 5, once each; the mixed curve has a step at 5."""
    row = frames.slope_frame([nine_and_five()]).iloc[0]
    assert 10 ** row["decades_per_step"] == pytest.approx(0.8, rel=1e-12)
    assert row["e_fold_steps"] == pytest.approx(-1 / np.log(0.8), rel=1e-12)
    assert 10 ** row["reach_log10"] == pytest.approx(np.sqrt((0.8**16 + 0.8**8) / 2), rel=1e-12)
    missing = row[["r2", "points", "window_start", "window_stop", "reach_from"]]
    assert missing.isna().all()


def test_spectrum_and_jacobian_frames(lstm):
    spectra = weight_spectra(lstm, "lstm", gates=["f", "o"])
    frame = frames.spectrum_frame(spectra.values())
    assert len(frame) == 2 * (H + H + 50)
    power = frame[(frame["gate"] == "o") & (frame["quantity"] == "power")]
    np.testing.assert_array_equal(power["value"], spectra["o"].powers_log10)
    s = jacobian_spectrum(lstm, "lstm", steps=[2, 6])
    frame = frames.jacobian_frame([s])
    assert frame["step"].unique().tolist() == [2, 6]
    row = frame[(frame["step"] == 6) & (frame["index"] == 2)].iloc[0]
    assert row["singular_value"] == s.singular_values[1, 1]


def test_gate_frames(lstm):
    stats = gate_stats(lstm, "lstm")
    shares = frames.saturation_frame(stats.values())
    np.testing.assert_array_equal(shares[shares["gate"] == "f"]["left"], stats["f"].left)
    assert len(frames.memory_frame([memory(lstm, "lstm")])) == H
    assert len(frames.carry_frame([carry_paths(lstm, "lstm")])) == 4 * (T + 1)


def test_state_frame(lstm):
    states = layer_states(LayerTrace("lstm", 1, 0, lstm))
    frame = frames.state_frame(states)
    assert len(frame) == 4 * H * T
    rows = frame[(frame["state"] == "c") & (frame["unit"] == 2) & (frame["step"] == 3)]
    value, gradient = rows.set_index("quantity")["number"].loc[["value", "log10_gradient"]]
    assert value == lstm.c[3, 1, 0]
    B = lstm.batch_size
    assert gradient == pytest.approx(np.log10(B * abs(lstm.d_c[3, 1, 0])))


def test_pair_and_lag_frames(lstm):
    matrix, profile = pair_matrix(lstm, "lstm"), lag_profile(lstm, "lstm")
    frame = frames.pair_frame([matrix])
    assert len(frame) == 2 * sum(s + 1 for s in matrix.losses)
    last = int(matrix.losses[-1])
    row = frame.query(f"quantity == 'state' and loss_step == {last} and step == 2").iloc[0]
    assert row["log10"] == matrix.state[-1, 2]
    assert row["cancellation"] == matrix.cancellation[2]
    lags = frames.lag_frame([profile]).query("quantity == 'h'")
    np.testing.assert_array_equal(lags["log10"], profile.h.log10)
    assert list(lags["lag"]) == list(range(T + 1))


def test_contribution_and_lyapunov_frames(lstm):
    found = weight_contributions(lstm, "lstm")
    frame = frames.contribution_frame([found])
    assert frame.query("quantity == 'batch'")["share"].sum() == pytest.approx(1)
    assert frame["step"].max() == T
    spectrum = lyapunov_spectrum(lstm, "lstm")
    exponents = frames.lyapunov_frame([spectrum])
    np.testing.assert_array_equal(exponents["exponent"], spectrum.exponents)
    assert (exponents["steps"] == T).all()


def test_lag_spectra_frame(lstm):
    found = lag_spectrum(lstm, "lstm", most=3)
    frame = frames.lag_spectra_frame([found])
    assert frame["lag"].unique().tolist() == [0, *found.lags[1:]]
    assert frame.query(f"lag == {T} and index == 2")["log10"].item() == found.log10[-1, 1]


def test_fixed_points_frame(lstm):
    found = fixed_points(lstm, "lstm", 0.5)
    frame = frames.fixed_points_frame(found)
    assert len(frame) == 2 * found.points.size
    row = frame.query("quantity == 'state' and point == 1 and index == 3").iloc[0]
    assert (row["value"], row["kind"], row["input"]) == (found.points[0, 2], found.kinds[0], 0.5)
    row = frame.query("quantity == 'eigenvalue' and point == 1 and index == 2").iloc[0]
    assert complex(row["value"], row["imaginary"]) == found.eigenvalues[0, 1]


def test_weight_frame(lstm):
    found = weight_maps(lstm, "lstm")
    frame = frames.weight_frame(found)
    assert len(frame) == 2 * sum(block.values.size for block in found.maps)
    row = frame.query("matrix == 'W_hf' and quantity == 'gradient' and to == 2").iloc[2]
    assert (row["gate"], row["from"]) == ("f", 3)
    assert row["value"] == lstm.grads["W_hh"][H + 1, 2]


def test_batch_carry_frame(lstm):
    found = batch_carry(lstm, "lstm", 2)
    frame = frames.batch_carry_frame([found])
    true = frame.query("quantity == 'true'")
    assert true["log10"].tolist() == found.true.tolist()
    assert true["sequence"].tolist() == [1, 2]
    assert len(frame) == 4


def test_a_product_that_is_rounded_to_zero_is_not_said_to_be_zero():
    closed = quiet_lstm(3, 2, -1e4)
    alone = frames.carry_frame([carry_paths(closed, "m")]).query("step == 0")
    batch = frames.batch_carry_frame([batch_carry(closed, "m", 1)])
    statuses = dict(zip(batch["quantity"], batch["status"], strict=True))
    assert statuses["true"] == "rounded"
    for quantity, status in statuses.items():
        assert alone[alone["quantity"] == quantity]["status"].tolist() == [status]


def test_step_factor_frame(lstm):
    found = step_factors(lstm, "lstm")
    frame = frames.step_factor_frame([found])
    factors = frame.query("kind == 'factor'").groupby("from_step")["value"].sum()
    np.testing.assert_allclose(factors, frame.query("kind == 'change'")["value"], atol=1e-12)
    assert frame.query("kind == 'share' and name == 'carry'")["value"].tolist() == (
        found.shares["carry"].tolist()
    )
    assert (frame["from_step"] - frame["to_step"]).unique().tolist() == [1]
    back = frames.step_factor_frame([found], backward=True)
    assert back[["from_step", "to_step"]].iloc[T - 1].tolist() == [1, 2]


def test_nothing_gives_an_empty_frame():
    assert frames.gradient_frame([]).empty


def test_steps_are_those_of_the_input_whatever_the_direction(lstm):
    forward, back = (gradient_flow(lstm, "lstm", direction=d) for d in (0, 1))
    there, here = (frames.gradient_frame([flow]).query("quantity == 'state'")
                   for flow in (forward, back))  # fmt: skip
    assert list(here["step"]) == [T + 1 - t for t in there["step"]]
    assert list(here["log10"]) == list(there["log10"])
    row = frames.slope_frame([back]).iloc[0]
    assert (row["reach_from"], row["window_start"], row["window_stop"]) == (1, 2, T)


@pytest.mark.parametrize(
    ("write", "measure", "columns"),
    [
        (frames.carry_frame, carry_paths, ["step"]),
        (frames.pair_frame, pair_matrix, ["loss_step", "step"]),
        (frames.lag_frame, lag_profile, ["end"]),
        (frames.contribution_frame, weight_contributions, ["step"]),
    ],
)
def test_a_file_of_a_layer_that_reads_from_the_end_has_the_steps_of_the_input(
    lstm, write, measure, columns
):
    found = [measure(lstm, "lstm")]
    own, real = write(found), write(found, backward=True)
    for column in columns:
        assert real[column].tolist() == (T + 1 - own[column]).tolist()
    rest = [name for name in own if name not in columns]
    pd.testing.assert_frame_equal(own[rest], real[rest])


def test_columns_of_steps_that_are_a_layer_s_own_are_named_so(lstm):
    flow = frames.gradient_frame([gradient_flow(lstm, "lstm")])
    own = frames.in_own_steps(flow)
    assert list(own) == ["model", "kind", "quantity", "own_step", "log10", "status"]
    assert own["own_step"].tolist() == flow["step"].tolist()
    assert frames.in_own_steps(flow, own=False) is flow


def test_forecasts_and_sentences() -> None:
    known, said = np.arange(6.0).reshape(3, 2), np.arange(6.0).reshape(3, 2) / 10
    frame = frames.forecast_frame({"gru": (said, -said)}, ("A", "B"), known, 80)
    row = frame[(frame["step"] == 81) & (frame["series"] == "B")].iloc[0]
    assert (row["model"], row["known"], row["one_step"], row["free"]) == ("gru", 3.0, 0.3, -0.3)
    frame = frames.sentence_frame(("not", "good"), {"rnn": np.array([0.4, np.nan])})
    assert frame["word"].tolist() == ["not", "good"]
    assert frame["p_positive"].isna().tolist() == [False, True]
