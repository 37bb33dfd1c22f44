"""A recurrent layer with a linear readout, run on a batch: loss and every gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from rnnviz.core import checks
from rnnviz.core.bptt import backward, forward
from rnnviz.core.cell import Cell
from rnnviz.core.initializers import uniform
from rnnviz.core.losses import ERRORS, weighted
from rnnviz.core.trace import Trace

Array = np.ndarray


class Examples(Protocol):
    """What `run_network` reads of a batch: x (T, D, B) or integer tokens (T, B); target and
    mask as the loss of that name in `LOSSES` takes them."""

    @property
    def x(self) -> Array: ...
    @property
    def target(self) -> Array: ...
    @property
    def mask(self) -> Array: ...
    @property
    def loss(self) -> str: ...


@dataclass(frozen=True)
class Network:
    """y_t = W_hy h_t + b_y on top of the layer's h_t.

    cells: one per layer, the input's first; one layer for now. Parameters are one flat dict:
    W_hy (O, H), b_y (O,), and each cell's own under "layer.direction.name", such as
    "0.forward.W_hh". Raises ValueError for a size below 1 or a number of cells that is not 1.
    """

    cells: tuple[Cell, ...]
    output_size: int

    def __post_init__(self) -> None:
        checks.size("output_size", self.output_size)
        if len(self.cells) != 1:
            raise ValueError(f"cells must hold one cell (one layer), got {len(self.cells)}")

    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter."""
        shapes: dict[str, tuple[int, ...]] = {
            "W_hy": (self.output_size, self.cells[-1].hidden_size),
            "b_y": (self.output_size,),
        }
        for layer, cell in enumerate(self.cells):
            shapes.update({_key(layer, name): s for name, s in cell.param_shapes().items()})
        return shapes

    def param_count(self) -> int:
        return sum(int(np.prod(shape)) for shape in self.param_shapes().values())

    def init_params(
        self, rng: np.random.Generator, *, dtype: type = np.float64, **options: Any
    ) -> dict[str, Array]:
        """Draw parameters: W_hy uniform ±1/√H, b_y = 0, the cells' with `options` as
        `Cell.init_params` takes them. Readout and cells have streams of their own."""
        rng_readout, *rng_cells = rng.spawn(1 + len(self.cells))
        shapes = self.param_shapes()
        bound = 1 / np.sqrt(self.cells[-1].hidden_size)
        params: dict[str, Array] = {
            "W_hy": uniform(rng_readout, shapes["W_hy"], bound).astype(dtype),
            "b_y": np.zeros(shapes["b_y"], dtype),
        }
        for layer, (cell, stream) in enumerate(zip(self.cells, rng_cells, strict=True)):
            drawn = cell.init_params(stream, dtype=dtype, **options)
            params.update({_key(layer, name): value for name, value in drawn.items()})
        return params


@dataclass(frozen=True, eq=False)
class NetworkTrace:
    """What is recorded of a network on one batch.

    layers[l][direction] are Traces; y (T, O, B); loss is the sum over time and the mean over
    the batch, loss_by_step (T,) what each step adds to it; d_y (T, O, B) = ∂L/∂y; grads has the
    keys and shapes of params. All arrays are read-only.
    """

    network: Network
    params: dict[str, Array]
    layers: tuple[tuple[Trace, ...], ...]
    y: Array
    loss: float
    loss_by_step: Array
    d_y: Array

    def __post_init__(self) -> None:
        for array in (self.y, self.loss_by_step, self.d_y, *self.params.values()):
            array.flags.writeable = False

    @cached_property
    def grads(self) -> dict[str, Array]:
        """∂L/∂(parameter), the keys and shapes of params; computed when first asked for."""
        grads = _readout_grads(self.trace.h[1:], self.d_y)
        for gradient in grads.values():
            gradient.flags.writeable = False
        return grads | {_key(0, name): value for name, value in self.trace.grads.items()}

    @property
    def trace(self) -> Trace:
        """The first layer's forward direction."""
        return self.layers[0][0]


def run_network(network: Network, params: dict[str, Any], batch: Examples) -> NetworkTrace:
    """Forward, loss and backward on one batch.

    x_t → cell → h_t → y_t = W_hy h_t + b_y → loss; d_y from the loss, ∂⁺L/∂h_t = W_hyᵀ d_y_t,
    then backpropagation through time. Runs in the dtype of the parameters.
    Raises ValueError for a wrong key, shape or dtype, and for NaN or inf in x.
    """
    weights = checks.params(params, network.param_shapes())
    dtype = np.result_type(*weights.values())
    weights = {name: value.astype(dtype) for name, value in weights.items()}
    (cell,) = network.cells
    x = checks.inputs(batch.x, cell.input_size)
    record = forward(cell, _of_layer(weights, 0), x.astype(_dtype(x, dtype), copy=False))
    with np.errstate(all="ignore"):
        y = np.matmul(weights["W_hy"], record.h[1:]) + weights["b_y"][:, None]
        errors = ERRORS[checks.choice("loss", batch.loss, ERRORS)]
        loss_by_step, d_y = weighted(errors, y, batch.target, batch.mask)
        direct = np.matmul(weights["W_hy"].T, d_y)
    trace = backward(record, direct)
    return NetworkTrace(network, weights, ((trace,),), y, loss_by_step.sum().item(), loss_by_step,
                        d_y)  # fmt: skip


def _dtype(x: Array, weights: np.dtype) -> np.dtype:
    """The weights' dtype; complex if x is (complex-step derivatives)."""
    return np.result_type(x.dtype, weights) if np.iscomplexobj(x) else weights


def _readout_grads(h: Array, d_y: Array) -> dict[str, Array]:
    """d_W_hy = Σ_t d_y_t h_tᵀ and d_b_y = Σ_t d_y_t, over the steps that have a loss."""
    asked = d_y.any(axis=(1, 2))
    with np.errstate(all="ignore"):
        d_W_hy = np.matmul(d_y[asked], h[asked].transpose(0, 2, 1)).sum(axis=0)
    return {"W_hy": d_W_hy, "b_y": d_y.sum(axis=(0, 2))}


def _key(layer: int, name: str, direction: str = "forward") -> str:
    return f"{layer}.{direction}.{name}"


def _of_layer(params: dict[str, Array], layer: int) -> dict[str, Array]:
    prefix = _key(layer, "")
    return {name.removeprefix(prefix): p for name, p in params.items() if name.startswith(prefix)}
