"""Where does my own gradient differ? Arrays of an implementation of one's own against a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.core import Cell, Trace, checks
from rnnviz.core.cell import named_rows
from rnnviz.core.network import NetworkTrace
from rnnviz.core.numerics import Array

FORWARD = ("gates", "c", "h")
"""Arrays of the forward pass, in the order in which a step makes them."""
BACKWARD = ("d_h", "d_c", "d_gates", "d_x")
"""Arrays of the backward pass, in the order in which a step makes them."""
EXPONENTS = {"d_h": "d_log2", "d_c": "d_c_log2", "d_x": "d_x_log2"}
"""Where the powers of two of these arrays are."""
BY_GATE = ("W_xh", "W_hh", "W_skip", "b_h")
"""Parameters that stack the gates."""
ROUNDINGS = 64
"""Of how many of the smallest number of a dtype sums of so small ones may be off."""


@dataclass(frozen=True)
class Difference:
    """One array, or one gate's part of it, that differs.

    name: as it was given, such as "W_hh" or "d_gates"; gate: "" where it has none. step: of an
    array over time the first one that differs in the order of computation, forward from 1, backward
    from T, 0 being the initial state; else None. index: of the entry that differs most there (of a
    parameter its row and column in the gate's own block; over time unit and sequence); ours,
    theirs: its values. relative: ‖theirs − ours‖ / ‖ours‖ there, inf where ours is 0
    and where one of them alone is not finite.
    """

    name: str
    gate: str
    step: int | None
    index: tuple[int, ...]
    ours: float
    theirs: float
    relative: float


@dataclass(frozen=True)
class Comparison:
    """Everything that differs, in the order of computation: the forward pass by step, the backward
    pass from its end, then parameters. compared: the names that were given; rtol: see `compare`."""

    differences: tuple[Difference, ...]
    compared: tuple[str, ...]
    rtol: float

    @property
    def first(self) -> Difference | None:
        """Where to look first; None if nothing differs."""
        return self.differences[0] if self.differences else None


def compare(
    trace: Trace | NetworkTrace, own: Mapping[str, Any], rtol: float | None = None
) -> Comparison:
    """Compare arrays of an implementation of one's own with those of a trace.

    own: parameter -> its gradient, in the trace's shape or as a mapping gate -> its rows; of a
    `Trace` also "d_h", "d_c", "d_x", "d_gates" (gate -> (T, H, B)), and of its forward pass "h",
    "c", "gates". What is not given is not compared.
    rtol: two blocks (an array at a step, a gate's part of a parameter) are equal if ‖theirs − ours‖
    is at most rtol times ‖ours‖; by default the square root of the rounding of the coarser dtype.
    Where its numbers have lost half of their digits, below 3.3e−316 in float64 and 4.1e−42 in
    float32 (of more than 2048 entries a little above), no difference is told.
    Raises ValueError for a name that the trace does not have, and for a wrong shape.

    Examples
    --------
    >>> own = {"W_hh": lstm.grads["W_hh"].copy()}
    >>> own["W_hh"][3, 0] *= 2
    >>> first = analysis.compare(lstm, own).differences[0]
    >>> first.name, first.gate, first.index
    ('W_hh', 'i', (3, 0))
    """
    _check_names(trace, own)
    blocks = list(_blocks(trace, own))
    coarsest = _coarsest(array for _, _, pair in blocks for array in pair)
    limit = float(coarsest.eps) ** 0.5 if rtol is None else checks.number("rtol", rtol, 0)
    found = [
        difference
        for name, gate, (ours, theirs) in blocks
        if (difference := _difference(name, gate, ours, theirs, limit, coarsest)) is not None
    ]
    return Comparison(tuple(sorted(found, key=_order)), tuple(own), limit)


def _check_names(trace: Trace | NetworkTrace, own: Mapping[str, Any]) -> None:
    over_time = (*FORWARD, *BACKWARD) if isinstance(trace, Trace) else ()
    known = [*trace.grads, *(n for n in over_time if getattr(trace, n) is not None)]
    if not isinstance(own, Mapping) or not own:
        raise ValueError(f"own must be a mapping of some of {', '.join(known)}, got {own!r:.80}")
    for name in own:
        if name not in known:
            raise ValueError(f"own must hold some of {', '.join(known)}, got {name!r}")


def _blocks(
    trace: Trace | NetworkTrace, own: Mapping[str, Any]
) -> Iterator[tuple[str, str, tuple[Array, Array]]]:
    """(name, gate, (ours, theirs)) of all that is compared."""
    for name, given in own.items():
        if name in trace.grads:
            yield from _parameter(name, _cell_of(trace, name), trace.grads[name], given)
            continue
        assert isinstance(trace, Trace)
        ours = _true(trace, name)
        if not isinstance(ours, Mapping):
            yield name, "", (ours, _array(name, given, ours.shape))
            continue
        for gate, theirs in _by_gate(name, given, tuple(ours)).items():
            yield name, gate, (ours[gate], _array(f"{name}[{gate}]", theirs, ours[gate].shape))


def _true(trace: Trace, name: str) -> Array | dict[str, Array]:
    """An array over time as it is, without exponents."""
    with np.errstate(all="ignore"):
        if name == "d_gates":
            true = np.ldexp(trace.d_gate_values, trace.d_gate_log2)
            return named_rows(true, trace.cell.D_GATE_ROWS, trace.cell.trainable_gates)
        values: Any = getattr(trace, name)
        return values if name in FORWARD else np.ldexp(values, getattr(trace, EXPONENTS[name]))


def _parameter(
    name: str, cell: Cell | None, ours: Array, given: Any
) -> Iterator[tuple[str, str, tuple[Array, Array]]]:
    short = name.rpartition(".")[2]
    if cell is None or short not in BY_GATE:
        gate = short[2:] if short.startswith("p_") else "n" if short == "b_hn" else ""
        yield name, gate, (ours, _array(name, given, ours.shape))
        return
    rows = {gate: ours[cell.gate_rows(gate)] for gate in cell.trainable_gates}
    if not isinstance(given, Mapping):
        whole = _array(name, given, ours.shape)
        given = {gate: whole[cell.gate_rows(gate)] for gate in rows}
    for gate, theirs in _by_gate(name, given, tuple(rows)).items():
        yield name, gate, (rows[gate], _array(f"{name}[{gate}]", theirs, rows[gate].shape))


def _cell_of(trace: Trace | NetworkTrace, name: str) -> Cell | None:
    """The cell whose parameter it is; None for the readout's and the context's."""
    if isinstance(trace, Trace):
        return trace.cell
    layer = name.partition(".")[0]
    return trace.network.cells[int(layer)] if layer.isdigit() else None


def _by_gate(name: str, given: Any, gates: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or not set(given) <= set(gates):
        got = ", ".join(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
        raise ValueError(f"{name} must be a mapping with gates of {', '.join(gates)}, got {got}")
    return {gate: given[gate] for gate in gates if gate in given}


def _array(name: str, given: Any, shape: tuple[int, ...]) -> Array:
    return checks.array(name, given, shape, finite=False)


def _coarsest(arrays: Iterable[Array]) -> np.finfo[Any]:
    """The dtype that rounds most; float64 where there is nothing to compare."""
    types = [np.finfo(np.float64), *(np.finfo(array.dtype) for array in arrays)]
    return max(types, key=lambda known: float(known.eps))


def _floor(dtype: np.finfo[Any], entries: int) -> float:
    """‖theirs − ours‖ of a block up to which there is no difference: so near to 0 numbers have
    fewer than half of their digits, and rounding alone makes as much of it."""
    units = max(float(dtype.eps) ** -0.5, ROUNDINGS * entries**0.5)
    return float(dtype.smallest_subnormal) * units


def _difference(
    name: str, gate: str, ours: Array, theirs: Array, rtol: float, dtype: np.finfo[Any]
) -> Difference | None:
    """The first block that differs; None if all are equal. dtype: the coarser one."""
    over_time = name in (*FORWARD, *BACKWARD)
    apart, size = (_norms(v, over_time) for v in (_apart(ours, theirs), ours))
    floor = _floor(dtype, ours[0].size if over_time else ours.size)
    differs = np.flatnonzero(~(apart <= np.maximum(rtol * size, floor)))
    if not differs.size:
        return None
    k = int(differs[0] if name in FORWARD or not over_time else differs[-1])
    a, b = (ours[k], theirs[k]) if over_time else (ours, theirs)
    index = np.unravel_index(int(_apart(a, b).argmax()), a.shape)
    first_is_initial = name in ("h", "c", "d_h", "d_c")
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = float(np.divide(apart[k], size[k])) if size[k] else float("inf")
    return Difference(
        name=name,
        gate=gate,
        step=(k if first_is_initial else k + 1) if over_time else None,
        index=tuple(int(i) for i in index),
        ours=float(a[index]),
        theirs=float(b[index]),
        relative=relative,
    )


def _apart(ours: Array, theirs: Array) -> Array:
    """|theirs − ours|, inf where one of them alone is NaN or infinite; 0 where both are alike."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(theirs.astype(np.float64) - ours.astype(np.float64))
    alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return np.where(alike, 0.0, np.where(np.isnan(apart), np.inf, apart))


def _norms(values: Array, over_time: bool) -> Array:
    """Of each step, or of all together; without overflow. inf and NaN count as no size."""
    flat = np.abs(values.astype(np.float64)).reshape(len(values) if over_time else 1, -1)
    peak = flat.max(axis=1)
    scale = np.where((peak > 0) & np.isfinite(peak), peak, 1.0)
    norms = scale * np.sqrt(((flat / scale[:, None]) ** 2).sum(axis=1))
    return np.where(np.isnan(peak), 0.0, norms)


def _order(difference: Difference) -> tuple[int, int, int]:
    name, step = difference.name, difference.step
    if name in FORWARD:
        return 0, step or 0, FORWARD.index(name)
    if name in BACKWARD:
        return 1, -(step or 0), BACKWARD.index(name)
    return 2, 0, 0
