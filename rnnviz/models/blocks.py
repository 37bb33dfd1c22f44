"""A layer's arrays as its framework has them, as `Blocks`: (to, from), gates along rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.models.layouts import KINDS, Blocks
from rnnviz.models.unsaid import Unsaid

Part = dict[str, Array]


def blocks(layout: str, part: Part, where: str, kind: str = "") -> tuple[Blocks, str | None]:
    """The blocks of one layer and direction, and the GRU's reset where the arrays say it.

    kind: the cell, where the caller or a name has said it. Raises ValueError naming the arrays and
    both shapes where these do not fit each other.
    """
    wide = {name: np.asarray(array) for name, array in part.items()}
    W_x, W_h, reset = READERS[layout](wide, where, kind)
    b_x, b_h = _biases(layout, wide, W_h, where)
    if layout == "keras" and "bias" in wide:
        reset = "after" if wide["bias"].ndim == 2 else "before"
    if layout == "rnnviz" and len(W_h) == 3 * W_h.shape[1]:
        reset = "after" if "b_hn" in wide else "before"
    found = Blocks(W_x, W_h, b_x, b_h, _peepholes(wide, W_h.shape[1], where))
    if kind and found.kind != kind:
        raise ValueError(f"cell must be {found.kind} for {len(W_h)} rows of gates and hidden_size "
                         f"{W_h.shape[1]} {where}, got {kind!r}")  # fmt: skip
    return found, reset if found.kind == "gru" else None


def _pair(x: str, h: str) -> Callable[[Part, str, str], tuple[Array, Array, str | None]]:
    """A reader of two arrays, named x and h, whose gates are stacked along rows."""

    def read(part: Part, where: str, kind: str) -> tuple[Array, Array, str | None]:
        _check(part[x], part[h], x, h, where)
        return part[x], part[h], None

    return read


def _keras(part: Part, where: str, kind: str) -> tuple[Array, Array, str | None]:
    """Gates along columns."""
    names = "transposed kernel", "transposed recurrent_kernel"
    W_x, W_h = (part[name].T for name in ("kernel", "recurrent_kernel"))
    _check(W_x, W_h, *names, where)
    return W_x, W_h, None


def _tensorflow1(part: Part, where: str, kind: str) -> tuple[Array, Array, str | None]:
    """One kernel acts on [x, h]; a GRU has one for r and z and one for the candidate."""
    if "gates/kernel" in part:
        kernels = [part["gates/kernel"], part["candidate/kernel"]]
        if {k.ndim for k in kernels} != {2} or len(kernels[0]) != len(kernels[1]):
            raise ValueError(f"gates/kernel and candidate/kernel must have the same rows {where}, "
                             f"got {kernels[0].shape} and {kernels[1].shape}")  # fmt: skip
        kernel, gates = np.concatenate(kernels, axis=1), 3
    else:
        if not kind:
            message = (f"cell must be said of a kernel without a name {where}, one of "
                       f"{', '.join(KINDS.values())}: it acts on [x, h]")  # fmt: skip
            raise Unsaid(message, "cell", KINDS.values())
        kernel, gates = part["kernel"], {name: n for n, name in KINDS.items()}[kind]
    H = kernel.shape[1] // gates if kernel.ndim == 2 else 0
    if not H or kernel.shape[1] % gates or len(kernel) <= H:
        raise ValueError(f"kernel must have {gates} · H columns and D + H rows {where}, got "
                         f"{kernel.shape}")  # fmt: skip
    return kernel[:-H].T, kernel[-H:].T, "before" if gates == 3 else None


READERS = {
    "pytorch": _pair("weight_ih", "weight_hh"),
    "keras": _keras,
    "onnx": _pair("W", "R"),
    "tensorflow1": _tensorflow1,
    "rnnviz": _pair("W_xh", "W_hh"),
}


def _check(W_x: Array, W_h: Array, x: str, h: str, where: str) -> None:
    if W_x.ndim != 2 or W_h.ndim != 2 or len(W_x) != len(W_h):
        raise ValueError(f"{x} {W_x.shape} and {h} {W_h.shape} must be matrices with the same "
                         f"number of rows {where}")  # fmt: skip
    rows, H = W_h.shape
    if rows % H or rows // H not in KINDS:
        raise ValueError(
            f"{h} must have 1·H or 3·H or 4·H rows and H columns {where}, got {W_h.shape}"
        )


def _biases(layout: str, part: Part, W_h: Array, where: str) -> list[Array]:
    """The bias beside W_x and the one beside W_h."""
    rows = len(W_h)
    names = {"pytorch": ("bias_ih", "bias_hh"), "rnnviz": ("b_h", "b_hn")}.get(layout, ("bias",))
    found = [(name, part[name]) for name in names if name in part]
    if layout == "onnx" and "B" in part:
        found = [("B", part["B"][:rows]), ("B", part["B"][rows:])]
    if layout == "keras" and "bias" in part and part["bias"].ndim == 2:
        found = [("bias", b) for b in part["bias"]]
    if {"gates/bias", "candidate/bias"} & set(part):
        sizes = {"gates/bias": 2 * rows // 3, "candidate/bias": rows // 3}
        halves = [part.get(name, np.zeros(n, W_h.dtype)).ravel() for name, n in sizes.items()]
        found = [("bias", np.concatenate(halves))]
    if layout == "rnnviz" and "b_hn" in part:
        b_hn = part["b_hn"]
        found[-1] = ("b_hn", np.concatenate([np.zeros(max(rows - len(b_hn), 0), b_hn.dtype), b_hn]))
    for name, b in found:
        if b.shape != (rows,):
            raise ValueError(f"{name} must have {rows} numbers, one for each row {where}, got "
                             f"{b.shape}")  # fmt: skip
    zeros = np.zeros(rows, W_h.dtype)
    given = dict(found) if layout in ("pytorch", "rnnviz") else None
    if given is not None:
        return [given.get(name, zeros) for name in names]
    return [b for _, b in found] + [zeros] * (2 - len(found))


PEEPHOLES = {"w_i_diag": "i", "w_f_diag": "f", "w_o_diag": "o", "p_i": "i", "p_f": "f", "p_o": "o"}


def _peepholes(part: Part, H: int, where: str) -> dict[str, Array]:
    """Gate -> (H,), where the arrays have them."""
    found = {gate: part[name] for name, gate in PEEPHOLES.items() if name in part}
    if "P" in part and part["P"].any():
        found = {gate: part["P"][k * H : (k + 1) * H] for k, gate in enumerate("iof")}
    for gate, p in found.items():
        if p.shape != (H,):
            raise ValueError(f"the peephole of {gate} must have {H} numbers {where}, got {p.shape}")
    if found and len(found) < 3:
        raise ValueError(f"peepholes must be of i, f and o {where}, got {', '.join(found)}")
    return found


BESIDE = {
    "pytorch": {"bias_ih": "weight_ih", "bias_hh": "weight_hh"},
    "keras": {"bias": "kernel"},
    "onnx": {"B": "W"},
    "tensorflow1": {"bias": "kernel", "gates/bias": "gates/kernel",
                    "candidate/bias": "candidate/kernel"},
    "rnnviz": {"b_h": "W_xh"},
}  # fmt: skip
"""The biases that a layer of a framework has, each with the weights that it stands beside."""


def missing_biases(layout: str, names: Mapping[str, str]) -> list[str]:
    """The biases for which zeros are taken in a layer and direction that has arrays of these names,
    the layout's -> its whole name here; as they would be called here."""
    return [
        bias.join(names[weight].rsplit(weight, 1))
        for bias, weight in BESIDE[layout].items()
        if weight in names and bias not in names
    ]
