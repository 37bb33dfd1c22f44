"""Where an LSTM of one's own differs, found from its arrays alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz.analysis import compare
from rnnviz.core import GRU, LSTM, RNN, Trace, bptt
from rnnviz.core.network import Network, backward_network, forward_network
from rnnviz.wording.comparison import comparison_words
from rnnviz.wording.numbers import general
from tests.core.support import problem

T, B, D, H = 5, 2, 2, 3
GATES = "ifgo"
TINY = 1e-200


def own_lstm(
    params: dict[str, Any], x: Any, bias_of: str = GATES, moved: Any = None
) -> dict[str, Any]:
    """An LSTM as a student writes it, gate by gate; gate k uses the bias of gate bias_of[k]. moved:
    (gate, t, direction) is added to a pre-activation."""
    rows = {gate: slice(k * H, (k + 1) * H) for k, gate in enumerate(GATES)}
    h = c = np.zeros((H, B))
    kept: dict[str, Any] = {"h": [h], "c": [c], **{gate: [] for gate in GATES}}
    for t in range(T):
        a = {}
        for gate, used in zip(GATES, bias_of, strict=True):
            b = params["b_h"][rows[used], None]
            a[gate] = params["W_xh"][rows[gate]] @ x[t] + params["W_hh"][rows[gate]] @ h + b
            if moved is not None and moved[:2] == (gate, t):
                a[gate] = a[gate] + 1j * TINY * moved[2]
        value = {
            gate: np.tanh(a[gate]) if gate == "g" else 1 / (1 + np.exp(-a[gate])) for gate in a
        }
        c = value["f"] * c + value["i"] * value["g"]
        h = value["o"] * np.tanh(c)
        for name, v in {"h": h, "c": c, **value}.items():
            kept[name].append(v)
    return {name: np.array(values) for name, values in kept.items()}


def loss(run: dict[str, Any], direct: Any) -> complex:
    return complex((direct * run["h"][1:]).sum())


def own_gradients(params: dict[str, Any], x: Any, direct: Any, bias_of: str) -> dict[str, Any]:
    """Of parameters, by a complex step in every entry."""
    grads = {}
    for name, value in params.items():
        grads[name] = np.zeros(value.shape)
        for index in np.ndindex(*value.shape):
            step = np.zeros(value.shape, complex)
            step[index] = 1j * TINY
            run = own_lstm({**params, name: value + step}, x, bias_of)
            grads[name][index] = loss(run, direct).imag / TINY
    return grads


def own_d_gates(params: dict[str, Any], x: Any, direct: Any, bias_of: str) -> dict[str, Any]:
    found = {gate: np.zeros((T, H, B)) for gate in GATES}
    for gate in GATES:
        for t, j, b in np.ndindex(T, H, B):
            direction = np.zeros((H, B))
            direction[j, b] = 1
            run = own_lstm(params, x, bias_of, (gate, t, direction))
            found[gate][t, j, b] = loss(run, direct).imag / TINY
    return found


@pytest.fixture(params=["no bias", "forget bias"])
def case(request: pytest.FixtureRequest) -> tuple[Trace, dict[str, Any], Any, Any]:
    p = problem("lstm", T, B, D, H)
    b_h = np.zeros(4 * H)
    b_h[H : 2 * H] = request.param == "forget bias"
    params = {**p.params, "b_h": b_h}
    return bptt(LSTM(D, H), params, p.x, p.direct), params, p.x, p.direct


def test_a_right_implementation_differs_in_nothing(case: Any) -> None:
    trace, params, x, direct = case
    run = own_lstm(params, x)
    own = {**own_gradients(params, x, direct, GATES), "h": run["h"], "c": run["c"],
           "gates": {gate: run[gate] for gate in GATES},
           "d_gates": own_d_gates(params, x, direct, GATES)}  # fmt: skip
    found = compare(trace, own, rtol=1e-12)
    assert found.first is None
    assert comparison_words(found).startswith("Nothing differs by more than 1e−12 of itself: W_xh")


def test_every_gate_with_the_output_gates_bias(case: Any) -> None:
    """Where all biases are equal the runs are: only ∂L/∂b tells. Else the forget gate's first
    value does."""
    trace, params, x, direct = case
    own = own_gradients(params, x, direct, "oooo")
    found = compare(trace, {"b_h": own["b_h"]})
    assert found.first is not None
    assert (found.first.name, found.first.gate, found.first.step) == ("b_h", "i", None)
    assert [d.gate for d in found.differences] == list(GATES)
    assert found.first.theirs == 0
    assert found.first.relative == pytest.approx(1.0)
    run = own_lstm(params, x, "oooo")
    values = {gate: run[gate] for gate in GATES}
    found = compare(trace, {**own, "h": run["h"], "gates": values})
    assert found.first is not None
    if params["b_h"].any():
        assert (found.first.name, found.first.gate, found.first.step) == ("gates", "f", 1)
        ours = trace.gates["f"][0]
        wanted = np.linalg.norm(run["f"][0] - ours) / np.linalg.norm(ours)
        assert found.first.relative == pytest.approx(wanted)
        words = comparison_words(found)
        assert words.startswith("First to differ: the value of a gate, gate f, step 1: by ")
        assert f"{len(found.differences) - 1} more differ after it." in words
    else:
        assert {(d.name, d.gate) for d in found.differences} == {("b_h", gate) for gate in GATES}
        assert comparison_words(found).startswith("First to differ: ∂L/∂b_h, gate i: by 100 %")


def test_gradients_at_every_step_name_the_step_nearest_to_the_end(case: Any) -> None:
    trace, *_ = case
    wrong = {gate: values.copy() for gate, values in trace.d_gates.items()}
    wrong["g"][2, 1, 0] += 0.01
    wrong["f"][1] *= 2
    wrong["o"][0] = np.nan
    found = compare(trace, {"d_gates": wrong})
    assert [(d.gate, d.step) for d in found.differences] == [("g", 3), ("f", 2), ("o", 1)]
    first = found.differences[0]
    assert first.index == (1, 0)
    assert first.theirs - first.ours == pytest.approx(0.01)
    assert first.relative == pytest.approx(0.01 / np.linalg.norm(trace.d_gates["g"][2]))
    assert found.differences[1].relative == pytest.approx(1.0)
    assert found.differences[2].relative == np.inf
    d_h = trace.d_h.copy()
    d_h[0, 2, 1] = 5
    (only,) = compare(trace, {"d_h": d_h}).differences
    assert (only.step, only.index, only.theirs) == (0, (2, 1), 5)


@pytest.mark.parametrize("given", [np.nan, np.inf, -np.inf])
def test_what_is_right_is_said_where_the_own_value_is_not_finite(case: Any, given: float) -> None:
    trace, *_ = case
    wrong = trace.grads["W_hh"].copy()
    wrong[0, 0] = given
    found = compare(trace, {"W_hh": wrong})
    right = general(float(trace.grads["W_hh"][0, 0]))
    assert comparison_words(found) == (
        f"First to differ: ∂L/∂W_hh, gate i: {general(given)} at [0, 0], where {right} is right."
    )


def test_where_nothing_should_be_0_is_said_to_be_right(case: Any) -> None:
    _, params, x, direct = case
    still = bptt(LSTM(D, H), params, x, 0 * direct)
    wrong = np.zeros(4 * H)
    wrong[1] = 3
    said = comparison_words(compare(still, {"b_h": wrong}))
    assert said == "First to differ: ∂L/∂b_h, gate i: 3 at [1], where 0 is right."


def test_a_wrong_entry_of_one_gate_is_named_in_its_own_block(case: Any) -> None:
    trace, *_ = case
    wrong = trace.grads["W_hh"].copy()
    wrong[H + 2, 1] *= 1.5
    (only,) = compare(trace, {"W_hh": wrong}).differences
    assert (only.name, only.gate, only.index) == ("W_hh", "f", (2, 1))
    assert only.theirs == pytest.approx(1.5 * only.ours)
    by_gate = {"o": trace.grads["W_hh"][3 * H :], "f": wrong[H : 2 * H]}
    assert compare(trace, {"W_hh": by_gate}).differences == (only,)


def test_small_steps_are_compared_by_their_own_size() -> None:
    """A gradient that vanishes must not hide a mistake in it."""
    p = problem("gru", 60, B, D, H)
    params = {name: 0.01 * value for name, value in p.params.items()}
    direct = np.zeros((60, H, B))
    direct[-1] = 1
    trace = bptt(GRU(D, H), params, p.x, direct)
    wrong = trace.d_h.copy()
    wrong[3] *= 1.001
    assert np.abs(wrong[3]).max() < 1e-12
    (only,) = compare(trace, {"d_h": wrong}).differences
    assert only.step == 3
    assert only.relative == pytest.approx(1e-3, rel=1e-6)


def test_rounding_of_single_precision_is_no_difference(case: Any) -> None:
    trace, *_ = case
    single = {name: value.astype(np.float32) for name, value in trace.grads.items()}
    assert compare(trace, single).first is None
    assert compare(trace, single, rtol=1e-9).first is not None


def test_gradients_beyond_the_dtype_are_compared_as_they_are() -> None:
    """A user's float64 holds 0 and subnormal numbers where the true gradient is 0.1^t."""
    params = {"W_xh": np.zeros((4, 1)), "W_hh": np.zeros((4, 1)),
              "b_h": np.array([0.0, -np.log(9.0), 0.0, 0.0])}  # fmt: skip
    direct = np.zeros((900, 1, 1))
    direct[-1] = 1
    trace = bptt(LSTM(1, 1), params, np.zeros((900, 1, 1)), direct)
    own = np.append(0.1 ** np.arange(899, -1, -1.0), 0) * trace.d_c[-1, 0, 0]
    own = np.insert(own[:-1], 0, 0.1**900 * own[-2]).reshape(901, 1, 1)
    assert own[0] == 0
    assert trace.d_c[0] != 0
    assert compare(trace, {"d_c": own}).first is None
    own[850] *= 1.01
    (only,) = compare(trace, {"d_c": own}).differences
    assert (only.step, only.relative) == (850, pytest.approx(0.01))


