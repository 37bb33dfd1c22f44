"""What was checked on a run: green where nothing is wrong, and silent where nothing can be said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import Experiment, run
from rnnviz.analysis.remarks import Remark, remark
from rnnviz.analysis.selfcheck import checks as trusting
from rnnviz.analysis.selfcheck.checks import (
    DETERMINANT,
    DOT,
    GRADIENT,
    LOSSES,
    QUICK,
    STATES,
    THOROUGH,
    WEIGHTS,
    Check,
    Group,
    checks,
    trust,
)
from rnnviz.analysis.selfcheck.noise import MOST, STRICT, Compared
from rnnviz.analysis.selfcheck.places import Places
from rnnviz.analysis.selfcheck.steps import adjoint_test
from rnnviz.analysis.selfcheck.sums import weight_sums
from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network, run_network
from rnnviz.core.trace import of_sequences
from rnnviz.tasks.batch import Batch
from tests.analysis.cells import EVERY, any_problem
from tests.analysis.support import last_step, simple
from tests.core.networks import SETTINGS, Setting, setting

DTYPES = ("float64", "float32")


def of(s: Setting, dtype: str = "float64", group: Group = THOROUGH) -> dict[str, Check]:
    """Name -> check of a setting's run."""
    params = {name: value.astype(dtype) for name, value in s.params.items()}
    cast = replace(s, params=params)
    return {check.name: check for check in checks(cast.trace(), cast.batch, group)}


def failures(found: dict[str, Check]) -> list[Check]:
    return [check for check in found.values() if check.failed]


def asking_for_classes(s: Setting) -> Setting:
    """The same with a cross-entropy loss."""
    ids = np.random.default_rng(1).integers(0, s.network.output_size, s.batch.mask.shape)
    return replace(s, batch=replace(s.batch, target=ids, loss="softmax_cross_entropy"))


@st.composite
def any_setting(draw) -> Setting:
    """A network of any cells, depth, directions, readout, context and lengths."""
    T, B = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    both, layers = draw(st.booleans()), draw(st.integers(1, 2))
    cells, width = [], draw(st.integers(1, 3))
    for _ in range(layers):
        cell = EVERY[draw(st.sampled_from(sorted(EVERY)))](width, draw(st.integers(1, 5)))
        cells.append(cell)
        width = cell.hidden_size * (1 + both)
    readout = draw(st.sampled_from(("aligned", "final"))) if both else "aligned"
    network = Network(tuple(cells), 2, both, readout, context_size=draw(st.integers(0, 2)))
    lengths = draw(st.lists(st.integers(1, T), min_size=B, max_size=B))
    made = setting(network, T, B, np.array(lengths))
    return asking_for_classes(made) if draw(st.booleans()) else made


@settings(max_examples=60)
@given(any_setting(), st.sampled_from(DTYPES))
def test_nothing_is_wrong_with_any_network(s, dtype):
    for group in (QUICK, THOROUGH):
        found = of(s, dtype, group)
        assert tuple(found) == group.names
        assert failures(found) == []
        assert found[WEIGHTS].passed or found[WEIGHTS].reason == Remark(
            "compares_nothing"
        )  # a dead ReLU


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SETTINGS)
def test_everything_that_has_an_equation_is_checked(name, dtype):
    s = SETTINGS[name]()
    found = of(s, dtype)
    for check in (GRADIENT, DOT, STATES, WEIGHTS, LOSSES):
        assert found[check].passed, found[check]
        assert found[check].bound < (1e-9 if dtype == "float64" else MOST)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_an_experiment_of_the_dashboard(kind, dtype):
    result = run(Experiment((kind,), seq_len=50, hidden_size=16, dtype=dtype))
    found = trust(result[kind], result.batch, kind)
    assert found.passed
    assert not found.failed
    assert (found.label, found.dtype, found.seq_len) == (kind, dtype, 50)
    assert found.rescaled == 0
    determinant = found.check(DETERMINANT)
    assert determinant is not None
    assert determinant.passed == determinant.applies == (kind != "gru")
    no_form = remark("no_closed_form", cell="a GRU")
    assert determinant.reason == (no_form if kind == "gru" else None)


