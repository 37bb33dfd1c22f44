"""Whether sequences fit a network; what does not is said by the name and in the axes that it was
given in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.models.sequences import Sequences
from rnnviz.tasks.batch import lengths_mask

T = TypeVar("T")
CROSS_ENTROPY, SQUARED = "softmax_cross_entropy", "squared_error"
STATES, CELL_STATES = ("h0", "c0", "d_h", "d_c"), ("c0", "d_c")


def as_given(axes: str, sizes: Sequence[T], layout: str | None) -> tuple[T, ...]:
    """What the core's axes have, such as their sizes, in the order of a layout. axes: a letter
    each, t, d or b."""
    order = layout or "tdb"
    return tuple(size for _, size in sorted(zip(axes, sizes, strict=True),
                                            key=lambda each: order.index(each[0])))  # fmt: skip


def check_features(x: Array, input_size: int, layout: str | None) -> None:
    """Raise ValueError for inputs (T, D, B) of another size."""
    if x.shape[1] != input_size:
        axes, got = ", ".join(layout or "tdb").upper(), as_given("tdb", x.shape, layout)
        raise ValueError(f"x must have {input_size} features for this network, got {x.shape[1]} "
                         f"({axes} = {got}): is its layout as said?")  # fmt: skip


def check_padding(data: Sequences, lengths: Array) -> None:
    """Raise ValueError where inputs (T, D, B) are not 0 in what lengths call padding, or tokens (T,
    B) not one and the same: the padding may be at the other end."""
    x = data.x
    assert x is not None
    padded = np.arange(len(x))[:, None] >= lengths
    tokens = x.ndim == 2
    if not padded.any():
        return
    wrong = padded & (x != x[padded][-1]) if tokens else padded[:, None] & (x != 0)
    if not wrong.any():
        return
    t, *feature, b = np.argwhere(wrong)[0].tolist()
    got, left = x[t, *feature, b], data.padding == "left"  # and was moved to the end
    place = as_given("tb" if tokens else "tdb", (t - lengths[b] * left, *feature, b), data.layout)
    where = list(map(int, place if data.layout else place[:-1]))
    what = "one token" if tokens else "0"
    raise ValueError(f"x must be {what} where lengths says padding, in sequence {b} of "
                     f"{lengths[b]} steps, got {got} at {where}: is padding "
                     f"{data.padding!r}?")  # fmt: skip


def check_states(network: Network, data: Sequences, seq_len: int, batch_size: int) -> None:
    """Raise ValueError for states and gradients of one's own that are of another network, or of
    more or fewer sequences."""
    cell, rows = network.cells[0], len(network.cells) * network.directions
    sizes = {each.hidden_size for each in network.cells}
    for name in STATES:
        state = getattr(data, name)
        if state is None:
            continue
        if name in CELL_STATES and not cell.HAS_CELL_STATE:
            raise ValueError(f"{name} must be None for {type(cell).__name__}, which has no cell "
                             "state")  # fmt: skip
        wanted = (rows, state.shape[1] if state.shape[1] in sizes else cell.hidden_size, batch_size)
        if state.shape != wanted:
            own, got = (shape[:1] + as_given("db", shape[1:], data.layout or "btd")
                        for shape in (wanted, state.shape))  # fmt: skip
            raise ValueError(f"{name} must have shape {own}, got {got}")
    given = data.d_output
    if given is not None and given.shape != (seq_len, network.output_size, batch_size):
        own = as_given("tdb", (seq_len, network.output_size, batch_size), data.layout)
        got = as_given("tdb", given.shape, data.layout)
        raise ValueError(f"d_output must have shape {own}, got {got}")


def targets(
    data: Sequences, kind: str, width: int, lengths: Array, seq_len: int
) -> tuple[Array, Array]:
    """The targets at every step as a loss takes them, and the weights of the steps that they are
    asked at. Raises ValueError for targets that are not of this loss, these outputs or these
    sequences."""
    assert data.target is not None
    target, shape = data.target, tuple[int, ...]()
    if kind == CROSS_ENTROPY:
        _check_classes(data, width)
        axes, last, shape = "tb", target.ndim == 1, (seq_len, len(lengths))
    else:
        axes, last, shape = "tdb", target.ndim < 3, (seq_len, width, len(lengths))
        if target.dtype.kind in "iu":
            target, last = (target[None], True) if target.ndim == 1 else (target[:, None], False)
        target = target.astype(np.float64)
    if (shape[1:] if last else shape) != target.shape:
        every = as_given(axes, shape, data.layout)
        at_last = as_given(axes[1:], shape[1:], data.layout)
        raise ValueError(f"target must have shape {every} at every step, or {at_last} at the last, "
                         f"got {_shape_given(data)}")  # fmt: skip
    every_step = np.broadcast_to(target, shape).copy()
    if data.mask is not None:
        return every_step, data.mask * lengths_mask(lengths, seq_len, "every")
    return every_step, lengths_mask(lengths, seq_len, "last" if last else "every")


def _check_classes(data: Sequences, width: int) -> None:
    """Raise ValueError for targets that are not classes of so many outputs."""
    target = data.target
    assert target is not None
    if width == 1:
        raise ValueError(f"loss must be {SQUARED} for one output, which is no choice among "
                         f"classes, got {CROSS_ENTROPY!r}")  # fmt: skip
    if target.dtype.kind not in "iu" or target.ndim > 2:
        axes = ", ".join(as_given("tb", "TB", data.layout))
        raise ValueError(f"target must be classes, integers ({axes}) or (B,), got {target.dtype} "
                         f"of shape {_shape_given(data)}")  # fmt: skip
    if target.min() < 0 or target.max() >= width:
        raise ValueError(f"target must be from 0 to {width - 1}, the network's outputs, got "
                         f"{target.min()} to {target.max()}")  # fmt: skip


def _shape_given(data: Sequences) -> tuple[int, ...]:
    """The shape that the targets had."""
    target = data.target
    assert target is not None
    flat = "tb" if target.dtype.kind in "iu" else "db"
    return as_given({1: "b", 2: flat, 3: "tdb"}[target.ndim], target.shape, data.layout)