def test_a_mistake_is_found_however_small_the_gradients_are() -> None:
    """Down to where numbers lose their digits; one of a plain recursion in float64 has no more than
    its rounding."""
    p = problem("rnn tanh", 200, B, D, 8)
    params = {**p.params, "W_hh": 0.02 * np.linalg.qr(p.params["W_hh"])[0]}
    direct = np.zeros((200, 8, B))
    direct[-1] = 1
    trace = bptt(RNN(D, 8), params, p.x, direct)
    own = np.zeros_like(trace.d_h)
    own[-1] = direct[-1]
    for t in range(200, 0, -1):
        own[t - 1] = trace.params["W_hh"].T @ (own[t] * (1 - trace.h[t] ** 2))
    size = np.abs(own).max(axis=(1, 2))
    assert 0 in size
    assert compare(trace, {"d_h": own}).first is None
    for limit in (1e-291, 1e-295, 1e-300, 1e-305, 1e-310, 1e-314):
        wrong, last = own.copy(), int(np.flatnonzero(size < limit)[-1])
        wrong[: last + 1] *= 5
        found = compare(trace, {"d_h": wrong}).first
        assert found is not None
        assert (found.step, found.relative) == (last, pytest.approx(4, rel=1e-6))


def plain_rnn(T: int, H: int, sequences: int, share: float) -> tuple[Trace, dict[str, Any]]:
    """A run in float32 and the arrays of a plain recursion in float32; share: what W_hh, which is
    orthogonal but for that, leaves of an error at a step."""
    p = problem("rnn tanh", T, sequences, D, H)
    orthogonal = share * np.linalg.qr(p.params["W_hh"])[0]
    params = {n: v.astype(np.float32) for n, v in {**p.params, "W_hh": orthogonal}.items()}
    x, direct = p.x.astype(np.float32), np.zeros((T, H, sequences), np.float32)
    direct[-1] = 1
    trace = bptt(RNN(D, H), params, x, direct)
    own = {"d_h": np.zeros((T + 1, *direct.shape[1:]), np.float32),
           "d_gates": {"a": np.zeros_like(direct)}, "d_x": np.zeros_like(x)}  # fmt: skip
    own["d_h"][-1] = direct[-1]
    for t in range(T - 1, -1, -1):
        d_a = own["d_h"][t + 1] * (1 - trace.h[t + 1] ** 2)
        own["d_h"][t], own["d_x"][t] = params["W_hh"].T @ d_a, params["W_xh"].T @ d_a
        own["d_gates"]["a"][t] = d_a
    return trace, own


