"""Sequences that came from elsewhere: inputs, lengths, targets, states and gradients of one's own,
turned into the core's axes once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core import checks, layouts
from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import IS_PICKLE, NPY, ZIP, Limits, read_npy, read_npz, shown
from rnnviz.models.files import bytes_of
from rnnviz.models.tables import read_csv
from rnnviz.models.unsaid import Unsaid
from rnnviz.models.widening import as_array, as_integers

FIELDS = ("x", "lengths", "mask", "target", "h0", "c0", "d_output", "d_h", "d_c", "context")
TEXTS = ("layout", "padding")
AXES = {"x": (2, 3), "target": (2, 3), "mask": (2,), "context": (2,)}
WITHOUT = {"mask": "d", "context": "t"}
"""How many axes an array has if not 3, and which of the layout's it has not."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """What is known of a batch, in the core's axes; None for what is not given.

    x (T, D, B), or integer tokens (T, B); lengths (B,); target at every step, (T, O, B) or classes
    (T, B), or at each sequence's last one, (O, B) or classes (B,); mask (T, B), the weights of
    steps in a loss of targets. Of each layer and direction, in PyTorch's order: h0, c0, the first
    states, and d_h, d_c = ∂L/∂h_T, ∂L/∂c_T, (layers · directions, H, B); d_output (T, O, B) =
    ∂L/∂output. context (V, B): what the first state is made of, where the network makes it so.
    layout: how they were laid out before, None if nobody said; padding: at which end it was then.
    notes: what was assumed of a file, one sentence each. All arrays are read-only.
    """

    x: Array | None = None
    lengths: Array | None = None
    mask: Array | None = None
    target: Array | None = None
    h0: Array | None = None
    c0: Array | None = None
    d_output: Array | None = None
    d_h: Array | None = None
    d_c: Array | None = None
    context: Array | None = None
    layout: str | None = None
    padding: str = "right"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in FIELDS:
            array = getattr(self, name)
            if array is not None:
                array.flags.writeable = False

    @property
    def own_loss(self) -> bool:
        """Whether the gradients of a loss of one's own are given."""
        return any(g is not None for g in (self.d_output, self.d_h, self.d_c))


NOTHING: Mapping[str, Any] = {}
NO_LIMITS = Limits()


def read_data(
    source: Any = NOTHING,
    *,
    layout: str | None = None,
    padding: str | None = None,
    limits: Limits = NO_LIMITS,
    **given: Any,
) -> Sequences:
    """Sequences from a file or from arrays.

    Parameters
    ----------
    source
        x itself, a mapping with the names below, or a file by its path, its bytes or opened: .npz
        with these names (and "layout", "padding" as texts), .npy of x, .csv (see `tables.read_csv`:
        one row a step; with columns "sequence" and "step" many sequences; "target", "token").
    layout
        How x, mask, target and d_output are laid out: "btd" (batch first), "tbd" or "tdb". Needed
        for arrays with several sequences. x (T, D) is one sequence.
    padding
        At which end the padding is where there are lengths: "right" (the default) or "left".
    limits
        The most that a file may hold.
    **given
        x, lengths, mask, target, h0, c0, d_output, d_h, d_c, context as in `Sequences`, instead of
        the source's; states batch first as PyTorch has them, (layers · directions, B, H), with
        "tdb" (layers · directions, H, B), and so a context, (B, V) or (V, B).

    Raises
    ------
    ValueError
        For an unknown name, a wrong shape, a number that is not finite (with its place), a layout
        that nobody has said, and a file that is damaged, too large or a pickle.
    OSError
        For a path without a file.

    Examples
    --------
    >>> data = read_data(np.zeros((4, 10, 2)), layout="btd", lengths=[10, 7, 3, 10])
    >>> data.x.shape
    (10, 2, 4)
    """
    arrays, axes, notes = _opened(source, limits)
    if unknown := [name for name in (*arrays, *given) if name not in (*FIELDS, *TEXTS)]:
        raise ValueError(f"names must be among {', '.join(FIELDS)}, got {shown(unknown[0])}")
    arrays = {**arrays, **{name: value for name, value in given.items() if value is not None}}
    layout = layout or axes or _text(arrays, "layout")
    padding = padding or _text(arrays, "padding") or "right"
    checks.choice("padding", padding, layouts.PADDING)
    if layout is not None:
        checks.choice("layout", layout, layouts.LAYOUTS)
    if axes and layout != axes:
        raise ValueError(f"layout must be None for a table, got {layout!r}")
    found = {name: _turned(name, value, layout) for name, value in arrays.items() if name in FIELDS}
    return replace(_right_padded(found, padding), layout=layout, padding=padding, notes=notes)


