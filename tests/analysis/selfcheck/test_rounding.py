"""Runs that nothing is wrong with and whose rounding is large: none of them is called wrong, and a
mistake in one of them is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.selfcheck.checks import (
    DOT,
    GRADIENT,
    QUICK,
    STATES,
    THOROUGH,
    WEIGHTS,
    Group,
    trust,
)
from rnnviz.core.network import NetworkTrace
from rnnviz.experiment import Run


def experiment(model: str, **settings: Any) -> Experiment:
    return Experiment(models=(model,), **settings)


FAR: dict[str, Any] = {"input_scale": 100, "hidden_size": 1}
SINGLE: dict[str, Any] = {**FAR, "dtype": "float32"}
RUNS = {
    "c is 0 on blank pixels, at the kink of its ReLU": experiment(
        "lstm:variant=relu_out", task="digit_pixels", seq_len=40
    ),
    "c is 0 at the kink of its ReLU, for i is 0 but not in complex numbers": experiment(
        "lstm:variant=relu_out", input_scale=100, distractor=10, seed=22, seq_len=20, hidden_size=8,
        batch_size=4
    ),
    "a gradient that is 0 beside others": experiment(
        "lstm", gain=16, input_scale=0, hidden_size=16, seq_len=100
    ),
    "gates that are 0 in single precision": experiment("lstm", seq_len=10, **SINGLE),
    "update gates that are 0 in single precision": experiment("gru", seq_len=10, **SINGLE),
    "e^a beyond the range of single precision": experiment(
        "gru:variant=reset_before,update_bias=1,gain=0.3,layers=2", init="delay_line", seq_len=13,
        seed=577, **SINGLE
    ),
    "one unit of several is open, and its sum cancels": experiment(
        "rnn", task="digit_pixels", seq_len=2, batch_size=1, init="orthogonal", gain=0.3,
        activation="relu", hidden_size=3, layers=3, skip=2, loss_at="every", seed=75
    ),
    "a far end, where a gate is moved by the rounding of its sum": experiment(
        "rnn:activation=logistic", task="stocks", gain=16, seq_len=30, batch_size=4, skip=5,
        seed=435, init="identity", loss_at="every", **FAR
    ),
    "saturated units behind a skip": experiment(
        "gru:init=spectral_radius", task="copy_memory", seq_len=13, hidden_size=5, batch_size=2,
        memory_bias=-3, input_scale=100, layers=2, bidirectional="yes", skip=7, seed=368
    ),
    "c that is rounded to the kink of its ReLU": experiment(
        "lstm:variant=relu_out", gain=0.1, seq_len=30, batch_size=4, memory_bias=10, skip=5,
        seed=789, init="identity", **SINGLE
    ),
    "weight gradients beyond the range of single precision": experiment(
        "rnn", activation="relu", task="stocks", input_scale=30, gain=4, hidden_size=3, seq_len=30,
        batch_size=1, dtype="float32", layers=2, skip=5, seed=83, init="identity"
    ),
    "two ways of one unit that cancel": experiment(
        "gru:update_bias=-1", task="copy_memory", seq_len=8, batch_size=8, init="identity",
        bidirectional="yes", skip=30, loss_at="every", seed=604, **FAR
    ),
    "a skip that cancels what comes through W_hh": experiment(
        "lstm:variant=nig", task="digit_pixels", input_scale=0, hidden_size=1, seq_len=30,
        batch_size=1, memory_bias=10, skip=2, seed=1874, gain=1, init="orthogonal", loss_at="last"
    ),
    "a loss whose slope is rounded to 0": experiment(
        "rnn", activation="relu", task="sentiment", input_scale=10, gain=16, hidden_size=1,
        batch_size=1, dtype="float32", seed=123, loss_at="every", seq_len=30
    ),
}  # fmt: skip


def red(result: Run, trace: NetworkTrace, group: Group) -> set[str]:
    found = trust(trace, result.batch, "m", group)
    return {check.name for check in found.checks if check.failed}


def only(result: Run) -> NetworkTrace:
    (trace,) = result.values()
    return trace


@pytest.mark.parametrize("name", RUNS)
def test_rounding_is_not_called_a_mistake(name: str) -> None:
    result = run(RUNS[name])
    for group in (QUICK, THOROUGH):
        assert red(result, only(result), group) == set()


@pytest.mark.parametrize(
    "name",
    ["c is 0 on blank pixels, at the kink of its ReLU", "saturated units behind a skip",
     "one unit of several is open, and its sum cancels"],
)  # fmt: skip
def test_a_wrong_state_gradient_is_seen_there(name: str) -> None:
    result = run(RUNS[name])
    trace = only(result)
    last = trace.layers[-1][0]
    every_other = np.where(np.arange(len(last.d_h)) % 2, 1.001, 1)[:, None, None]
    first = replace(last, d_h=every_other * last.d_h)
    wrong = replace(trace, layers=(*trace.layers[:-1], (first, *trace.layers[-1][1:])))
    assert STATES in red(result, wrong, THOROUGH)


def test_a_wrong_gradient_is_seen_beside_one_that_is_0() -> None:
    result = run(RUNS["a gradient that is 0 beside others"])
    trace = only(result)
    assert not trace.grads["0.forward.W_hh"].any()
    changes = {"0.forward.b_h": lambda g: 1.001 * g, "0.forward.W_hh": lambda g: g + 0.01}
    for name, change in changes.items():
        wrong = replace(trace)
        wrong.__dict__["grads"] = {**trace.grads, name: change(trace.grads[name])}
        assert GRADIENT in red(result, wrong, THOROUGH)


def test_a_gate_of_another_value_is_seen_where_others_are_rounded() -> None:
    result = run(experiment("lstm:variant=relu_out", seq_len=9, hidden_size=4, batch_size=2))
    trace = only(result)
    gates = trace.trace.gate_values * np.where(np.arange(9) == 4, 1.001, 1)[:, None, None]
    wrong = replace(trace, layers=((replace(trace.trace, gate_values=gates),),))
    assert DOT in red(result, wrong, THOROUGH)
    assert WEIGHTS not in red(result, trace, THOROUGH)
