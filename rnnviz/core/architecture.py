"""What a network is: recurrent layers upon each other, a linear readout; no arrays."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.cell import Cell
from rnnviz.core.initializers import uniform
from rnnviz.core.layers import DIRECTIONS, key
from rnnviz.core.numerics import Array

READOUTS = ("aligned", "final")


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
        return sum(prod(shape) for shape in self.param_shapes().values())

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
