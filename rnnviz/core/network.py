"""Recurrent layers with a linear readout, run on a batch: loss and every gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from rnnviz.core import checks
from rnnviz.core.bptt import Tell
from rnnviz.core.bptt import backward as full_backward
from rnnviz.core.cell import Cell
from rnnviz.core.initializers import uniform
from rnnviz.core.layers import (
    DIRECTIONS,
    Backward,
    Layers,
    Traces,
    backward_layers,
    forward_layers,
    key,
    outputs,
)
from rnnviz.core.layouts import check_padding
from rnnviz.core.losses import ERRORS, weighted
from rnnviz.core.numerics import Array
from rnnviz.core.trace import Trace

READOUTS = ("aligned", "final")


class Examples(Protocol):
    """What `run_network` reads of a batch: x (T, D, B) or integer tokens (T, B); target and
    mask as the loss of that name in `LOSSES` takes them. It may also have `lengths` (B,), the
    steps that are not padding, and `context` (V, B)."""

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
    """y_t = W_hy h_t + b_y on top of the last layer's h_t.

    cells: one per layer, the input's first; layer l+1 reads h of layer l. If `bidirectional`,
    each layer also has a cell of the same kind that reads each sequence from its end, and a
    layer's output is [h→_t; h←_t] (2H rows), both at the same time step.
    readout: what y_t reads. "aligned": that output. "final": h← in its own order instead, so
    that y at the last step reads the two states that have seen the whole sequence.
    context_size V > 0: the first layer starts from h_0 = W_vh v (captioning), v (V, B) being the
    batch's context.

    Parameters are one flat dict: W_hy (O, H·directions), b_y (O,), W_vh (H, V) with a context,
    and each cell's own under "layer.direction.name", such as "0.forward.W_hh", "1.backward.b_h".
    Source: Schuster and Paliwal 1997, IEEE Trans. Signal Processing 45(11), 2673-2681.
    Raises ValueError for sizes below 1 or that do not fit each other.
    """

    cells: tuple[Cell, ...]
    output_size: int
    bidirectional: bool = False
    readout: str = "aligned"
    context_size: int = 0

    def __post_init__(self) -> None:
        checks.size("output_size", self.output_size)
        checks.size("context_size", self.context_size, 0)
        checks.choice("readout", self.readout, READOUTS)
        if not isinstance(self.bidirectional, bool):
            raise ValueError(f"bidirectional must be True or False, got {self.bidirectional!r}")
        if not self.cells:
            raise ValueError("cells must hold one cell per layer, got none")
        for k, (below, cell) in enumerate(zip(self.cells[:-1], self.cells[1:], strict=True), 1):
            wanted = below.hidden_size * self.directions
            if cell.input_size != wanted:
                raise ValueError(f"cells[{k}].input_size must be {wanted}, the output of the "
                                 f"layer below, got {cell.input_size}")  # fmt: skip

    @property
    def directions(self) -> int:
        return len(DIRECTIONS) if self.bidirectional else 1

    @property
    def output_width(self) -> int:
        """Rows of what the readout reads, H·directions."""
        return self.cells[-1].hidden_size * self.directions

    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter."""
        shapes: dict[str, tuple[int, ...]] = {
            "W_hy": (self.output_size, self.output_width),
            "b_y": (self.output_size,),
        }
        if self.context_size:
            shapes["W_vh"] = (self.cells[0].hidden_size, self.context_size)
        for layer, cell in enumerate(self.cells):
            for d in range(self.directions):
                shapes |= {key(layer, name, d): s for name, s in cell.param_shapes().items()}
        return shapes

    def param_count(self) -> int:
        return sum(int(np.prod(shape)) for shape in self.param_shapes().values())

    def init_params(
        self, rng: np.random.Generator, *, dtype: type = np.float64, **options: Any
    ) -> dict[str, Array]:
        """Draw parameters: W_hy uniform ±1/√(H·directions), b_y = 0, W_vh uniform ±1/√V, the
        cells' with `options` as `Cell.init_params` takes them. Readout, context and each cell
        have streams of their own: a further layer or direction redraws no other."""
        rng_readout, *rng_cells = rng.spawn(1 + len(self.cells))
        rng_context, *rng_backward = rng_readout.spawn(1 + len(self.cells))
        shapes = self.param_shapes()
        params = {name: np.zeros(shape) for name, shape in shapes.items()}
        params["W_hy"] = uniform(rng_readout, shapes["W_hy"], 1 / np.sqrt(self.output_width))
        if self.context_size:
            params["W_vh"] = uniform(rng_context, shapes["W_vh"], 1 / np.sqrt(self.context_size))
        for d, streams in enumerate((rng_cells, rng_backward)[: self.directions]):
            for layer, (cell, stream) in enumerate(zip(self.cells, streams, strict=True)):
                drawn = cell.init_params(stream, dtype=dtype, **options)
                params |= {key(layer, name, d): value for name, value in drawn.items()}
        return {name: value.astype(dtype, copy=False) for name, value in params.items()}


