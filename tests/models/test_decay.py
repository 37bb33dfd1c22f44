"""How much of the last loss is left so many steps back: in stacks, in both directions, through
units that are saturated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, run_network
from rnnviz.core.numerics import log10_rms
from rnnviz.core.trace import state_log10
from rnnviz.diagnosis import Report, diagnose
from rnnviz.experiment import Run
from rnnviz.models import load, read_data, run_of
from rnnviz.models.diagnosis.decay import decays
from rnnviz.tasks.batch import Batch
from rnnviz.wording.texts import speak_in

T, B = 40, 4


def weights(kind: str, hidden_size: int, layers: int, forget: float = 0.0) -> dict[str, Any]:
    """As PyTorch draws and names them, the biases of the memory gate apart."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    rng, H, found = np.random.default_rng(1), hidden_size, {}
    for k in range(layers):
        for name, shape in (("weight_ih", (gates * H, H if k else 3)),
                            ("weight_hh", (gates * H, H)),
                            ("bias_ih", (gates * H,)), ("bias_hh", (gates * H,))):  # fmt: skip
            found[f"{name}_l{k}"] = rng.uniform(-1, 1, shape) / np.sqrt(H)
        if gates > 1:
            found[f"bias_ih_l{k}"][H : 2 * H] = forget
            found[f"bias_hh_l{k}"][H : 2 * H] = 0
    return found


def drawn(arrays: dict[str, Any], steps: int = 60) -> Run:
    """A run on noise whose loss reads the last output."""
    x = np.random.default_rng(5).standard_normal((8, steps, 3))
    return run_of(load(arrays, "pytorch"), read_data(x, layout="btd"))


def batch_of(network: Network, at: Any, lengths: Any) -> Batch:
    """Noise with losses at some steps, (T, B)."""
    present = np.arange(T)[:, None] < lengths
    x = np.random.default_rng(2).standard_normal((T, 2, B)) * present[:, None]
    target = np.random.default_rng(3).standard_normal((T, network.output_size, B))
    return Batch(x, target, (at & present).astype(float), "projection", 2, 1, lengths)


def kinds(report: Report) -> list[str]:
    return [one.kind for one in report.findings]


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("readout", ["", "aligned", "final"])
def test_in_every_layer_it_is_the_gradient_of_the_one_loss(
    kind: Any, padded: bool, readout: str
) -> None:
    """Of a single loss all that is recorded is of it, also where others enter besides."""
    width = 5 * (1 + bool(readout))
    cells = (kind(2, 5), kind(width, 5), kind(width, 5))
    network = Network(cells, 1, bool(readout), readout or "aligned")
    params = network.init_params(np.random.default_rng(0))
    lengths = np.array([40, 17, 30, 25]) if padded else np.full(B, T)
    step = np.arange(1, T + 1)[:, None]
    every = decays(run_network(network, params, batch_of(network, step > 0, lengths)))
    assert len(every) == 3 * network.directions
    for one in every:
        first = one.direction == 1 and readout == "aligned"  # of the input, its own last
        at = step == (np.ones(B, int) if first else lengths)
        trace = run_network(network, params, batch_of(network, at, lengths))
        state = state_log10(trace.layers[one.layer][one.direction])
        for lag in (1, 16, 39):
            some = np.flatnonzero(lengths > lag)
            far, own = (log10_rms(state[lengths[some] - k, some]) for k in (lag, 0))
            assert one.log10[lag] == pytest.approx(far - own, abs=1e-9)


@pytest.mark.parametrize("layers", [2, 3])
def test_what_a_layer_hands_down_on_the_way_has_not_vanished(layers: int) -> None:
    """In the first layer more than 1 part in 4,000 is left, by way of those above."""
    run = drawn(weights("lstm", 32, layers, forget=1.2))
    (trace,) = (one.layers[0][0] for one in run.values())
    state = log10_rms(state_log10(trace))
    assert state[10] - state[60] > -3
    report = diagnose(run, lag=50)
    assert not report.serious
    assert "Nothing is wrong" in str(report)
    (horizon,) = (one for one in diagnose(run).findings if one.kind == "horizon")
    left = state[::-1] - state[60]
    assert (horizon.number, horizon.layer) == (np.flatnonzero(left > np.log10(1 / np.e))[-1] + 1, 0)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_layer_to_which_more_is_handed_down_has_not_exploded(kind: str) -> None:
    """The first layer of a deep stack gets little of an error at the loss's own step, and more by
    and by: in none does it become larger than where it enters."""
    run = drawn(weights(kind, 32, 6, forget=3.0))
    (network,) = run.values()
    first, *_, last = decays(network)
    assert first.peak[1] > 2
    assert "exploding" not in kinds(diagnose(run, lag=50))
    sizes = [log10_rms(state_log10(layer[0])) for layer in network.layers]
    assert max(size.max() for size in sizes) == sizes[-1][60] == last.own


