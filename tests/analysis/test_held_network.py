"""What a network with a held input says of its states."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.held_network import HeldNetwork
from tests.analysis.support import last_step, simple


def test_a_state_is_still_where_a_step_leaves_it_and_on_a_kink_where_a_pre_activation_is_0():
    trace = simple(np.array([[0.0, 1.0], [1.0, 0.0]]), last_step(5, 2), "relu")
    network = HeldNetwork(trace.cell, trace, 0.0)
    states = np.array([[2.0, 2.0], [1.0, 2.0], [0.0, 0.0], [1e-9, 1e-9], [3.0, 0.0]])
    assert network.is_still(states).tolist() == [True, False, True, True, False]
    assert network.is_at_rest(states).tolist() == [True, False, True, True, False]
    assert network.on_kink(states).tolist() == [False, False, True, False, True]


def test_no_states_are_none_of_it():
    trace = simple(np.eye(2), last_step(5, 2))
    network = HeldNetwork(trace.cell, trace, 0.0)
    none = np.zeros((0, 2))
    assert network.on_kink(none).shape == network.residual(none).shape == (0,)
