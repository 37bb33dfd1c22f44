"""What PyTorch's own recurrent modules take and give back. A subclass may do as it likes: what it
returns is its caller's, and is not watched then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnviz.torch.calls import input_of, states_of

OTHER = ("it has a forward of its own, or a hook, that takes or gives back something else than "
         "PyTorch's: it is not watched")  # fmt: skip


def is_a(module: Any, name: str) -> bool:
    """Whether a module is of PyTorch's class of that name, or of one derived from it."""
    from torch import nn

    return isinstance(module, getattr(nn, name))


def fits(module: Any, args: Any, kwargs: Any, result: Any) -> bool:
    """Whether a call of an nn.RNN, LSTM or GRU is as PyTorch has it."""
    if not _taken(args, kwargs) or type(result) is not tuple or len(result) != 2:
        return False
    x, given = input_of(args, kwargs), states_of(args, kwargs)
    output, last = result
    if (packed := _is_packed(x)) != _is_packed(output):
        return False
    data, out = (x.data, output.data) if packed else (x, output)
    if not _is_array(data, module.input_size) or data.dim() not in ((2,) if packed else (2, 3)):
        return False
    ways = 2 if module.bidirectional else 1
    if not _has_shape(out, (*data.shape[:-1], ways * module.hidden_size)):
        return False
    batch = data.shape[1 - module.batch_first : 2 - module.batch_first] if data.dim() == 3 else ()
    batch = (int(x.batch_sizes[0]),) if packed else batch
    shape = (ways * module.num_layers, *batch, module.hidden_size)
    pair = module.mode == "LSTM"
    return _are_states(last, pair, shape) and (not given or _have_shape(given, pair, shape))


def fits_cell(cell: Any, args: Any, kwargs: Any, result: Any) -> bool:
    """Whether a call of an nn.*Cell is."""
    if not _taken(args, kwargs):
        return False
    x, given = input_of(args, kwargs), states_of(args, kwargs)
    if not _is_array(x, cell.input_size) or x.dim() > 2:
        return False
    pair, shape = is_a(cell, "LSTMCell"), (*x.shape[:-1], cell.hidden_size)
    return _are_states(result, pair, shape) and (not given or _have_shape(given, pair, shape))


def _taken(args: Any, kwargs: Any) -> bool:
    """Whether there is an input, and nothing but a first state besides."""
    names = ("input", "hx")
    return (
        1 <= len(args) + len(kwargs) <= 2
        and set(kwargs) <= set(names[len(args) :])
        and (bool(args) or "input" in kwargs)
    )


def _is_packed(value: Any) -> bool:
    from torch.nn.utils.rnn import PackedSequence

    return isinstance(value, PackedSequence)


def _is_array(value: Any, size: int) -> bool:
    from torch import Tensor

    return (
        isinstance(value, Tensor)
        and value.is_floating_point()
        and value.dim() > 0
        and value.shape[-1] == size
    )


def _are_states(value: Any, pair: bool, shape: tuple[int, ...]) -> bool:
    """Whether a value that is given back is a state, or a pair of them for an LSTM."""
    if isinstance(value, tuple) != pair:
        return False
    return _have_shape(value if pair else (value,), pair, shape)


def _have_shape(states: Sequence[Any], pair: bool, shape: tuple[int, ...]) -> bool:
    """Whether states are as many as they must be, and of that shape."""
    return len(states) == 1 + pair and all(_has_shape(state, shape) for state in states)


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    return _is_array(value, shape[-1]) and tuple(value.shape) == shape
