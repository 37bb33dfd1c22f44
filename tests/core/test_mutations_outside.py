"""Planted mistakes around the recursion: what goes into it and what is made of its results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core import Trace
from tests.core.mutants import CAUGHT, error, small
from tests.core.support import Problem


def sums(trace: Trace, d_a: dict, h: np.ndarray) -> np.ndarray:
    """Σ_t d_a_t h_tᵀ, gates stacked."""
    rows = np.concatenate([d_a[gate] for gate in trace.cell.GATES], axis=1)
    return np.einsum("tib,tjb->ij", rows, h)


def with_products(trace: Trace, **products) -> Trace:
    """A trace whose grads or d_x, computed when first asked for, are these."""
    wrong = replace(trace)
    vars(wrong).update(products)
    return wrong


def h_of_the_same_step(p):
    trace = p.trace()
    return with_products(
        trace, grads={**trace.grads, "W_hh": sums(trace, trace.d_gates, trace.h[1:])}
    )


def mean_over_the_batch(p):
    trace = p.trace()
    return with_products(trace, grads={k: v / p.x.shape[2] for k, v in trace.grads.items()})


def last_step_alone(p):
    trace = p.trace()
    d_a = {gate: values[-1:] for gate, values in trace.d_gates.items()}
    return with_products(trace, grads={**trace.grads, "W_hh": sums(trace, d_a, trace.h[-2:-1])})


def x_of_the_step_before(p):
    trace = p.trace()
    return with_products(trace, d_x=np.roll(trace.d_x, 1, axis=0))


def direct_one_step_late(p):
    return replace(p, direct=np.roll(p.direct, 1, axis=0)).trace()


def direct_at_the_last_step_alone(p):
    direct = np.zeros_like(p.direct)
    direct[-1] = p.direct[-1]
    return replace(p, direct=direct).trace()


def stopped_half_way(p):
    """Truncated: nothing passes from the later half to the earlier one."""
    half = len(p.x) // 2
    trace = replace(p, x=p.x[:half], direct=p.direct[:half]).trace()
    return replace(p.trace(), d_h=trace.d_h)


def initial_state_forgotten(p):
    trace = p.trace()
    return replace(trace, d_h=trace.d_h[1:])


def two_gates_exchanged(p):
    trace, H = p.trace(), p.cell.hidden_size
    b_h = np.roll(trace.grads["b_h"], H if len(p.cell.GATES) > 1 else 1)
    return with_products(trace, grads={**trace.grads, "b_h": b_h})


ENDS = [
    h_of_the_same_step,
    mean_over_the_batch,
    last_step_alone,
    x_of_the_step_before,
    direct_one_step_late,
    direct_at_the_last_step_alone,
    stopped_half_way,
    initial_state_forgotten,
    two_gates_exchanged,
]


@pytest.mark.parametrize("kind", ["rnn tanh", "lstm"])
@pytest.mark.parametrize("mistake", ENDS)
def test_wrong_ends(kind, mistake):
    p = small(kind)

    class Mutant(Problem):
        def trace(self):
            return mistake(p)

    assert error(Mutant(**vars(p))) > CAUGHT
