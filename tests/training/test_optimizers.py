"""Every optimizer follows PyTorch's for 200 steps, and changes nothing that it is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz.core import LSTM
from rnnviz.core.network import Network
from rnnviz.tasks import Batch
from rnnviz.training import OPTIMIZERS, TrainOptions, TrainState, train
from tests.training.support import GOLDEN

CASES = {
    "sgd": TrainOptions("sgd", 0.1),
    "momentum": TrainOptions("momentum", 0.02),
    "rmsprop": TrainOptions("rmsprop", 1e-3),
    "adagrad": TrainOptions("adagrad", 0.05),
    "adam": TrainOptions("adam", 0.01),
    "adam, clipped by norm": TrainOptions("adam", 0.01, "norm", 0.2),
    "sgd, clipped by value": TrainOptions("sgd", 0.1, "value", 0.05),
}
KEYS = {"W_xh": "0.forward.W_xh", "W_hh": "0.forward.W_hh", "b_h": "0.forward.b_h",
        "W_hy": "W_hy", "b_y": "b_y"}  # fmt: skip


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    with np.load(GOLDEN) as file:
        return dict(file)


def batch(golden: dict[str, Any], step: int) -> Batch:
    x, target = golden["x"][step % 4], golden["target"][step % 4]
    return Batch(x, target, np.ones(target.shape), "softmax_cross_entropy", 3, 4,
                 np.full(target.shape[1], len(x)))  # fmt: skip


@pytest.mark.trained
@pytest.mark.parametrize("name", CASES)
def test_200_steps_equal_pytorchs(golden: dict[str, Any], name: str) -> None:
    state = TrainState(0, {ours: golden[theirs] for theirs, ours in KEYS.items()})
    steps = train(Network((LSTM(3, 5),), 4), state, lambda n: batch(golden, n), CASES[name])
    losses, clipped = [], 0
    for _ in range(200):
        state, record = next(steps)
        losses.append(record.loss)
        clipped += record.clipped
    np.testing.assert_allclose(losses, golden[f"{name}/losses"], rtol=1e-8)
    for theirs, ours in KEYS.items():
        np.testing.assert_allclose(state.params[ours], golden[f"{name}/{theirs}"], rtol=1e-8,
                                   atol=1e-8)  # fmt: skip
    assert losses[-1] < 0.95 * losses[0]
    assert (clipped > 0) == ("clipped" in name)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_given_arrays_stay_as_they_are(name: str) -> None:
    params, grads = {"W": np.arange(6.0).reshape(2, 3)}, {"W": np.ones((2, 3))}
    _, moments = OPTIMIZERS[name](params, grads, {}, 0.1)
    frozen = {key: value.copy() for key, value in moments.items()}
    for array in (*params.values(), *grads.values(), *moments.values()):
        array.flags.writeable = False
    after, later = OPTIMIZERS[name](params, grads, moments, 0.1)
    assert not np.shares_memory(after["W"], params["W"])
    assert all(np.array_equal(moments[key], value) for key, value in frozen.items())
    assert set(later) == set(moments)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32(name: str) -> None:
    params, grads = {"W": np.ones(3, np.float32)}, {"W": np.full(3, 0.5, np.float32)}
    after, moments = OPTIMIZERS[name](params, grads, {}, 0.1)
    after, moments = OPTIMIZERS[name](after, grads, moments, 0.1)
    assert after["W"].dtype == np.float32
    assert {array.dtype.char for key, array in moments.items() if key != "count"} <= {"f"}


def test_the_first_step_of_adam_has_the_size_of_the_learning_rate() -> None:
    grads = {"W": np.array([1e-4, -3.0, 1e5])}
    after, _ = OPTIMIZERS["adam"]({"W": np.zeros(3)}, grads, {}, 0.01)
    np.testing.assert_allclose(after["W"], [-0.01, 0.01, -0.01], rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adamw"}, "optimizer must be one of sgd"),
        ({"learning_rate": -1.0}, "learning_rate must be"),
        ({"learning_rate": float("nan")}, "learning_rate must be"),
        ({"clip": "global"}, "clip must be one of none, norm, value"),
        ({"clip_at": 0.0}, "clip_at must be"),
        ({"window": -1}, "window must be"),
        ({"stride": 1.5}, "stride must be"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainOptions(**options)