def test_the_rounding_of_float32s_smallest_numbers_is_no_difference() -> None:
    """Nor is it to a run in float64."""
    trace, own = plain_rnn(150, 8, 2, 0.5)
    size = np.abs(own["d_h"]).max(axis=(1, 2))
    assert 0 in size
    assert ((size > 0) & (size < 1e-44)).any()
    assert compare(trace, own).differences == ()
    params = {name: value.astype(np.float64) for name, value in trace.params.items()}
    direct = trace.d_h_direct.astype(np.float64)
    double = bptt(trace.cell, params, trace.x.astype(np.float64), direct)
    assert compare(double, own).differences == ()
    for limit in (1e-30, 1e-37, 1e-39, 1e-41):
        wrong, last = own["d_h"].copy(), int(np.flatnonzero(size < limit)[-1])
        wrong[: last + 1] *= 5
        found = compare(trace, {"d_h": wrong}).first
        assert found is not None
        assert (found.step, found.relative) == (last, pytest.approx(4, rel=1e-2))


def test_nor_is_that_of_many_of_them() -> None:
    trace, own = plain_rnn(35, 1024, 128, 0.05)
    assert compare(trace, own).differences == ()


def test_small_parameter_gradients_in_float32_are_compared_as_exactly() -> None:
    trace, _ = plain_rnn(5, 8, 2, 0.5)
    small = bptt(trace.cell, trace.params, trace.x, trace.d_h_direct * np.float32(2.0**-140))
    assert 0 < np.abs(small.grads["W_hh"]).max() < 1e-40
    own = {name: value + np.float32(3e-45) for name, value in small.grads.items()}
    assert compare(small, own).first is None
    assert compare(small, {**own, "W_hh": 5 * own["W_hh"]}).first is not None


