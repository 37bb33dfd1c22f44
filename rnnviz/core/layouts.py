"""How arrays are laid out: which axis is time, at which end the padding is, and what it holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.numerics import Array

LAYOUTS = {"tdb": (0, 1, 2), "btd": (1, 2, 0), "tbd": (0, 2, 1)}
"""Name -> the axes that bring an array into (T, D, B): T time, D features, B batch. "btd" is
PyTorch's batch_first=True and Keras's order, "tbd" PyTorch's other one."""
PADDING = ("right", "left")


def turned(name: str, values: Any, layout: str | None) -> Any:
    """An array in `layout`, or integer tokens (T, B) or (B, T), with time first and batch last.
    None says nothing, and nothing is turned."""
    if layout is None or checks.choice("layout", layout, LAYOUTS) == "tdb":
        return values
    array = np.asarray(values)
    if array.ndim == 2:
        return array.T if layout == "btd" else array
    if array.ndim != 3:
        axes = ", ".join(layout.upper())
        raise ValueError(f"{name} must have shape ({axes}), got {array.shape}")
    return array.transpose(LAYOUTS[layout])


def both_ways(x: Array, layout: str | None) -> str:
    """Where x (T, D, B) could as well be meant as (B, T, D) and nobody has said which, how it is
    read; else ""."""
    seq_len, input_size, batch_size = x.shape
    if layout is not None or not input_size == batch_size > 1:
        return ""
    return (f"x {x.shape} is read as (T, D, B), {seq_len} steps of {batch_size} sequences; if it "
            f"is {seq_len} sequences of {input_size} steps, say layout='btd'")  # fmt: skip


def check_padding(x: Any, lengths: Array | None) -> None:
    """Raise ValueError where x (T, D, B) holds numbers in what `lengths` calls padding, or tokens
    (T, B) more than one there: the padding may be at the other end."""
    given = np.asarray(x)
    if lengths is None:
        return
    padded = np.arange(len(given))[:, None] >= lengths
    if given.ndim == 2:
        ids = given[padded]
        wrong, what = padded & (given != ids[-1]), "must be one token"
    else:
        wrong, what = padded[:, None] & (given != 0), "must be 0"
    if wrong.any():
        bad = tuple(np.argwhere(wrong)[0].tolist())
        raise ValueError(
            f"x {what} where lengths says padding, after step {lengths[bad[-1]]} of sequence "
            f"{bad[-1]}, got {given[bad]} at {list(bad)}; if the padding comes first, "
            "right_padded(x, lengths) brings it to the end"
        )


def right_padded(values: Any, lengths: Any) -> Array:
    """Steps (T, B) or (T, F, B) whose padding comes first, with the padding last: what forward
    passes take. Raises ValueError for lengths that do not fit.

    Examples
    --------
    >>> tokens = np.array([[0, 1], [0, 2], [7, 3]])  # the first sequence has one step
    >>> right_padded(tokens, [1, 3])
    array([[7, 1],
           [0, 2],
           [0, 3]])
    """
    steps = np.asarray(values)
    if steps.ndim not in (2, 3):
        raise ValueError(f"values must have shape (T, B) or (T, F, B), got {steps.shape}")
    present = checks.lengths(lengths, len(steps), steps.shape[-1])
    if present is None:
        return steps
    index = (np.arange(len(steps))[:, None] - present) % len(steps)
    return np.take_along_axis(steps, index if steps.ndim == 2 else index[:, None], axis=0)


def zero_padding(lengths: Array | None, *steps: Array | None) -> None:
    """Write 0 to the padded steps of arrays (T, F, B)."""
    if lengths is None:
        return
    for values in steps:
        if values is not None:
            padded = np.arange(len(values))[:, None] >= lengths
            np.copyto(values, 0, where=padded[:, None])
