"""What rounding takes from curves of any cell and of layers below others: nothing, where a cell
says its pre-activations, else no more than is said."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from rnnviz import Experiment, run
from rnnviz.analysis.gradients import state_curve
from rnnviz.analysis.lost_digits import may_be_seen, moved_by_rounding, nearly_saturated
from rnnviz.analysis.slopes import layers_with_true_slopes
from rnnviz.core import GRU, LSTM, RNN, Cell, backward, bptt, forward
from rnnviz.core.numerics import log10_rms
from tests.core.test_scaling import last

LONG = np.longdouble
needs_long = pytest.mark.skipif(np.finfo(LONG).nmant < 63, reason="no longer floats here")


def blocks(trace, names):
    """Pre-activations without W_hh h, and the H × H blocks of W_hh, by gate."""
    p = {name: value.astype(LONG) for name, value in trace.params.items()}
    rows = {gate: trace.cell.gate_rows(gate) for gate in names}
    x = trace.x.astype(LONG)
    free = {g: p["W_xh"][of] @ x + p["b_h"][of][:, None] for g, of in rows.items()}
    return p, free, {gate: p["W_hh"][of] for gate, of in rows.items()}


def sigma(a):
    return 1 / (1 + np.exp(-a))


def of_sigma(a):
    return sigma(a) * sigma(-a)


def of_tanh(a):
    return 1 / np.cosh(a) ** 2


def itself(v):
    return v


def back_rnn(trace, direct, of=itself):
    """Gradients of the states, and what is sent on to x. of: what is taken of each factor of every
    product; with np.abs, Σ|terms|."""
    p, free, W = blocks(trace, "a")
    weights = of(W["a"])
    h, d, states, sent = trace.h.astype(LONG), direct[-1], [], []
    for t in reversed(range(len(direct))):
        states.append((d,))
        d_a = d * of_tanh(free["a"][t] + W["a"] @ h[t])
        sent.append(of(p["W_xh"]).T @ d_a)
        d = weights.T @ d_a + (direct[t - 1] if t else 0)
    return [*states, (d,)][::-1], np.array(sent[::-1])


def back_gru(trace, direct, of=itself):
    """Of h' = (1 − z) n + z h, n = tanh(a_n + r (W_hn h + b_hn)); 1 − z is σ(−a_z)."""
    p, free, W = blocks(trace, "rzn")
    V = {gate: of(weights) for gate, weights in W.items()}
    h, d, states, sent = trace.h.astype(LONG), direct[-1], [], []
    for t in reversed(range(len(direct))):
        states.append((d,))
        a_r, a_z = (free[gate][t] + W[gate] @ h[t] for gate in "rz")
        m = W["n"] @ h[t] + p["b_hn"][:, None]
        a_n = free["n"][t] + sigma(a_r) * m
        d_n = d * sigma(-a_z) * of_tanh(a_n)
        d_z = d * (of(h[t]) + of(-np.tanh(a_n))) * of_sigma(a_z)
        d_r = d_n * of(m) * of_sigma(a_r)
        sent.append(of(p["W_xh"]).T @ np.concatenate([d_r, d_z, d_n]))
        d = d * sigma(a_z) + V["n"].T @ (d_n * sigma(a_r)) + V["r"].T @ d_r + V["z"].T @ d_z
        d = d + (direct[t - 1] if t else 0)
    return [*states, (d,)][::-1], np.array(sent[::-1])


def back_lstm(trace, direct, of=itself):
    p, free, W = blocks(trace, "ifgo")
    V = {gate: of(weights) for gate, weights in W.items()}
    h, c = trace.h.astype(LONG), trace.c.astype(LONG)
    d, carried, states, sent = direct[-1], 0 * direct[-1], [], []
    for t in reversed(range(len(direct))):
        states.append((d, carried))
        i, f, g, o = (free[gate][t] + W[gate] @ h[t] for gate in "ifgo")
        new = sigma(f) * c[t] + sigma(i) * np.tanh(g)
        d_c = carried + d * sigma(o) * of_tanh(new)
        d_a = {
            "i": d_c * of(np.tanh(g)) * of_sigma(i),
            "f": d_c * of(c[t]) * of_sigma(f),
            "g": d_c * sigma(i) * of_tanh(g),
            "o": d * of(np.tanh(new)) * of_sigma(o),
        }
        sent.append(of(p["W_xh"]).T @ np.concatenate([d_a[gate] for gate in "ifgo"]))
        carried = d_c * sigma(f)
        d = sum(V[gate].T @ d_a[gate] for gate in "ifgo") + (direct[t - 1] if t else 0)
    return [*states, (d, carried)][::-1], np.array(sent[::-1])