def _opened(source: Any, limits: Limits) -> tuple[dict[str, Any], str | None, tuple[str, ...]]:
    """The arrays by name, their axes where the kind of file says them, and what was assumed."""
    if isinstance(source, Mapping):
        return {str(name): value for name, value in source.items()}, None, ()
    reads = callable(getattr(source, "read", None))
    if not isinstance(source, str | Path | bytes | bytearray) and not reads:
        return {"x": source}, None, ()
    data = bytes_of(source, limits)
    if data.startswith(ZIP):
        return dict(read_npz(data, limits)), None, ()
    if data.startswith(NPY):
        return {"x": read_npy(data, limits)}, None, ()
    if data[:1] == b"\x80":
        raise ValueError(f"the file {IS_PICKLE}")
    arrays, notes = read_csv(data, limits)
    return arrays, "tdb", notes


def _text(arrays: Mapping[str, Any], name: str) -> str | None:
    return str(arrays[name]) if name in arrays else None


def _turned(name: str, value: Any, layout: str | None) -> Array:
    """An array in the core's axes. Raises ValueError where it is none of finite numbers."""
    array = _numbers(name, value)
    if name == "lengths":
        return array
    if name in ("h0", "c0", "d_h", "d_c"):
        array = array[None] if array.ndim == 2 else array
        if array.ndim != 3:
            axes = "H, B" if layout == "tdb" else "B, H"
            raise ValueError(f"{name} must have shape (layers · directions, {axes}), got "
                             f"{array.shape}")  # fmt: skip
        return array if layout == "tdb" else array.swapaxes(1, 2).copy()
    if name == "x" and array.ndim == 2 - (array.dtype.kind in "iu"):
        return array[..., None].copy()  # one sequence
    if name == "target" and array.ndim == 1:
        return array if array.dtype.kind in "iu" else array[None].copy()
    if name == "context" and array.ndim == 1:
        return array[:, None].copy()
    if name == "x" and array.ndim == 1:
        return array[:, None, None].copy()
    if layout is None:
        message = (f"layout must be said of {name} with shape {array.shape}: one of "
                   f"{', '.join(layouts.LAYOUTS)}, got None")  # fmt: skip
        raise Unsaid(message, "layout", layouts.LAYOUTS)
    if array.ndim == 2 and (name == "context" or (name == "target" and array.dtype.kind == "f")):
        return array if layout == "tdb" else array.T.copy()
    if array.ndim not in AXES.get(name, (3,)):
        axes = ", ".join(layout.replace(WITHOUT.get(name, ""), ""))
        raise ValueError(f"{name} must have an axis for each of {axes}, got "
                         f"{array.shape}")  # fmt: skip
    return np.array(layouts.turned(name, array, layout))


def _numbers(name: str, value: Any) -> Array:
    """An array of integers, or of floats that are finite."""
    array, _ = as_array(name, value)
    if array.dtype.kind == "b":
        array = array.astype(np.float64)
    if array.dtype.kind not in "iuf" or array.size == 0:
        raise ValueError(f"{name} must hold numbers, got {array.dtype} of shape {array.shape}")
    if array.dtype.kind in "iu":
        return as_integers(name, array)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise ValueError(f"{name} must be finite, got {array[tuple(bad[0])]} at "
                         f"{bad[0].tolist()}{more}")  # fmt: skip
    return array.astype(np.float64 if array.dtype.itemsize > 4 else np.float32)


def _right_padded(found: dict[str, Array], padding: str) -> Sequences:
    """The same with the padding last."""
    steps = [
        n for n in ("x", "mask", "target", "d_output") if n in found and _every_step(n, found[n])
    ]
    if padding == "left" and "lengths" in found:
        for name in steps:
            found[name] = layouts.right_padded(found[name], found["lengths"])
    sizes = {name: (len(found[name]), found[name].shape[-1]) for name in steps}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{name} {t} and {b}" for name, (t, b) in sizes.items())
        raise ValueError(f"steps and sequences must be as many in all arrays, got {said}")
    if sizes and "lengths" in found:
        seq_len, batch_size = next(iter(sizes.values()))
        checks.lengths(found["lengths"], seq_len, batch_size)
    if "mask" in found and (found["mask"] < 0).any():
        least = checks.exact(found["mask"].min())
        raise ValueError(f"mask must hold numbers of at least 0, got {least}")
    values: dict[str, Any] = dict(found)
    return Sequences(**values)


def _every_step(name: str, array: Array) -> bool:
    """Whether an array has an entry for every step: targets may be those of the last one alone."""
    return name != "target" or array.ndim == 3 or (array.ndim == 2 and array.dtype.kind in "iu")