def saturated(scale: float, dtype: type = np.float64) -> Run:
    """A tanh RNN that a constant input drives to ±1."""
    arrays = weights("rnn", 8, 1)
    arrays = {name.replace("_l0", ""): array.astype(dtype) for name, array in arrays.items()}
    arrays["weight_ih"] = np.full((8, 1), scale, dtype)
    x = 1 + 0.1 * np.random.default_rng(0).standard_normal((60, 1, 8))
    return run_of(load(arrays, cell="rnn", activation="tanh"), read_data(x, layout="tdb"))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_of_saturated_units_the_true_size_is_said(dtype: type) -> None:
    """Products of 1 − tanh² a, in logarithms: slopes of e^−60 a step, each 0 if read off tanh."""
    run = saturated(30, dtype)
    (trace,) = (one.trace for one in run.values())
    assert not trace.d_h[50].any()
    report = diagnose(run, lag=10)
    (found,) = (one for one in report.findings if one.kind == "vanishing")
    p = {name: value.astype(np.float64) for name, value in trace.params.items()}
    a = p["W_xh"] @ trace.x + p["W_hh"] @ trace.h[:-1].astype(float) + p["b_h"][:, None]
    log2 = 2 - 2 * np.abs(a) / np.log(2)
    d = trace.d_h_direct[-1].astype(float)
    own = log10_rms(np.log10(np.linalg.norm(d, axis=0)))
    size = np.zeros(8)
    for t in range(59, 49, -1):
        top = log2[t].max(axis=0)
        d = p["W_hh"].T @ (d * np.exp2(log2[t] - top))
        norm = np.linalg.norm(d, axis=0)
        size, d = size + np.log10(norm) + top * np.log10(2), d / norm
    assert found.number == pytest.approx(float(log10_rms(size) - own), abs=1e-9)
    assert found.number < -200
    assert "exactly zero" not in str(report)


def test_of_a_stack_the_slopes_of_the_layers_above_are_true_as_well() -> None:
    """The first layer is open, what arrives there has gone through saturated units."""
    arrays = weights("rnn", 8, 2)
    arrays["bias_ih_l1"] += 40
    run = drawn(arrays)
    (network,) = run.values()
    assert not network.layers[0][0].d_h.any()
    low, high = decays(network)
    assert low.layer == 0
    assert np.isfinite([*low.log10, *high.log10]).all()


def test_a_zero_is_exact_only_where_it_is(tmp_path: Path) -> None:
    """e^−1800 is beyond any slope that float64 holds; W_hh = 0 is a true zero."""
    report = diagnose(saturated(900), lag=10)
    assert report.findings[0].number == -np.inf
    assert "nothing (rounded to zero) is left 10 steps back" in str(report)
    report.json(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["serious"]
    arrays = weights("rnn", 8, 1)
    arrays["weight_hh_l0"] *= 0
    assert "nothing (exactly zero) is left 10 steps back" in str(diagnose(drawn(arrays), lag=10))


def test_as_far_back_as_sequences_go_is_no_throughout() -> None:
    """The error of a turning state falls to 0.12 on its way and is 1 again at the end."""
    stretch, turn = np.diag([1, 8.0]), np.pi / 12
    R = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    arrays = {"weight_ih": np.zeros((2, 1)), "bias_ih": np.zeros(2),
              "weight_hh": stretch @ R @ np.linalg.inv(stretch)}  # fmt: skip
    d_output = np.zeros((25, 2, 1))
    d_output[-1, 0] = 1
    data = read_data(np.zeros((25, 1, 1)), layout="tdb", d_output=d_output)
    run = run_of(load(arrays, cell="rnn", activation="tanh"), data)
    (one,) = (decays(network)[0] for network in run.values())
    assert 10 ** one.log10[[6, 24]] == pytest.approx([0.125, 1])
    report = diagnose(run)
    assert kinds(report)[0] == "horizon_beyond"
    assert "始终" not in speak_in("zh", lambda: str(report))
