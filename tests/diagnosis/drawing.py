"""The two sets of cases, drawn by a seeded generator: thresholds are tuned on the first, and judged
on the second, which has other seeds, sizes and lengths, and one more task."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tests.diagnosis.cases import HEALTHY, Case, lag_of

Generator = np.random.Generator


@dataclass(frozen=True)
class Scope:
    """What a set draws from. each, near, healthy: how many cases of each kind, how many that are
    near the line, of which some are well, and how many that are meant to be."""

    seed: int
    sizes: tuple[int, ...]
    lengths: tuple[int, ...]
    tasks: tuple[str, ...]
    each: int
    near: int
    healthy: int


SETS = {
    "first": Scope(101, (16, 24), (26, 40), ("recall", "order"), 6, 6, 40),
    "second": Scope(202, (12, 20, 32), (20, 28, 34, 42), ("recall", "order", "marked"), 9, 5, 72),
}


def cases(name: str) -> list[Case]:
    """All cases of a set."""
    scope = SETS[name]
    made = []
    for far in (True, False):
        for k, (kind, draw) in enumerate(DRAWN.items()):
            many = (scope.healthy if kind == HEALTHY else scope.each) if far else scope.near
            for i in range(0 if kind == HEALTHY and not far else many):
                rng = np.random.default_rng([scope.seed, k, i, *([] if far else [1])])
                title = f"{name}-{'' if far else 'near-'}{kind}-{i}"
                made.append(_case(title, kind, scope, rng, partial(draw, far=far)))
    return made


def _case(
    name: str, kind: str, scope: Scope, rng: Generator, draw: Callable[..., dict[str, Any]]
) -> Case:
    task, T = str(rng.choice(scope.tasks)), int(rng.choice(scope.lengths))
    common: dict[str, Any] = {"task": task, "seq_len": T, "cell": "lstm",
                              "hidden_size": int(rng.choice(scope.sizes)),
                              "seed": int(rng.integers(10**6)) * 10}  # fmt: skip
    given = {**common, **draw(rng, T)}
    lag = lag_of(given["task"], given["seq_len"])
    return Case(name=name, kind=kind, **{"lag": lag, **given})


def kept(lag: float) -> float:
    """The bias of a memory gate that keeps half over a lag."""
    return -math.log(math.expm1(math.log(2) / lag))


def between(
    rng: Generator, far: bool, there: tuple[float, float], near: tuple[float, float]
) -> float:
    """Uniform: from where the fault is plain, or where it may be none."""
    return float(rng.uniform(*(there if far else near)))


def one_of(rng: Generator, *values: Any) -> Any:
    return values[rng.integers(len(values))]


def vanishing(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """RNNs whose W_hh is too small, and gated cells that forget."""
    cell = one_of(rng, "rnn", "rnn", "rnn", "lstm", "gru")
    init: dict[str, Any] = {"init": one_of(rng, "uniform", "gaussian", "orthogonal")}
    init["gain"] = 1.0 if init["init"] == "uniform" else between(rng, far, (0.3, 0.7), (0.7, 0.97))
    if cell != "rnn":
        init["memory_bias"] = between(rng, far, (-1, 0.5), (0.3, 1.6))
    return {"cell": cell, "init": init}


def closed_memory(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    return {"cell": one_of(rng, "lstm", "gru"),
            "init": {"memory_bias": between(rng, far, (-4, -0.5), (-0.5, 1))}}  # fmt: skip


def biases(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"cell": one_of(rng, "lstm", "lstm", "gru"),
                            "init": {"memory_bias": 0.0}}  # fmt: skip
    return made if far else {**made, "seq_len": int(rng.integers(8, 20))}


def exploding(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """Matrices that stretch; Adam, or SGD with and without momentum."""
    init = {
        "init": one_of(rng, "gaussian", "orthogonal"),
        "gain": between(rng, far, (1.6, 4), (1.7, 2.4)),
    }
    options = one_of(rng, {"optimizer": "adam", "learning_rate": 0.003},
                     {"optimizer": "sgd", "learning_rate": 0.3})  # fmt: skip
    activation = one_of(rng, "tanh", "tanh", "identity")
    short = int(rng.integers(18, 26))
    return {"cell": "rnn", "activation": activation, "init": init, "noise": 0.2, "task": "recall",
            "seq_len": short, "steps": 600, **options}  # fmt: skip


def overflow(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """Linear units whose states are beyond float32."""
    gain = 10 ** (between(rng, far, (40, 60), (28, 42)) / 20)
    return {"cell": "rnn", "activation": "identity", "dtype": "float32", "noise": 0.2,
            "init": {"init": one_of(rng, "orthogonal", "gaussian"), "gain": gain},
            "task": "recall", "seq_len": int(rng.integers(20, 28)), "learning_rate": 0.003,
            "steps": 600}  # fmt: skip


def saturated(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """Inputs that nobody has centred, or a bias that holds a gate."""
    if rng.random() < 0.5:
        return {"cell": "rnn", "init": {"init": "orthogonal"}, "noise": 0.2, "task": "recall",
                "seq_len": int(rng.integers(12, 20)), "learning_rate": 0.003, "steps": 800,
                "offset": between(rng, far, (50, 500), (1, 30))}  # fmt: skip
    cell = one_of(rng, "lstm", "gru")
    lag = lag_of("recall", T)
    if cell == "lstm":
        gates = {one_of(rng, "i", "o"): between(rng, far, (-12, -7), (-7, -2))}
        return {"cell": cell, "init": {"memory_bias": kept(lag)}, "gates": gates,
                "learning_rate": 0.003}  # fmt: skip
    gates = {"n": one_of(rng, -1, 1) * between(rng, far, (6, 12), (1.5, 6))}
    return {"cell": cell, "init": {"memory_bias": kept(lag)}, "gates": gates,
            "learning_rate": 0.003}  # fmt: skip


def dead(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """ReLUs that never wake."""
    gates = {"a": between(rng, far, (-8, -3), (-3, 0))}
    return {"cell": "rnn", "activation": "relu", "gates": gates,
            "init": {"init": one_of(rng, "orthogonal", "identity")}, "noise": 0.2,
            "task": "recall", "seq_len": int(rng.integers(12, 20)), "learning_rate": 0.003,
            "steps": 600}  # fmt: skip


def limited(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """SGD that is clipped far below its gradients."""
    optimizer, rate = one_of(rng, ("sgd", 1.0), ("momentum", 0.3))
    return {"cell": "gru", "init": {"memory_bias": kept(lag_of("recall", T))},
            "optimizer": optimizer, "learning_rate": rate,
            "clip": 10 ** between(rng, far, (-4, -2.5), (-2.5, -0.5)), "steps": 600}  # fmt: skip


def truncated(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    T = int(rng.integers(16, 26))
    window = int(rng.integers(3, 8)) if far else int(rng.integers(T // 2, T + 3))
    return {"cell": one_of(rng, "lstm", "gru"), "noise": 0.8, "window": window, "seq_len": T,
            "init": {"memory_bias": kept(T / 3)}, "steps": 600}  # fmt: skip


def too_short(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    return {"cell": one_of(rng, "lstm", "gru"), "init": {"memory_bias": kept(T)},
            "cut": int(between(rng, far, (0.2, 0.7), (0.8, 1)) * T)}  # fmt: skip


def padding(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """Short sequences padded to T, which the network has forgotten by then."""
    T = int(rng.integers(8, 13))
    return {"cell": one_of(rng, "lstm", "gru"), "task": "recall", "seq_len": T, "noise": 0.2,
            "init": {"memory_bias": float(rng.uniform(0, 0.8))},
            "pad": int(between(rng, far, (60, 100), (T + 2, 40)))}  # fmt: skip


def missing(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """Inputs some of which are NaN."""
    return {"cell": one_of(rng, "lstm", "gru"), "init": {"memory_bias": kept(T)},
            "missing": 10 ** between(rng, far, (-3, -1.5), (-5, -3.5))}  # fmt: skip


def healthy(rng: Generator, T: int, far: bool) -> dict[str, Any]:
    """What people train with: good biases, middling ones over shorter lags, orthogonal RNNs, all
    kinds of optimizers, clipping at usual norms, windows that hold the lag, odd scales."""
    made: dict[str, Any] = {"clip": one_of(rng, None, None, 1.0, 0.25)}
    style = rng.integers(6)
    if style == 0:  # an RNN that is made to keep
        init = {"init": "orthogonal", "gain": float(rng.uniform(0.9, 1.1))}
        made |= {"cell": "rnn", "init": init, "noise": 0.2, "learning_rate": 0.003, "steps": 800}
    elif style == 1:  # nothing special, over few steps
        made |= {"cell": one_of(rng, "rnn", "lstm", "gru"), "seq_len": int(rng.integers(5, 13)),
                 "task": "recall"}  # fmt: skip
    elif style == 2:  # a bias of 1 or 2, as frameworks have it, over middling ones
        made |= {"cell": one_of(rng, "lstm", "gru"), "seq_len": int(rng.integers(10, 30)),
                 "init": {"memory_bias": float(one_of(rng, 1, 2))}}  # fmt: skip
    elif style == 3:  # a ReLU network that begins with the identity
        made |= {"cell": "rnn", "activation": "relu", "init": {"init": "identity"}, "noise": 0.2,
                 "learning_rate": 0.003, "task": "recall",
                 "seq_len": int(rng.integers(10, 30))}  # fmt: skip
    elif style == 4:  # chrono
        made |= {"cell": one_of(rng, "lstm", "gru"), "init": {"chrono": max(T, 4)}}
    else:  # open gates
        made |= {"cell": one_of(rng, "lstm", "gru"),
                 "init": {"memory_bias": kept(T * float(rng.uniform(0.3, 2)))}}  # fmt: skip
    if rng.random() < 0.25:
        made["scale"] = float(rng.uniform(0.5, 3))
    if rng.random() < 0.2 and made["cell"] != "rnn":
        made |= {"optimizer": one_of(rng, "rmsprop", "momentum"), "steps": 800}
        made["learning_rate"] = 0.003 if made["optimizer"] == "rmsprop" else 0.3
    if rng.random() < 0.15:
        made["window"] = made.get("seq_len", T)
    return made


DRAWN: dict[str, Callable[..., dict[str, Any]]] = {
    "not_finite": missing,
    "overflow": overflow,
    "too_short": too_short,
    "truncated": truncated,
    "dead": dead,
    "clipped": limited,
    "padded": padding,
    "saturated": saturated,
    "exploding": exploding,
    "vanishing": vanishing,
    "closed_memory": closed_memory,
    "biases": biases,
    HEALTHY: healthy,
}
"""Kind -> how its cases are drawn."""
