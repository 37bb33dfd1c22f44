"""The variants' options: what is allowed, which parameters they leave, and that they share weights
with the plain cells."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from rnnviz.core import GRU, GRU_VARIANTS, LSTM, LSTM_VARIANTS, RNN, forward
from tests.core.support import problem
from tests.core.variants import SKIPPING, VARIANTS

D, H = 3, 5
ALL = VARIANTS | SKIPPING

BAD = [
    (RNN, {"leak": 0}, "leak must be a finite number above 0 and at most 1, got 0"),
    (RNN, {"leak": -0.1}, "leak must be a finite number above 0 and at most 1, got -0.1"),
    (RNN, {"leak": 1.1}, "leak must be a finite number above 0 and at most 1, got 1.1"),
    (RNN, {"leak": np.nan}, "leak must be a finite number above 0 and at most 1, got nan"),
    (RNN, {"leak": "1"}, "leak must be a number, got '1'"),
    (RNN, {"skip": 1}, "skip must be 0 (none) or an integer of at least 2, got 1"),
    (LSTM, {"skip": -2}, "skip must be an integer of at least 0, got -2"),
    (GRU, {"skip": 2.0}, "skip must be an integer of at least 0, got 2.0"),
    (LSTM, {"peepholes": 1}, "peepholes must be True or False, got 1"),
    (LSTM, {"coupled": "yes"}, "coupled must be True or False, got 'yes'"),
    (LSTM, {"candidate": "elu"}, "candidate must be one of tanh, identity, relu, got 'elu'"),
    (LSTM, {"output": None}, "output must be one of tanh, identity, relu, got None"),
    (
        LSTM,
        {"gate_activation": "tanh"},
        "gate_activation must be one of logistic, hard_sigmoid, got 'tanh'",
    ),
    (LSTM, {"fixed": (("g", 1.0),)}, "fixed must be one of i, f, o, got 'g'"),
    (LSTM, {"fixed": (("i", 1.5),)}, "fixed gate i must be a finite number from 0 to 1, got 1.5"),
    (LSTM, {"fixed": (("i", "1"),)}, "fixed gate i must be a number, got '1'"),
    (LSTM, {"fixed": ("i", 1.0)}, "fixed must be a tuple of pairs (gate, number), got ('i', 1.0)"),
    (LSTM, {"fixed": {"i": 1.0}}, "fixed must be a tuple of pairs (gate, number)"),
    (LSTM, {"fixed": (("i", 1.0), ("i", 0.0))}, "fixed must name each gate once"),
    (LSTM, {"coupled": True, "fixed": (("i", 1.0),)}, "fixed must be one of o, got 'i'"),
    (LSTM, {"coupled": True, "fixed": (("f", 1.0),)}, "fixed must be one of o, got 'f'"),
    (GRU, {"reset": "Before"}, "reset must be one of after, before, got 'Before'"),
]


@pytest.mark.parametrize(("cell", "options", "message"), BAD)
def test_a_bad_option(cell, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        cell(D, H, **options)


@pytest.mark.parametrize(("cell", "extra"), [(LSTM, True), (GRU, "before")])
def test_options_go_by_name(cell, extra):
    with pytest.raises(TypeError):
        cell(D, H, extra)


@pytest.mark.parametrize("name", ALL)
def test_cells_are_frozen_small_and_equal_by_their_options(name):
    one, other = ALL[name](D, H), ALL[name](D, H)
    assert one.trainable_gates  # computed once; equality and hash do not see it
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(FrozenInstanceError):
        one.hidden_size = 4


def test_different_variants_are_different_cells():
    assert len({make(D, H) for make in ALL.values()}) == len(ALL)


@pytest.mark.parametrize(
    ("options", "learned", "own"),
    [
        ({}, "ifgo", ""),
        ({"peepholes": True}, "ifgo", "ifo"),
        ({"coupled": True}, "fgo", ""),
        ({"coupled": True, "peepholes": True}, "fgo", "fo"),
        ({"fixed": (("o", 1.0),), "peepholes": True}, "ifg", "if"),
        (LSTM_VARIANTS["no_gates"], "g", ""),
    ],
)
def test_only_gates_with_weights_have_parameters(options, learned, own):
    cell = LSTM(D, H, **options)
    shapes = cell.param_shapes()
    assert cell.trainable_gates == tuple(learned)
    assert shapes["W_xh"] == (len(learned) * H, D)
    assert shapes["W_hh"] == (len(learned) * H, H)
    assert set(shapes) == {"W_xh", "W_hh", "b_h"} | {f"p_{gate}" for gate in own}
    for gate in set("ifgo") - set(learned):
        with pytest.raises(ValueError, match=f"gate must be one of .*got '{gate}'"):
            cell.gate_rows(gate)


def test_the_gru_with_the_reset_before_has_one_bias():
    assert "b_hn" not in GRU(D, H, reset="before").param_shapes()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("init", ["uniform", "orthogonal"])
def test_a_gate_has_the_same_weights_in_every_variant(name, init):
    cell = ALL[name](D, H)
    plain = type(cell)(D, H)
    drawn, expected = (
        c.init_params(np.random.default_rng(7), init=init, memory_bias=2.0) for c in (cell, plain)
    )
    assert {key: value.shape for key, value in drawn.items()} == cell.param_shapes()
    for gate in cell.trainable_gates:
        for key in ("W_xh", "W_hh", "b_h"):
            found, same = drawn[key][cell.gate_rows(gate)], expected[key][plain.gate_rows(gate)]
            np.testing.assert_array_equal(found, same)


def test_peepholes_and_skips_have_streams_of_their_own():
    def draw(**options):
        return LSTM(D, H, **options).init_params(np.random.default_rng(7), gain=2.0)

    peeping = draw(peepholes=True)
    assert all(0 < np.abs(peeping[f"p_{gate}"]).max() <= 1 / np.sqrt(H) for gate in "ifo")
    assert len({peeping[f"p_{gate}"].tobytes() for gate in "ifo"}) == 3
    both = draw(peepholes=True, fixed=(("i", 1.0),), skip=2)
    np.testing.assert_array_equal(both["p_f"], peeping["p_f"])
    np.testing.assert_array_equal(both["p_o"], peeping["p_o"])
    skipping = draw(skip=2)
    np.testing.assert_array_equal(both["W_skip"], skipping["W_skip"][H:])
    assert np.abs(skipping["W_skip"] - skipping["W_hh"]).max() > 0


def test_memory_bias_and_chrono_set_what_there_is_to_set():
    cifg, nfg = LSTM(D, H, coupled=True), LSTM(D, H, **LSTM_VARIANTS["nfg"])
    rng = np.random.default_rng
    b_h = cifg.init_params(rng(0), memory_bias=3.0)["b_h"]
    assert (b_h[cifg.gate_rows("f")] == 3).all()
    assert not nfg.init_params(rng(0), memory_bias=3.0)["b_h"].any()
    chrono = nfg.init_params(rng(0), chrono=50)["b_h"]
    plain = LSTM(D, H).init_params(rng(0), chrono=50)["b_h"]
    np.testing.assert_array_equal(chrono[nfg.gate_rows("i")], plain[:H])
    with pytest.raises(ValueError, match="memory_bias must be a number"):
        nfg.init_params(rng(0), memory_bias="3")


@pytest.mark.parametrize("name", ["lstm peepholes", "lstm cifg", "lstm nfg", "gru reset_before"])
def test_gates_that_are_not_learned_are_recorded_all_the_same(name):
    cell = VARIANTS[name](D, H)
    x = np.random.default_rng(1).standard_normal((4, D, 2))
    gates = forward(cell, cell.init_params(np.random.default_rng(0)), x).gates
    assert tuple(gates) == cell.GATES
    for gate, value in getattr(cell, "fixed", ()):
        assert (gates[gate] == value).all()


def test_the_registries_name_the_published_variants():
    assert list(LSTM_VARIANTS) == ["plain", "peepholes", "cifg", "nig", "nfg", "nog", "niaf",
                                   "noaf", "relu_in", "relu_out", "hard_gates", "no_gates",
                                   "no_gates_noaf"]  # fmt: skip
    assert list(GRU_VARIANTS) == ["plain", "reset_before"]
    assert LSTM(D, H, **LSTM_VARIANTS["plain"]) == LSTM(D, H) == problem("lstm", 1, 1, D, H).cell
    assert GRU(D, H, **GRU_VARIANTS["plain"]) == GRU(D, H)