def test_progress_is_told_and_may_stop_the_work():
    s, told = SETTINGS["context"](), []
    trust(s.trace(), s.batch, "m", progress=told.append)
    assert told == [(n + 1) / 6 for n in range(6)]

    def stop(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        trust(s.trace(), s.batch, "m", progress=stop)


def test_the_same_run_gets_the_same_numbers():
    s = SETTINGS["three layers"]()
    assert of(s) == of(s)


def test_gradients_beyond_the_range_of_the_dtype_are_still_checked():
    dying = Experiment(("rnn",), seq_len=60, hidden_size=4, gain=0.01, dtype="float32")
    result = run(dying)
    found = trust(result["rnn"], result.batch, "rnn")
    assert found.rescaled > 0.5
    assert not found.failed
    assert {c.name for c in found.checks if c.passed} >= {DOT, STATES, WEIGHTS, LOSSES}


def test_an_overflow_is_neither_green_nor_red():
    wild = Experiment(("rnn",), seq_len=400, hidden_size=4, activation="identity", gain=16.0)
    result = run(wild)
    found = trust(result["rnn"], result.batch, "rnn")
    assert not np.isfinite(result["rnn"].loss)
    assert (found.passed, found.failed) == (False, False)
    said = {check.name: check.reason for check in found.checks}
    assert said[GRADIENT] == Remark("loss_not_finite")
    assert said[WEIGHTS]


@pytest.mark.parametrize("far", [-1400.0, 1400.0, -1e5])
@pytest.mark.parametrize("cell", [LSTM(1, 1), GRU(1, 1), GRU(1, 1, reset="before"),
                                  LSTM(1, 1, peepholes=True), RNN(1, 1, activation="logistic")],
                         ids=str)  # fmt: skip
def test_gates_far_in_saturation_are_right(cell, far):
    """e^1400 of a complex number has two infinite parts, and 1/(1 + it) is 0 all the same."""
    network = Network((cell,), 1)
    params = {name: np.full(shape, 0.5) for name, shape in network.param_shapes().items()}
    params["0.forward.W_xh"][:] = 1
    x = np.array([0.3, far, far]).reshape(3, 1, 1)
    batch = Batch(x, np.zeros((3, 1, 1)), np.ones((3, 1)), "squared_error", 1, 1, np.array([3]))
    trace = run_network(network, params, batch)
    if cell == LSTM(1, 1) and far == -1400:
        assert trace.loss == pytest.approx(0.4598601033717446, rel=1e-14)
    found = {check.name: check for check in checks(trace, batch)}
    assert not failures(found)
    # Gates that are 1 to the last bit leave rounding noise of a slope, and say so.
    assert found[GRADIENT].passed or (far > 0 and found[GRADIENT].reason)


def test_a_run_on_data_that_nobody_scaled_is_not_called_wrong():
    e = Experiment(("lstm", "gru"), "delayed_recall", seq_len=50, hidden_size=4, input_scale=100,
                   distractor=10)  # fmt: skip
    result = run(e)
    for label in result:
        found = {check.name: check for check in checks(result[label], result.batch)}
        assert not failures(found)
        assert found[GRADIENT].passed or found[GRADIENT].reason


def test_nothing_is_claimed_where_rounding_decides():
    chaos = Experiment(("rnn",), seq_len=300, hidden_size=32, init="orthogonal", gain=4.0)
    result = run(chaos)
    found = {c.name: c for c in checks(result["rnn"], result.batch)}
    assert found[GRADIENT].reason.code.startswith("rounding_moves")
    for name in (DOT, STATES, WEIGHTS, LOSSES, DETERMINANT):
        assert found[name].passed, found[name]


@pytest.mark.parametrize("gain", [0.0, 2.0])
def test_a_unit_at_the_kink_of_its_relu_stays_there(gain):
    """Its pre-activation is exactly 0 at most steps: the derivative there is 0 by convention."""
    kinked = Experiment(("rnn",), seq_len=20, hidden_size=8, init="identity", activation="relu",
                        gain=gain or 0.5, distractor=0.0)  # fmt: skip
    result = run(kinked)
    assert trust(result["rnn"], result.batch, "rnn").passed


@pytest.mark.parametrize(("limit", "left_out"), [("MOST_GRADIENT_SECONDS", GRADIENT),
                                                 ("PAIR_SECONDS", LOSSES)])  # fmt: skip
def test_what_would_take_too_long_is_left_out_and_said(limit, left_out, monkeypatch):
    monkeypatch.setattr(trusting, limit, 0)
    found = of(SETTINGS["bidirectional lstm"]())
    assert [name for name, check in found.items() if check.reason] == [left_out]
    assert not found[left_out].passed
    assert not found[left_out].failed


@pytest.mark.parametrize("group", [QUICK, THOROUGH], ids=["quick", "thorough"])
@pytest.mark.parametrize(("limit", "left_out"), [("most_lu", {DETERMINANT}),
                                                 ("most_parameters", {DOT, STATES})])  # fmt: skip
def test_what_is_too_large_is_left_out_and_said(limit, left_out, group):
    found = of(SETTINGS["bidirectional lstm"](), group=replace(group, **{limit: 0}))
    said = {name: check.reason for name, check in found.items() if check.reason}
    assert set(said) == left_out & set(group.names)
    assert all(reason.code.endswith(f"too_large_{group.within}") for reason in said.values())
    assert all(found[name].applies for name in said)


def test_a_large_run_is_checked_in_part_and_says_in_which(monkeypatch):
    monkeypatch.setattr(trusting, "GRADIENT_SECONDS", 0.0)
    found = of(SETTINGS["bidirectional rnn"](), group=replace(THOROUGH, elements=300))
    assert found[GRADIENT].where[0] == remark("some_sequences", count=1, total=4, steps=6)
    assert found[DOT].where[0] == remark("single_steps", count=20, total=48)
    assert failures(found) == []
    assert found[GRADIENT].passed


def test_the_quick_checks_are_of_what_was_recorded(monkeypatch):
    """Nothing is run again, and few steps are taken apart."""
    result = run(Experiment())
    monkeypatch.setattr("rnnviz.analysis.selfcheck.gradient.run_network", None)
    monkeypatch.setattr("rnnviz.analysis.selfcheck.gradient.predict", None)
    monkeypatch.setattr("rnnviz.analysis.selfcheck.sums.backward", None)
    for label, most in (("rnn", 10), ("lstm", 5), ("gru", 5)):
        found = trust(result[label], result.batch, label, QUICK)
        assert found.passed
        dot, determinant = found.check(DOT), found.check(DETERMINANT)
        assert dict(dot.where[0].values)["count"] <= most
        assert determinant.reason or determinant.where == (Remark("last_step"),)
        assert found.check(GRADIENT) is None


def test_sequences_of_a_trace_make_up_its_gradients():
    trace = SETTINGS["deep, bidirectional, padded"]().trace().layers[1][1]
    parts = [of_sequences(trace, np.array(b)) for b in ([0, 2], [1])]
    total = sum(part.grads["W_hh"] for part in parts)
    np.testing.assert_allclose(total, trace.grads["W_hh"], rtol=1e-12)


def one(error: float, scale: float, noise: float) -> Compared:
    return Compared(*(np.array([v]) for v in (error, scale, noise)), 1e-16)


@pytest.mark.parametrize(
    ("compared", "value", "bound"),
    [
        (one(0.0, 0.0, 0.0), 0.0, STRICT * 1e-16),
        (one(3e-15, 2.0, 0.0), 1.5e-15, STRICT * 1e-16),
        (one(3e-15, 2.0, 2e-12), 1.5e-15, STRICT * (1e-16 + 1e-12)),
        (one(1.0, 0.0, 0.0), np.inf, STRICT * 1e-16),
        (one(np.nan, 1.0, 0.0), np.nan, STRICT * 1e-16),
    ],
    ids=["both zero", "rounding", "noisy", "zero against something", "not a number"],
)
def test_a_bound_is_what_rounding_explains(compared, value, bound):
    found = compared.worst()
    np.testing.assert_allclose(found, (value, bound, 1.0))
    check = Check("", found[0], found[1], ())
    assert check.failed == (not value < bound)


@pytest.mark.parametrize("nothing", [one(1e-3, 1.0, 0.5), one(1.0, np.nan, 0.0)])
def test_a_comparison_that_could_not_fail_does_not_pass(nothing):
    value, bound, share = nothing.worst()
    assert np.isnan([value, bound]).all()
    assert share == 0


def test_the_worst_is_the_one_nearest_to_its_own_bound():
    both = Compared(np.array([1e-12, 2e-14]), np.ones(2), np.array([1e-13, 0.0]), 1e-16)
    assert both.worst() == (2e-14, STRICT * 1e-16, 1.0)


@pytest.mark.parametrize("size", [1e-250, 1e250])
def test_sums_whose_squares_are_no_numbers_are_compared(size):
    p = any_problem("gru", 20)
    trace = replace(p, direct=size * p.direct).trace()
    right = weight_sums(trace, trace.grads, np.random.default_rng(0)).worst()
    assert right[0] < right[1] < 1e-12
    wrong = trace.grads | {"W_hh": trace.grads["W_hh"] * 1.001}
    found = weight_sums(trace, wrong, np.random.default_rng(0)).worst()
    assert found[0] > found[1]


def test_an_error_far_above_what_is_left_of_a_later_one_is_not_warned_of():
    """10^−360 arrives at the step where 1 enters."""
    direct = last_step(10, 2)
    direct[2] = 1
    trace = simple(1e-60 * np.eye(2), direct)
    at = Places(np.arange(1, 11), np.zeros(10, int))
    value, bound, share = adjoint_test(trace, at, np.random.default_rng(0)).worst()
    assert value <= bound
    assert 0 < share < 1
