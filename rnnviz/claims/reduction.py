""" "f = 0, i = 1, o = 1 makes an LSTM an RNN": how far the two are apart (THEORY A0, claim 2).

With these gates c_t = tanh(a_t) and h_t = tanh(tanh(a_t)): the state is squashed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core import GRU, LSTM, LSTM_VARIANTS, RNN, checks, forward
from rnnviz.core.numerics import Array

STEPS, INPUT_SIZE = 50, 8
GAINS = (0.5, 2.0)
BIASES = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0)
"""Of the learned gates: +b on those to be opened, −b on those to be closed."""
HELD = 1000.0
"""A bias at which a logistic gate is exactly 0 or 1 in float64."""
SAME = 1e-12
"""Largest difference of states that rounding explains."""
CEILING = float(np.tanh(1.0))
"""The largest state that tanh(tanh(a)) reaches."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """One set of weights in four cells, on the same inputs. Differences are max |h − h′| over all
    units and steps.

    Gates held at f = 0, i = 1, o = 1 exactly: twice, of the LSTM from the RNN with tanh(tanh(a));
    once, from the tanh RNN; linear_output, of the LSTM without the output's tanh from the tanh RNN;
    gru, of a GRU with z = 0, r = 1 from the tanh RNN.
    by_bias (3, n): LSTM, LSTM with linear output and GRU from the tanh RNN when the gates are
    learned ones with biases ±`BIASES`. largest: the LSTM's largest |h|.
    rnn, lstm (T,): one unit's states, the one in which the two differ most.
    """

    number: int
    gain: float
    twice: float
    once: float
    linear_output: float
    gru: float
    by_bias: Array
    largest: float
    rnn: Array
    lstm: Array


@dataclass(frozen=True)
class ReductionVerdict:
    """draws; differ: those whose states are other than the tanh RNN's. apart: the smallest and
    the largest difference; twice, linear_output, gru: the largest differences of those that
    should be the same."""

    draws: int
    differ: int
    apart: tuple[float, float]
    twice: float
    linear_output: float
    gru: float


def reduction(seed: int, hidden_size: int, number: int) -> Reduction:
    """Draw weights and inputs, and run the cells. The gain is drawn too, `GAINS`.

    Raises ValueError for a bad seed, size or number.
    """
    rng = np.random.default_rng([checks.size("seed", seed, 0), 2, checks.size("number", number, 0)])
    H = checks.size("hidden_size", hidden_size)
    gain = float(np.exp(rng.uniform(*np.log(GAINS))))
    weights = LSTM(INPUT_SIZE, H).init_params(rng, init="gaussian", gain=gain)
    x = rng.standard_normal((STEPS, INPUT_SIZE, 1))
    g = LSTM(INPUT_SIZE, H).gate_rows("g")
    own = {name: value[g] for name, value in weights.items()}
    rnn = forward(RNN(INPUT_SIZE, H), own, x).h
    held = {name: forward(LSTM(INPUT_SIZE, H, **LSTM_VARIANTS[name]), own, x).h
            for name in ("no_gates", "no_gates_noaf")}  # fmt: skip
    lstm = held["no_gates"]
    unit = int(np.argmax(np.abs(lstm - rnn).max(axis=(0, 2))))
    return Reduction(
        number=number,
        gain=gain,
        twice=_apart(lstm, _squashed_twice(own, x)),
        once=_apart(lstm, rnn),
        linear_output=_apart(held["no_gates_noaf"], rnn),
        gru=_apart(_gru(weights, x, H, HELD), rnn),
        by_bias=_by_bias(weights, x, H, rnn),
        largest=float(np.abs(lstm).max()),
        rnn=rnn[1:, unit, 0],
        lstm=lstm[1:, unit, 0],
    )


def reduction_verdict(found: Sequence[Reduction]) -> ReductionVerdict:
    """Raises ValueError without draws."""
    once = [r.once for r in checks.some("found", found)]
    return ReductionVerdict(
        draws=len(found),
        differ=sum(difference > SAME for difference in once),
        apart=(min(once), max(once)),
        twice=max(r.twice for r in found),
        linear_output=max(r.linear_output for r in found),
        gru=max(r.gru for r in found),
    )


def _apart(h: Array, other: Array) -> float:
    return float(np.abs(h - other).max())


def _squashed_twice(params: dict[str, Array], x: Array) -> Array:
    """States of h_t = tanh(tanh(a_t)), written out."""
    h = np.zeros((len(x) + 1, len(params["W_hh"]), 1))
    for t, x_t in enumerate(x):
        a = params["W_xh"] @ x_t + params["W_hh"] @ h[t] + params["b_h"][:, None]
        h[t + 1] = np.tanh(np.tanh(a))
    return h


def _by_bias(weights: dict[str, Array], x: Array, H: int, rnn: Array) -> Array:
    plain, linear = LSTM(INPUT_SIZE, H), LSTM(INPUT_SIZE, H, output="identity")
    rows = [
        [_apart(_lstm(plain, weights, x, b), rnn), _apart(_lstm(linear, weights, x, b), rnn),
         _apart(_gru(weights, x, H, b), rnn)]
        for b in BIASES
    ]  # fmt: skip
    return np.array(rows).T


def _lstm(cell: LSTM, weights: dict[str, Array], x: Array, bias: float) -> Array:
    b_h = np.zeros(4 * cell.hidden_size)
    for gate, towards in (("i", 1), ("f", -1), ("o", 1)):
        b_h[cell.gate_rows(gate)] = towards * bias
    return forward(cell, {**weights, "b_h": b_h}, x).h


def _gru(weights: dict[str, Array], x: Array, H: int, bias: float) -> Array:
    """The LSTM's i, f and g rows serve as r, z and n."""
    cell = GRU(INPUT_SIZE, H)
    params = {name: weights[name][: 3 * H] for name in ("W_xh", "W_hh")}
    b_h = np.zeros(3 * H)
    b_h[cell.gate_rows("r")], b_h[cell.gate_rows("z")] = bias, -bias
    return forward(cell, {**params, "b_h": b_h, "b_hn": np.zeros(H)}, x).h