BACK = {"RNN": back_rnn, "GRU": back_gru, "LSTM": back_lstm}


def curves_in_more_digits(layers):
    """log10 ‖∂L/∂s_t‖ of each layer with slopes from pre-activations, 64 bits of mantissa."""
    direct, found = layers[-1][0].d_h_direct.astype(LONG), []
    for (trace,) in reversed(layers):
        states, direct = BACK[type(trace.cell).__name__](trace, direct)
        squares = np.array([sum((part**2).sum(axis=0) for part in state) for state in states])
        found.append(log10_rms((0.5 * np.log10(squares)).astype(float)))
    return found[::-1]


def entries_in_more_digits(layers, of=itself):
    """∂L/∂h_t of each layer, (T+1, H, B); with np.abs the sums of all their terms' sizes."""
    direct, found = of(layers[-1][0].d_h_direct.astype(LONG)), []
    for (trace,) in reversed(layers):
        states, direct = BACK[type(trace.cell).__name__](trace, direct, of)
        found.append(np.array([state[0] for state in states]))
    return found[::-1]


def layers_of(model, **change):
    given = {"seq_len": 12, "batch_size": 2, "hidden_size": 6} | change
    return run(Experiment((model,), **given))[model].layers


CLOSED = {"gain": 60.0, "memory_bias": -120.0, "input_scale": 40.0}
CASES = [
    ("lstm", {"gain": 1.0}, False),
    ("gru", {"gain": 30.0, "seq_len": 30}, False),
    ("lstm", {"gain": 30.0, "seq_len": 30}, False),
    ("lstm", CLOSED | {"hidden_size": 2, "batch_size": 1}, True),
    ("gru", CLOSED, True),
    ("rnn", {"gain": 17.0, "layers": 2, "init": "identity", "hidden_size": 2}, True),
    ("rnn", {"gain": 1.0, "layers": 3}, False),
    ("lstm", {"gain": 20.0, "layers": 2}, False),
]