@dataclass(frozen=True, eq=False)
class NetworkTrace:
    """What is recorded of a network on one batch.

    layers[l][d] are Traces, d = 0 the forward direction; d = 1 is in its own order, each
    sequence reversed by itself. y (T, O, B); loss is the sum over time and the mean over the
    batch, loss_by_step (T,) what each step adds to it; d_y (T, O, B) = ∂L/∂y; context (V, B) or
    None; grads has the keys and shapes of params. All arrays are read-only.
    """

    network: Network
    params: dict[str, Array]
    layers: Traces
    y: Array
    loss: float
    loss_by_step: Array
    d_y: Array
    context: Array | None = None

    def __post_init__(self) -> None:
        for array in (self.y, self.loss_by_step, self.d_y, self.context, *self.params.values()):
            if array is not None:
                array.flags.writeable = False

    @cached_property
    def grads(self) -> dict[str, Array]:
        """∂L/∂(parameter), the keys and shapes of params; computed when first asked for."""
        grads = _readout_grads(_read(self.network, self.layers), self.d_y)
        if self.context is not None:
            with np.errstate(all="ignore"):
                d_h0 = np.ldexp(self.trace.d_h[0], self.trace.d_log2[0])
                grads["W_vh"] = d_h0 @ self.context.T
        for gradient in grads.values():
            gradient.flags.writeable = False
        for k, layer in enumerate(self.layers):
            for d, trace in enumerate(layer):
                grads |= {key(k, name, d): value for name, value in trace.grads.items()}
        return grads

    @property
    def trace(self) -> Trace:
        """The first layer's forward direction."""
        return self.layers[0][0]


def run_network(
    network: Network,
    params: dict[str, Any],
    batch: Examples,
    backward: Backward = full_backward,
    tell: Tell | None = None,
) -> NetworkTrace:
    """Forward, loss and backward on one batch.

    x_t → layers → y_t → loss; d_y from the loss, W_hyᵀ d_y_t into the last layer, then each
    layer's backpropagation through time and its d_x into the layer below. Padded steps have no
    loss. Runs in the dtype of the parameters. backward: how one layer and direction is sent back,
    such as `functools.partial(truncated_backward, window=20)`. tell: is called all the way
    forward; `backward` may have its own.
    Raises ValueError for a wrong key, shape or dtype, and for NaN or inf in x.
    """
    weights, layers, y, context = _forward(network, params, batch, tell)
    errors = ERRORS[checks.choice("loss", batch.loss, ERRORS)]
    lengths = layers[0][0].lengths
    with np.errstate(all="ignore"):
        loss_by_step, d_y = weighted(errors, y, batch.target, _asked(batch.mask, lengths))
        direct = np.matmul(weights["W_hy"].T, d_y)
    traces = backward_layers(layers, direct, network.readout == "aligned", backward)
    return NetworkTrace(network, weights, traces, y, loss_by_step.sum().item(), loss_by_step,
                        d_y, context)  # fmt: skip


def predict(network: Network, params: dict[str, Any], batch: Examples) -> Array:
    """y (T, O, B) alone, without loss and backward pass. Raises ValueError as `run_network`."""
    return _forward(network, params, batch)[2]


def _forward(
    network: Network, params: dict[str, Any], batch: Examples, tell: Tell | None = None
) -> tuple[dict[str, Array], Layers, Array, Array | None]:
    """(parameters as checked copies, records, y, context)."""
    weights = checks.params(params, network.param_shapes())
    dtype = np.result_type(*weights.values())
    weights = {name: value.astype(dtype) for name, value in weights.items()}
    x = checks.inputs(batch.x, network.cells[0].input_size)
    if not np.iscomplexobj(x):  # complex for complex-step derivatives
        x = x.astype(dtype, copy=False)
    lengths = checks.lengths(getattr(batch, "lengths", None), len(x), x.shape[2])
    check_padding(batch.x, lengths)
    context = _context(network, batch, dtype)
    with np.errstate(all="ignore"):
        h0 = None if context is None else weights["W_vh"] @ context
        layers = forward_layers(network.cells, weights, x, network.directions, h0, lengths, tell)
        y = np.matmul(weights["W_hy"], _read(network, layers)) + weights["b_y"][:, None]
    return weights, layers, y, context


def _context(network: Network, batch: Examples, dtype: np.dtype) -> Array | None:
    """A copy of what the batch brings for the first state; None if the network does not read it."""
    if not network.context_size:
        return None
    given: Any = getattr(batch, "context", None)
    shape = (network.context_size, batch.x.shape[-1])
    if given is None:
        raise ValueError(f"context must have shape {shape}, got None")
    return checks.array("context", given, shape).astype(dtype)


def _read(network: Network, layers: Layers | Traces) -> Array:
    """What the readout reads, (T, H·directions, B)."""
    return outputs(layers[-1], network.readout == "aligned")


def _asked(mask: Array, lengths: Array | None) -> Array:
    """The mask, 0 where a sequence is padded."""
    if lengths is None or np.ndim(mask) != 2:
        return mask
    return np.where(np.arange(len(mask))[:, None] < lengths, mask, 0)


def _readout_grads(h: Array, d_y: Array) -> dict[str, Array]:
    """d_W_hy = Σ_t d_y_t h_tᵀ and d_b_y = Σ_t d_y_t, over the steps that have a loss."""
    asked = d_y.any(axis=(1, 2))
    with np.errstate(all="ignore"):
        d_W_hy = np.matmul(d_y[asked], h[asked].transpose(0, 2, 1)).sum(axis=0)
    return {"W_hy": d_W_hy, "b_y": d_y.sum(axis=(0, 2))}
