"""What a user may rely on besides the numbers: shapes, dtypes, nothing changed, the same bits."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from rnnviz.core import backward, bptt, forward
from tests.core.strategies import problems
from tests.core.support import KINDS, Problem, problem, recorded, same


@given(problems)
def test_shapes_keep_every_axis(p):
    (T, D, B), H = p.x.shape, p.cell.hidden_size
    trace = p.trace()
    assert trace.h.shape == trace.d_h.shape == (T + 1, H, B)
    assert (trace.c is None) == (trace.d_c is None)
    if trace.c is not None:
        assert trace.c.shape == trace.d_c.shape == (T + 1, H, B)
    assert trace.d_x.shape == trace.x.shape == (T, D, B)
    np.testing.assert_array_equal(trace.d_h * 2.0**trace.d_log2, trace.d_h)
    for log2, values in (
        (trace.d_log2, trace.d_h),
        (trace.d_c_log2, trace.d_h),
        (trace.d_gate_log2, trace.d_gate_values),
        (trace.d_x_log2, trace.d_x),
    ):
        assert log2.shape == (len(values), 1, B)
        assert log2.dtype.kind == "i"
    assert tuple(trace.gates) == p.cell.GATES
    assert tuple(trace.d_gates) == p.cell.trainable_gates
    for values in (*trace.gates.values(), *trace.d_gates.values()):
        assert values.shape == (T, H, B)
    shapes = {name: value.shape for name, value in trace.grads.items()}
    assert shapes == p.cell.param_shapes()


@given(problems)
def test_what_was_given_is_neither_changed_nor_locked(p):
    arrays = {**p.inputs(), "direct": p.direct}
    before = {name: value.tobytes() for name, value in arrays.items()}
    trace = p.trace()
    for name, value in arrays.items():
        assert value.tobytes() == before[name]
        assert value.flags.writeable
        for result in recorded(trace).values():
            assert not np.shares_memory(value, result)


@given(problems)
def test_a_trace_cannot_be_changed(p):
    trace = p.trace()
    for values in (*recorded(trace).values(), trace.x, trace.d_h_direct, trace.d_log2):
        assert not values.flags.writeable
    for value in trace.params.values():
        assert not value.flags.writeable


@given(problems)
def test_a_record_can_be_used_twice(p):
    record = forward(p.cell, p.params, p.x, **p.states)
    first = backward(record, p.direct)
    backward(record, -3 * p.direct)
    same(backward(record, p.direct), first)


@given(problems)
def test_the_layout_of_the_inputs_in_memory_does_not_matter(p):
    def fortran(a):
        return np.asfortranarray(a)

    def strided(a):
        wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), np.nan)
        wide[..., ::2] = a
        return wide[..., ::2]

    def backwards(a):
        return np.ascontiguousarray(a[::-1])[::-1]

    for layout in (fortran, strided, backwards):
        params = {name: layout(value) for name, value in p.params.items()}
        states = {name: layout(value) for name, value in p.states.items()}
        changed = Problem(p.cell, params, states, layout(p.x), layout(p.direct))
        same(changed.trace(), p.trace())


@given(problems)
def test_read_only_inputs_will_do(p):
    expected = p.trace()
    for value in (*p.inputs().values(), p.direct):
        value.flags.writeable = False
    same(p.trace(), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_in_eight_threads(kind):
    p = problem(kind, T=40, B=5, D=3, H=16)
    with ThreadPoolExecutor(8) as pool:
        traces = list(pool.map(lambda _: p.trace(), range(32)))
    for trace in traces:
        same(trace, p.trace())


HASH = """
import hashlib
from tests.core.support import problem, recorded
for kind in ("rnn tanh", "lstm", "gru"):
    values = recorded(problem(kind, T=30, B=5, D=3, H=16).trace()).values()
    print(hashlib.sha256(b"".join(v.tobytes() for v in values)).hexdigest())
"""


def test_same_bits_in_another_process():
    root = Path(__file__).parents[2]
    runs = [
        subprocess.run([sys.executable, "-c", HASH], cwd=root, capture_output=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.split()) == 3


def test_numpy_s_settings_and_global_generator_are_left_alone():
    settings, state = np.geterr(), np.random.get_state()[1].copy()  # noqa: NPY002
    p = problem("lstm", T=5, B=2, D=2, H=3)
    p.cell.init_params(np.random.default_rng(0))
    p.trace()
    assert np.geterr() == settings
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("kind", KINDS)
def test_float32_in_float32_out(kind):
    p = problem(kind, T=10, B=3, D=2, H=4)
    narrow = recorded(p.cast(np.float32).trace())
    for name, values in recorded(p.trace()).items():
        found = narrow[name]
        assert found.dtype == np.float32
        assert np.abs(found - values).max() <= 1e-4 * max(1, np.abs(values).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tokens_stand_for_one_hot_columns(kind, dtype):
    p = problem(kind, T=6, B=3, D=4, H=3)
    params = {name: value.astype(dtype) for name, value in p.params.items()}
    tokens = np.random.default_rng(0).integers(0, 4, (6, 3))
    one_hot = np.eye(4, dtype=dtype)[tokens].transpose(0, 2, 1)
    direct = p.direct.astype(dtype)
    by_token, by_column = (bptt(p.cell, params, x, direct) for x in (tokens, one_hot))
    same(by_token, by_column)
    assert by_token.h.dtype == dtype
    np.testing.assert_array_equal(by_token.x, one_hot)