def test_a_network_is_compared_layer_by_layer() -> None:
    network = Network((LSTM(2, 3), GRU(3, 4)), 2)
    params = network.init_params(np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((5, 2, 3))
    record = forward_network(network, params, x)
    trace = backward_network(record, np.ones((5, 2, 3)))
    wrong = {name: value.copy() for name, value in trace.grads.items()}
    wrong["1.forward.W_hh"][4:8] *= 2
    wrong["1.forward.b_hn"] += 1
    wrong["W_hy"][0, 0] = 7
    found = compare(trace, wrong).differences
    assert [(d.name, d.gate) for d in found] == [
        ("W_hy", ""), ("1.forward.W_hh", "z"), ("1.forward.b_hn", "n"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {},
            "own must be a mapping of some of W_xh, W_hh, b_h, gates, c, h, d_h, d_c, d_gates, d_x",
        ),
        ({"W": np.ones(3)}, "got 'W'"),
        ({"W_hh": np.ones((3, 3))}, r"W_hh must have shape \(12, 3\)"),
        (
            {"W_hh": {"n": np.ones((3, 3))}},
            "W_hh must be a mapping with gates of i, f, g, o, got n",
        ),
        ({"d_gates": np.ones((5, 12, 2))}, "d_gates must be a mapping with gates of i, f, g, o"),
        ({"d_gates": {"f": np.ones((5, 12, 2))}}, r"d_gates\[f\] must have shape \(5, 3, 2\)"),
    ],
)
def test_what_cannot_be_compared_is_named(own: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(problem("lstm", T, B, D, H).trace(), own)


def test_gates_without_weights_are_left_out() -> None:
    p = replace(problem("lstm", T, B, D, H), cell=LSTM(D, H, fixed=(("f", 1.0),)), lengths=None)
    params = {"W_xh": p.params["W_xh"][: 3 * H], "W_hh": p.params["W_hh"][: 3 * H],
              "b_h": p.params["b_h"][: 3 * H]}  # fmt: skip
    trace = replace(p, params=params).trace()
    wrong = trace.grads["b_h"].copy()
    wrong[H] = 9
    (only,) = compare(trace, {"b_h": wrong, "d_gates": trace.d_gates}).differences
    assert (only.gate, only.index) == ("g", (0,))
