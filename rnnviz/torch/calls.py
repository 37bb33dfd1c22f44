"""One call of a recurrent module, or of a cell in a loop, copied while it ran: tensors in PyTorch's
layouts, which become the arrays of a `Passage` when somebody asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.models.watched import Part, Passage, unpacked
from rnnviz.models.widening import as_array

KINDS = {"LSTM": ("lstm", ""), "GRU": ("gru", ""), "RNN_TANH": ("rnn", "tanh"),
         "RNN_RELU": ("rnn", "relu")}  # fmt: skip
"""PyTorch's mode -> kind of cell, and the nonlinearity that it has to be told."""

Gradients = Mapping[int, Any]
"""∂L/∂ the outputs of a call that were reached, as tensors: 0 output, 1 h_n, 2 an LSTM's c_n; of a
cell 0 h, 1 c."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of an nn.RNN, LSTM or GRU: copies of all that went in and of what came out.

    index: which of all calls. states: hx, its h and an LSTM's c, () for none. packed: batch_sizes
    and unsorted_indices of packed sequences. batch_first, unbatched: how x and output are laid out.
    dropout: that of the module. continues: whether its states come from a call before.
    """

    index: int
    kind: str
    activation: str
    dtype: str
    weights: Mapping[str, Any]
    x: Any
    states: Sequence[Any]
    output: Any
    packed: tuple[Any, Any] | None = None
    batch_first: bool = False
    unbatched: bool = False
    dropout: float = 0.0
    continues: bool = False
    steps = 1

    def passage(self, gradients: Mapping[int, Gradients], steps: int) -> Passage:
        """What this call and one backward through it come to."""
        given = gradients.get(0, {})
        d_output, *d_states = (given.get(k) for k in range(3))
        x, lengths = self._columns(self.x)
        states = [self._rows(s) for s in self.states]
        ends = [None if d is None else self._rows(d) for d in d_states]
        weights = {name: array_of(w) for name, w in self.weights.items()}
        output = self._columns(self.output)[0]
        direct = None if d_output is None else self._columns(d_output)[0]
        part = Part(weights, x, output, lengths, *_pair(states), direct, *_pair(ends))
        return Passage(self.kind, self.activation, self.dtype, (part,), self.batch_first,
                       self.dropout)  # fmt: skip

    def _columns(self, tensor: Any) -> tuple[Array, Array | None]:
        """(T, F, B), and the lengths of packed sequences."""
        array = array_of(tensor)
        if self.packed is not None:
            sizes, unsorted = (None if t is None else array_of(t) for t in self.packed)
            assert sizes is not None
            return unpacked(array, sizes, unsorted)
        if self.unbatched:
            return array[..., None].copy(), None
        axes = (1, 2, 0) if self.batch_first else (0, 2, 1)
        return np.ascontiguousarray(array.transpose(axes)), None

    def _rows(self, tensor: Any) -> Array:
        """(layers · directions, H, B)."""
        array = array_of(tensor)
        return array[..., None].copy() if self.unbatched else array.swapaxes(1, 2).copy()


@dataclass(eq=False)
class Chain:
    """Calls of an nn.*Cell, each of which was handed the states that the one before gave back:
    steps of one sequence. x, outputs: of each step, outputs being its h. versions: of what the
    module's weights are or are computed from; where they change, a chain ends. continues: whether
    the first of its states come from a call before."""

    index: int
    kind: str
    activation: str
    dtype: str
    weights: Mapping[str, Any]
    versions: tuple[int, ...]
    states: Sequence[Any]
    unbatched: bool
    continues: bool
    x: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return len(self.x)

    def passage(self, gradients: Mapping[int, Gradients], steps: int) -> Passage:
        """What the first so many steps and one backward through them come to."""
        x, output = (
            np.stack([self._columns(s) for s in seq[:steps]]) for seq in (self.x, self.outputs)
        )
        direct: list[Array | None] = []
        for k in range(1 + (self.kind == "lstm")):
            given = {t: g[k] for t, g in gradients.items() if k in g}
            direct.append(np.zeros_like(output) if given else None)
            for t, gradient in given.items():
                direct[-1][t] = self._columns(gradient)  # type: ignore[index]
        states = [self._columns(s)[None] for s in self.states]
        weights = {name: array_of(w) for name, w in self.weights.items()}
        of_c = direct[1][None] if len(direct) > 1 and direct[1] is not None else None
        part = Part(weights, x, output, None, *_pair(states), direct[0], None, of_c)
        return Passage(self.kind, self.activation, self.dtype, (part,))

    def _columns(self, tensor: Any) -> Array:
        """(F, B)."""
        array = array_of(tensor)
        return array[:, None].copy() if self.unbatched else np.ascontiguousarray(array.T)


def kept_apart(outputs: Sequence[Any]) -> tuple[Any, ...]:
    """Outputs as the caller gets them: copies of views, which lose their hooks where they are
    changed in place; others are themselves."""
    return tuple(each.clone() if each._is_view() else each for each in outputs)


def input_of(args: Any, kwargs: Any) -> Any:
    """What a module was called with as its input."""
    return args[0] if args else kwargs["input"]


def states_of(args: Any, kwargs: Any) -> tuple[Any, ...]:
    """hx, its h and an LSTM's c; () for none."""
    hx = args[1] if len(args) > 1 else kwargs.get("hx")
    if hx is None:
        return ()
    return tuple(hx) if isinstance(hx, tuple | list) else (hx,)


def dtype_of(output: Any, weight: Any) -> str:
    """The narrowest number format that a call may have computed in. Under autocast a GRU and cells
    compute in a narrow one and give back a wide one; float64 is left as it is."""
    import torch

    took_part = [output.dtype, weight.dtype]
    device = output.device.type
    if torch.float64 not in took_part and torch.amp.is_autocast_available(device):
        took_part += [torch.get_autocast_dtype(device)] * torch.is_autocast_enabled(device)
    narrowest = max(took_part, key=lambda dtype: torch.finfo(dtype).eps)
    if output.is_cuda and narrowest is torch.float32 and torch.backends.cudnn.allow_tf32:
        return "tf32"
    return str(narrowest).removeprefix("torch.")


def array_of(tensor: Any) -> Array:
    """A copy of a tensor as an array; what is narrower than float32 is widened."""
    return np.array(as_array("tensor", tensor)[0])


def _pair(states: Sequence[Any]) -> tuple[Any, Any]:
    """(h, c), None for what is not there."""
    first, second, *_ = (*states, None, None)
    return first, second
