"""Three networks that do not learn, each by its recipe: PyTorch's weights, from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.tasks.batch import stream

LAG = 50
"""How many steps back the task of each is said to ask."""
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class Example:
    """A network as PyTorch draws it, uniform ±1/√H, with something wrong.

    cell: its kind. scale: what W_hh is multiplied with. bias: gate, counted from 0 -> its bias.

    Examples
    --------
    >>> EXAMPLES["closed"].weights()["weight_hh_l0"].shape
    (256, 64)
    """

    cell: str
    scale: float = 1.0
    bias: Mapping[int, float] = field(default_factory=dict)
    input_size: int = 4
    hidden_size: int = 64

    def weights(self, seed: int = 0) -> dict[str, Array]:
        """A `state_dict`."""
        H, D = self.hidden_size, self.input_size
        rows = GATES[self.cell] * H
        rng = stream(seed, "weights")
        shapes = {"weight_ih_l0": (rows, D), "weight_hh_l0": (rows, H),
                  "bias_ih_l0": (rows,), "bias_hh_l0": (rows,)}  # fmt: skip
        found = {name: rng.uniform(-1, 1, shape) / np.sqrt(H) for name, shape in shapes.items()}
        found["weight_hh_l0"] *= self.scale
        for gate, value in self.bias.items():
            found["bias_ih_l0"][gate * H : (gate + 1) * H] = value
            found["bias_hh_l0"][gate * H : (gate + 1) * H] = 0
        return found


EXAMPLES = {
    "vanishes": Example("rnn"),
    "explodes": Example("rnn", scale=6.0),
    "closed": Example("lstm", bias={1: -1.0}),
}
"""Name -> a network that vanishes before its lag, one that explodes, one whose memory gates are
closed."""
