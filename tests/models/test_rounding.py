"""What rounding explains of a module's outputs is as much as it does, and not much more."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.architecture import Network
from rnnviz.core.layers import Layers
from rnnviz.core.network import forward_network
from rnnviz.core.numerics import Array
from rnnviz.models.rounding import EPS, explained, steps_of

T, B, D, H = 12, 8, 20, 30
CELLS = {"gru": GRU, "lstm": LSTM, "rnn": RNN}


def ran(kind: str, layers: int, both: bool, size: float, dtype: str) -> tuple[Layers, Layers]:
    """The layers of a network as they are, and with all its numbers rounded."""
    rng = np.random.default_rng(0)
    cells = tuple(CELLS[kind](D if not k else H * (1 + both), H) for k in range(layers))
    network = Network(cells, 1, both)
    shapes = network.param_shapes().items()
    params = {name: rng.uniform(-1, 1, shape) / np.sqrt(H) for name, shape in shapes}
    x = size * rng.normal(size=(T, D, B))
    narrow = {name: rounded(value, dtype) for name, value in params.items()}
    given = rounded(x, dtype)
    return forward_network(network, params, x).layers, forward_network(
        network, narrow, given
    ).layers


def rounded(values: Array, dtype: str) -> Array:
    if dtype == "bfloat16":
        return (values.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    return values.astype(dtype).astype(np.float32)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("size", [1.0, 1e3])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (3, False), (1, True), (2, True)])
def test_what_rounding_does_is_explained(
    kind: str, size: float, dtype: str, layers: int, both: bool
) -> None:
    exact, narrow = ran(kind, layers, both, size, dtype)
    bounds = explained(narrow, steps_of(kind, "tanh"), dtype, 3)
    for one, other, bound in zip(exact[-1], narrow[-1], bounds, strict=True):
        assert bound.shape == (3, H, B)
        smallest = np.finfo(np.float32).tiny  # below which a number is 0
        assert (np.abs(one.h[1:4] - other.h[1:4]) <= bound + smallest).all()


@pytest.mark.parametrize("kind", CELLS)
def test_it_is_of_the_size_of_what_is_rounded(kind: str) -> None:
    _, narrow = ran(kind, 1, False, 1.0, "float32")
    (bound,) = explained(narrow, steps_of(kind, "tanh"), "float32", 1)
    assert EPS["float32"] < np.median(bound) < 1e3 * EPS["float32"]


def test_saturated_units_are_as_they_are_whatever_is_lost() -> None:
    _, narrow = ran("rnn", 1, False, 1e5, "float32")
    (bound,) = explained(narrow, steps_of("rnn", "tanh"), "float32", 1)
    assert np.median(bound) < 2 * EPS["float32"]
