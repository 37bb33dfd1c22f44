"""A stack with dropout between its layers, run as single layers: the masks of PyTorch's own stack
are not to be had. It computes the same, from the same random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnviz.models.watched import Passage
from rnnviz.torch.calls import Call, Gradients


@dataclass(frozen=True, eq=False)
class LayeredCall:
    """One call of such a stack: a call of each layer, which are its steps here. batch_first,
    dropout: those of the stack. continues: as a `Call` has it."""

    index: int
    calls: tuple[Call, ...]
    batch_first: bool
    dropout: float
    continues: bool

    @property
    def steps(self) -> int:
        return len(self.calls)

    def passage(self, gradients: Mapping[int, Gradients], steps: int) -> Passage:
        """What this call and one backward through it come to."""
        found = [call.passage({0: gradients.get(k, {})}, 1) for k, call in enumerate(self.calls)]
        parts = tuple(part for one in found for part in one.parts)
        return Passage(found[0].kind, found[0].activation, found[0].dtype, parts, self.batch_first,
                       self.dropout)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer did: tensors (T, B, F), or those of packed sequences; states and ends (rows,
    B, H) in the caller's order of sequences."""

    weights: Mapping[str, Any]
    x: Any
    states: Sequence[Any]
    output: Any
    ends: Sequence[Any]


def run_in_layers(
    module: Any, given: Any, hx: Sequence[Any]
) -> tuple[tuple[Any, Any], list[Layer], Any]:
    """What the module gives back for an input and first states, () for none; each layer's part in
    it; and batch_sizes and unsorted_indices of packed sequences, or None."""
    from torch import cat, nn
    from torch.nn.utils.rnn import PackedSequence

    packed = given if isinstance(given, PackedSequence) else None
    x, unbatched = _time_first(module, given) if packed is None else (given.data, False)
    order, back = (
        (None, None) if packed is None else (packed.sorted_indices, packed.unsorted_indices)
    )
    states = _first_states(module, hx, x, packed, unbatched)
    layers: list[Layer] = []
    for k in range(module.num_layers):
        if k:
            x = nn.functional.dropout(x, module.dropout, training=True)
        rows = slice(k * _directions(module), (k + 1) * _directions(module))
        mine = [state[rows] for state in states]
        names, weights = _weights_of(module, k)
        sizes = None if packed is None else packed.batch_sizes
        output, *ends = _single(module, x, [_ordered(s, order) for s in mine], weights, sizes)
        output = output.clone() if output._is_view() else output  # hooks of a view may be lost
        layers.append(Layer(dict(zip(names, weights, strict=True)), x, mine, output,
                            [_ordered(end, back) for end in ends]))  # fmt: skip
        x = output
    last = [cat([layer.ends[k] for layer in layers]) for k in range(len(layers[0].ends))]
    last = [end.squeeze(1) for end in last] if unbatched else last
    result = packed._replace(data=x) if packed is not None else _as_given(module, x, unbatched)
    about = None if packed is None else (packed.batch_sizes, back)
    return (result, tuple(last) if len(last) > 1 else last[0]), layers, about


def _directions(module: Any) -> int:
    return 2 if module.bidirectional else 1


def _time_first(module: Any, x: Any) -> tuple[Any, bool]:
    """(T, B, D), and whether there was no batch."""
    if x.dim() == 2:
        return x.unsqueeze(1), True
    return (x.transpose(0, 1) if module.batch_first else x), False


def _as_given(module: Any, output: Any, unbatched: bool) -> Any:
    """An output laid out as the module's input was."""
    if unbatched:
        return output.squeeze(1)
    return output.transpose(0, 1) if module.batch_first else output


def _first_states(
    module: Any, hx: Sequence[Any], x: Any, packed: Any, unbatched: bool
) -> list[Any]:
    from torch import zeros

    if not hx:
        size = int(packed.batch_sizes[0]) if packed is not None else x.shape[1]
        shape = (module.num_layers * _directions(module), size, module.hidden_size)
        kinds = 2 if module.mode == "LSTM" else 1
        return [zeros(shape, dtype=x.dtype, device=x.device) for _ in range(kinds)]
    return [state.unsqueeze(1) if unbatched else state for state in hx]


def _weights_of(module: Any, layer: int) -> tuple[list[str], list[Any]]:
    """One layer's weights, named as those of a single layer."""
    count = len(module._flat_weights_names) // module.num_layers
    names = module._flat_weights_names[layer * count : (layer + 1) * count]
    weights = [getattr(module, name) for name in names]
    return [name.replace(f"_l{layer}", "_l0") for name in names], weights


def _ordered(state: Any, order: Any) -> Any:
    return state if order is None else state.index_select(1, order)


def _single(
    module: Any, x: Any, states: Sequence[Any], weights: list[Any], sizes: Any
) -> tuple[Any, ...]:
    """PyTorch's kernel for one layer: output, h_n and an LSTM's c_n."""
    from torch import _VF

    kernel = getattr(_VF, module.mode.lower())
    hx = tuple(states) if len(states) > 1 else states[0]
    options = weights, module.bias, 1, 0.0, True, module.bidirectional
    if sizes is not None:
        return kernel(x, sizes, hx, *options)
    return kernel(x, hx, *options, False)
