"""Where numbers stop being ordinary ones."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.gradients import GradientFlow, gradient_flow
from rnnviz.analysis.trouble import Trouble, troubles
from rnnviz.core import RNN, bptt
from rnnviz.core.numerics import Array, Status
from tests.analysis.support import last_step, simple


def flow_of(W: Array, T: int = 40, label: str = "rnn") -> GradientFlow:
    return gradient_flow(simple(W, last_step(T, len(W)), "identity"), label)


def test_trouble_is_told_where_it_begins() -> None:
    good = flow_of(np.eye(2))
    line = flow_of(np.eye(4, k=-1), T=10, label="line")
    below = flow_of(np.array([[1e-4]]), T=200, label="below")
    models = troubles([good, line, below]).backward
    assert models == (
        Trouble("line", 6, Status.ZERO, 6, 6),
        Trouble("below", 200 - 77, Status.BELOW, 200 - 77, 200 - 77),
    )


def test_where_a_layer_reads_from_the_end_it_is_a_step_of_the_input() -> None:
    trace = simple(np.eye(4, k=-1), last_step(10, 4), "identity")
    (found,) = troubles([gradient_flow(trace, "rnn", direction=1)]).backward
    assert found == Trouble("rnn", 5, Status.ZERO, 6, 6, direction=1)
    first_state_alone = simple(np.eye(4, k=-1), last_step(4, 4), "identity")
    assert troubles([gradient_flow(first_state_alone, "rnn", direction=1)]).backward == ()
    assert troubles([gradient_flow(first_state_alone, "rnn")]).backward[0].step == 0


def test_error_that_comes_back_is_not_said_to_be_gone() -> None:
    """What has jumped over a step is there again before it."""
    cell, T = RNN(1, 3, "identity", skip=7), 40
    params = cell.init_params(np.random.default_rng(0))
    params |= {"W_hh": np.eye(3, k=-1), "W_skip": np.eye(3)}
    trace = bptt(cell, params, np.zeros((T, 1, 1)), last_step(T, 3))
    (found,) = troubles([gradient_flow(trace, "rnn")]).backward
    zero = np.flatnonzero(~trace.d_h[1:].any(axis=(1, 2))) + 1
    assert (found.step, found.status) == (zero[-1], Status.ZERO)
    assert (found.steps, found.total) == (len(zero), found.step)
    assert found.steps < found.total


def test_states_that_overflow_on_the_way_forward_are_told() -> None:
    params = {"W_xh": np.eye(1), "W_hh": np.full((1, 1), 1e10), "b_h": np.zeros(1)}
    cell, x = RNN(1, 1, "identity"), np.zeros((60, 1, 1))
    exploding = gradient_flow(bptt(cell, params, x, last_step(60, 1), h0=np.ones((1, 1))), "up")
    found = troubles([flow_of(np.eye(2)), exploding])
    assert found.forward == (("up", 31),)  # 10^310 is beyond float64


def test_steps_after_the_last_loss_are_no_trouble() -> None:
    direct = np.zeros((9, 1, 1))
    direct[4] = 1
    flow = gradient_flow(simple(np.eye(1), direct), "rnn")
    assert troubles([flow]).backward == ()
