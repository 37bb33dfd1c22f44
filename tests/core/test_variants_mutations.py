"""Planted mistakes in the variants' own code: the complex-step check must catch every one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN
from tests.core.mutants import CAUGHT, TOLERANCE, error
from tests.core.support import problem_of

PEEPHOLES = {"peepholes": True}
COUPLED = {"coupled": True}
NO_FORGETTING = {"fixed": (("f", 0.6),)}
BEFORE = {"reset": "before"}
LEAKY = {"leak": 0.3}


def error_of(mutant, options):
    return error(problem_of(mutant(2, 3, **options), T=4, B=3, seed=11))


@pytest.mark.parametrize(
    ("cell", "options"),
    [(LSTM, PEEPHOLES), (LSTM, COUPLED), (LSTM, NO_FORGETTING), (GRU, BEFORE), (RNN, LEAKY)],
)
def test_the_check_passes_without_a_mistake(cell, options):
    assert error_of(cell, options) <= TOLERANCE


def slab(cell, d_a, gate):
    H, k = cell.hidden_size, cell.D_GATE_ROWS.index(gate)
    return d_a[:, k * H : (k + 1) * H]


def o_s_peephole_left_out(cell, record, steps, d_a, s):
    s -= slab(cell, d_a, "o") * record.params["p_o"][:, None]


def i_s_slope_not_zero(cell, record, steps, d_a, s):
    gates = {gate: values[steps] for gate, values in record.gates.items()}
    slab(cell, d_a, "i")[...] = gates["g"] * gates["i"] * (1 - gates["i"])


def g_left_out_of_f(cell, record, steps, d_a, s):
    f, c = record.gates["f"][steps], record.c[steps]
    slab(cell, d_a, "f")[...] = c * f * (1 - f)


def g_added_to_f(cell, record, steps, d_a, s):
    f, c, g = record.gates["f"][steps], record.c[steps], record.gates["g"][steps]
    slab(cell, d_a, "f")[...] = (c + g) * f * (1 - f)


def tanh_slope_of_a_linear_candidate(cell, record, steps, d_a, s):
    slab(cell, d_a, "g")[...] *= 1 - record.gates["g"][steps] ** 2


def tanh_slope_of_a_linear_output(cell, record, steps, d_a, s):
    s *= 1 - record.saved[steps] ** 2


def candidate_for_h(cell, record, steps, d_a, s):
    r, n = record.gates["r"][steps], record.gates["n"][steps]
    slab(cell, d_a, "r")[...] = n * r * (1 - r)


def leak_left_out(cell, record, steps, d_a, s):
    d_a /= cell.leak


def leak_twice(cell, record, steps, d_a, s):
    d_a *= cell.leak


FACTORS = [
    (LSTM, PEEPHOLES, o_s_peephole_left_out),
    (LSTM, COUPLED, g_left_out_of_f),
    (LSTM, COUPLED, g_added_to_f),
    (LSTM, {"candidate": "identity"}, tanh_slope_of_a_linear_candidate),
    (LSTM, {"output": "identity"}, tanh_slope_of_a_linear_output),
    (GRU, BEFORE, candidate_for_h),
    (RNN, LEAKY, leak_left_out),
    (RNN, LEAKY, leak_twice),
]


@pytest.mark.parametrize(("cell", "options", "change"), FACTORS)
def test_a_wrong_factor(cell, options, change):
    class Mutant(cell):
        def local_derivatives(self, record, start, stop, d_a, s):
            super().local_derivatives(record, start, stop, d_a, s)
            change(self, record, slice(start, stop), d_a, s)

    assert error_of(Mutant, options) > CAUGHT


@pytest.mark.parametrize("options", [COUPLED, {**COUPLED, **PEEPHOLES}])
def test_a_gate_without_weights_that_takes_part_in_the_peepholes(options):
    """i follows f: its own slope would be counted once more on the way to c_{t-1}."""

    class Mutant(LSTM):
        def local_derivatives(self, record, start, stop, d_a, s):
            super().local_derivatives(record, start, stop, d_a, s)
            i_s_slope_not_zero(self, record, slice(start, stop), d_a, s)

        def backward_weights(self, params):
            w = super().backward_weights(params)
            H = self.hidden_size
            w.hidden[:, H : 2 * H] = -w.hidden[:, 2 * H : 3 * H]
            return w

    assert error_of(Mutant, options) > CAUGHT


@pytest.mark.parametrize("gate", "if")
def test_a_peephole_missing_on_the_way_to_c(gate):
    class Mutant(LSTM):
        def backward_views(self, record, start, d_a, s):
            p = record.params[f"p_{gate}"][:, None]
            steps = zip(slab(self, d_a, gate), super().backward_views(record, start, d_a, s),
                        strict=True)  # fmt: skip
            return iter([(*views[:-1], views[-1] - p * of) for of, views in list(steps)])

    assert error_of(Mutant, PEEPHOLES) > CAUGHT


def c_of_the_same_step(trace, d_a):
    return {f"p_{g}": np.einsum("thb,thb->h", d_a[g], trace.c[1:]) for g in "if"}


def c_of_the_step_before(trace, d_a):
    return {"p_o": np.einsum("thb,thb->h", d_a["o"], trace.c[:-1])}


def two_peepholes_exchanged(trace, d_a):
    return {"p_i": trace.grads["p_f"], "p_f": trace.grads["p_i"]}


def product_with_h(trace, d_a):
    H = trace.cell.hidden_size
    d_W_hn = np.einsum("tib,tjb->ij", d_a["n"], trace.h[:-1])
    return {"W_hh": np.concatenate([trace.grads["W_hh"][: 2 * H], d_W_hn])}


def product_with_h_next(trace, d_a):
    H = trace.cell.hidden_size
    d_W_hn = np.einsum("tib,tjb->ij", d_a["n"], trace.gates["r"] * trace.h[1:])
    return {"W_hh": np.concatenate([trace.grads["W_hh"][: 2 * H], d_W_hn])}


GRADS = [
    (LSTM, PEEPHOLES, c_of_the_same_step),
    (LSTM, PEEPHOLES, c_of_the_step_before),
    (LSTM, PEEPHOLES, two_peepholes_exchanged),
    (GRU, BEFORE, product_with_h),
    (GRU, BEFORE, product_with_h_next),
]


@pytest.mark.parametrize(("cell", "options", "wrong"), GRADS)
def test_a_wrong_parameter_gradient(cell, options, wrong):
    p = problem_of(cell(2, 3, **options), T=4, B=3, seed=11)

    class Mutant(type(p)):
        def trace(self):
            trace = p.trace()
            copy = replace(trace)
            vars(copy)["grads"] = {**trace.grads, **wrong(trace, trace.d_gates)}
            return copy

    assert error(Mutant(**vars(p))) > CAUGHT


def without_r(d_h, d_h_next, u, r, z):
    d_h += (1 - r) * u


def without_u(d_h, d_h_next, u, r, z):
    d_h -= r * u


def without_z(d_h, d_h_next, u, r, z):
    d_h -= z * d_h_next


@pytest.mark.parametrize("change", [without_r, without_u, without_z])
def test_a_wrong_step_back_with_the_reset_before(change):
    class Mutant(GRU):
        def backward_step(self, w, s, d_h_next, d_c_next, d_h, d_c, *views):
            super().backward_step(w, s, d_h_next, d_c_next, d_h, d_c, *views)
            change(d_h, d_h_next, views[3], *views[-2:])

    assert error_of(Mutant, BEFORE) > CAUGHT


@pytest.mark.parametrize("factor", [0.0, 1 / 0.7])
def test_a_wrong_way_past_the_leak(factor):
    class Mutant(RNN):
        def backward_step(self, w, s, d_h_next, d_c_next, d_h, d_c, *views):
            super().backward_step(w, s, d_h_next, d_c_next, d_h, d_c, *views)
            d_h += (factor - 1) * (1 - self.leak) * d_h_next

    assert error_of(Mutant, LEAKY) > CAUGHT


def test_a_constant_gate_that_is_not_the_factor_of_the_carry():
    class Mutant(LSTM):
        def backward_views(self, record, start, d_a, s):
            return iter([(*v[:-1], np.ones_like(v[-1])) for v in
                         super().backward_views(record, start, d_a, s)])  # fmt: skip

    assert error_of(Mutant, NO_FORGETTING) > CAUGHT