@needs_long
@pytest.mark.parametrize(("model", "change", "lost"), CASES, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", range(3))
def test_gradients_through_saturated_units_have_all_their_digits(model, change, lost, dtype, seed):
    """Of every cell and layer, where slopes that are read off values are up to 15 decades off."""
    layers = layers_of(model, seed=seed, dtype=dtype, **change)
    exact, off = layers_with_true_slopes(layers), 0.0
    for k, truth in enumerate(curves_in_more_digits(layers)):
        found, read_off = (state_curve(each[k][0]).log10 for each in (exact, layers))
        tolerance = 1e-9 if dtype == "float64" else 1e-5
        np.testing.assert_allclose(found, truth, rtol=0, atol=tolerance)
        off = max(off, float(np.abs(read_off - truth).max()))
        assert not moved_by_rounding(exact[k:]).any()
    assert seed or dtype != "float64" or (off > 1e-3) == lost


@needs_long
@pytest.mark.parametrize(("model", "change", "lost"), CASES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_every_entry_is_true_but_for_what_its_terms_cancel(model, change, lost, seed):
    """1e-9 decades and eps T κ, κ = Σ|terms| / |sum| of the entry."""
    layers = layers_of(model, seed=seed, **change)
    exact, eps = layers_with_true_slopes(layers), np.finfo(float).eps
    truths, sizes = (entries_in_more_digits(layers, of) for of in (itself, np.abs))
    for (trace,), truth, size in zip(exact, truths, sizes, strict=True):
        found = np.ldexp(trace.d_h.astype(LONG), trace.d_log2)
        alive = truth != 0
        off = np.abs(np.log10(np.abs(found[alive] / truth[alive])))
        kappa = size[alive] / np.abs(truth[alive])
        assert alive.all()
        assert (off <= 1e-9 + eps * trace.seq_len * kappa).all()


class Silent:
    """A cell that does not say its pre-activations."""

    preactivations = Cell.preactivations


class SilentRNN(Silent, RNN):
    pass


class SilentLSTM(Silent, LSTM):
    pass


class SilentGRU(Silent, GRU):
    pass


SILENT = {"RNN": SilentRNN, "LSTM": SilentLSTM, "GRU": SilentGRU}


def silent(trace):
    cell, of = trace.cell, SILENT[type(trace.cell).__name__]
    return replace(trace, cell=of(**{f.name: getattr(cell, f.name) for f in fields(cell)}))


@needs_long
@pytest.mark.parametrize(("model", "change", "lost"), CASES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_rounding_moves_a_curve_no_further_than_is_said(model, change, lost, seed):
    layers = layers_of(model, seed=seed, **change)
    truths = curves_in_more_digits(layers)
    layers = tuple(tuple(map(silent, layer)) for layer in layers)
    assert layers_with_true_slopes(layers) is layers
    for k, truth in enumerate(truths):
        log10 = state_curve(layers[k][0]).log10
        said, seen = moved_by_rounding(layers[k:]), np.isfinite(log10)
        assert (np.abs(log10 - truth)[seen] <= 1e-12 + said[seen]).all()
    assert seed or (said > 0.05).any() == lost
    assert lost or np.nanmax(said) < 1e-6


@needs_long
@pytest.mark.parametrize(
    ("model", "gain", "scale", "decades"),
    [("rnn", 9.0, 4.0, 10), ("gru", 9.0, 4.0, 1), ("lstm", 20.0, 10.0, 0.03)],
)
def test_layers_of_single_precision_get_true_slopes_all_the_way_down(model, gain, scale, decades):
    """What reaches layer 1 has gone through saturated units of layer 2: in float32 it is off by as
    many decades."""
    change = {"gain": gain, "init": "identity", "memory_bias": -40.0, "input_scale": scale}
    layers = layers_of(model, dtype="float32", layers=2, hidden_size=2, **change)
    truth = curves_in_more_digits(layers)
    low, high = (state_curve(trace).log10 for (trace,) in layers_with_true_slopes(layers))
    np.testing.assert_allclose(low, truth[0], atol=2e-3)
    np.testing.assert_allclose(high, truth[1], atol=2e-3)
    with np.errstate(invalid="ignore"):
        assert np.abs(state_curve(layers[0][0]).log10 - truth[0])[1:].max() > decades


def test_both_directions():
    kwargs = {"dtype": "float32", "layers": 2, "bidirectional": "yes", "seq_len": 9}
    layers = layers_of("gru", **kwargs)
    exact = layers_with_true_slopes(layers)
    for ours, theirs in zip(layers, exact, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(b.d_h, a.d_h, rtol=1e-3, atol=1e-7)


def test_what_enters_a_lower_layer_by_itself_is_kept():
    """Beside what arrives there from above through units that float64 holds at 1: a = 40."""
    W, T = {"W_xh": np.ones((1, 1)), "b_h": np.zeros(1), "W_hh": np.full((1, 1), 0.5)}, 3
    cell, x = RNN(1, 1), np.full((T, 1, 1), 0.3)
    low = forward(cell, W, x)
    high = bptt(cell, {**W, "b_h": np.full(1, 40.0)}, low.h[1:], last(T, 1))
    own = np.zeros((T, 1, 1))
    own[1] = 1e-30
    layers = ((backward(low, high.d_x + own),), (high,))
    (found,), _ = layers_with_true_slopes(layers)
    slope = 1 / np.cosh(40 + low.h[1:] + 0.5 * high.h[:-1]) ** 2
    arrives = np.array([0.25 * np.prod(slope, axis=0), 0.5 * slope[1] * slope[2], slope[2]])
    np.testing.assert_allclose(found.d_h, backward(low, arrives + own).d_h, rtol=1e-12)


def test_units_that_are_not_saturated_need_no_second_pass():
    layers = layers_of("lstm")
    assert not nearly_saturated(layers[0][0])
    assert not moved_by_rounding(layers).any()


def test_saturated_units_beside_open_ones_need_none_either():
    """Enough error is left at every step that nothing of what rounding puts in could be seen."""
    layers = layers_of("lstm", gain=30.0, seq_len=30)
    assert nearly_saturated(layers[0][0])
    assert not may_be_seen(layers[0][0])
    assert not moved_by_rounding(layers).any()
