"""Checks at the public boundary: a bad value raises a ValueError that says which and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

import numpy as np

from rnnviz.core.numerics import Array

T = TypeVar("T")
ABOVE_0 = float(np.finfo(np.float64).smallest_subnormal)
"""The least of a number that must be above 0."""


def size(name: str, value: object, minimum: int = 1) -> int:
    """Return `value` if it is an integer of at least `minimum`."""
    if not _is_integer(value) or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")
    return int(value)


def whole(name: str, value: object, minimum: int, maximum: int) -> int:
    """Return `value` if it is an integer and minimum <= value <= maximum."""
    if not (_is_integer(value) and minimum <= value <= maximum):
        raise ValueError(
            f"{name} must be a whole number from {minimum} to {maximum}, got {value!r:.80}"
        )
    return int(value)


def _is_integer(value: object) -> TypeGuard[int | np.integer[Any]]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def number(name: str, value: object, minimum: float = -np.inf, maximum: float = np.inf) -> float:
    """Return `value` as a float if it is finite and minimum <= value <= maximum."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ValueError(f"{name} must be a number, got {value!r}")
    if not (_is_finite(value) and minimum <= value <= maximum):
        range_ = _range(minimum, maximum)
        raise ValueError(f"{name} must be a finite number{range_}, got {value!r:.80}")
    return float(value)


def _range(minimum: float, maximum: float) -> str:
    if minimum == -np.inf:
        return ""
    low, to = f" from {exact(minimum)}", "to"
    if minimum == ABOVE_0:
        low, to = " above 0", "and at most"
    return low if maximum == np.inf else f"{low} {to} {exact(maximum)}"


def exact(value: float | np.number[Any]) -> str:
    """A number of a message: short, and with every digit that it has."""
    short = f"{value:g}"
    return short if float(short) == value else str(value).removesuffix(".0")


def _is_finite(value: float | np.number[Any]) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond float64
        return False


def choice(name: str, value: object, allowed: Iterable[str]) -> str:
    """Return `value` if it is one of the names in `allowed`."""
    names = list(allowed)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{name} must be one of {', '.join(names)}, got {value!r}")
    return value


def some(name: str, values: Sequence[T]) -> Sequence[T]:
    """Return `values` if there is at least one."""
    if not values:
        raise ValueError(f"{name} must hold at least one result, got none")
    return values


def array(name: str, value: Any, shape: tuple[int | str, ...], finite: bool = True) -> Array:
    """Return `value` as a float or complex array of the given shape, contiguous in memory: BLAS
    rounds differently for other layouts, and the same numbers shall give the same bits.

    A string in `shape` stands for any length of at least 1; it names the axis in the message.
    """
    result = _as_array(name, value)
    if result.shape == shape and result.dtype.char in "fdD" and not finite:
        return result
    if result.dtype.kind not in "iu" and result.dtype.char not in "fdD":
        raise ValueError(f"{name} must be float32, float64 or complex128, got dtype {result.dtype}")
    if result.dtype.kind in "iu":
        result = result.astype(np.float64)
    fits = result.ndim == len(shape) and all(
        n == m if isinstance(m, int) else n >= 1 for n, m in zip(result.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(str(m) for m in shape)
        raise ValueError(f"{name} must have shape ({wanted}), no axis empty, got {result.shape}")
    if finite and not np.isfinite(result).all():
        bad = np.argwhere(~np.isfinite(result))[0]
        where = ", ".join(str(i) for i in bad)
        raise ValueError(f"{name} must be finite, got {result[tuple(bad)]} at [{where}]")
    return result


def _as_array(name: str, value: Any) -> Array:
    try:
        return np.asarray(value, order="C")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} must be an array, got {value!r:.80}") from error


def cast(name: str, value: Array, dtype: np.dtype) -> Array:
    """Return a copy of `value` in `dtype`, which must be complex if `value` is."""
    if np.iscomplexobj(value) and dtype.kind != "c":
        raise ValueError(f"{name} must be real, as the record is, got dtype {value.dtype}")
    with np.errstate(over="ignore"):
        return value.astype(dtype)


def float_type(name: str, value: Any) -> np.dtype:
    """Return `value` as a dtype if it is float32, float64 or complex128."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.char not in "fdD":
        raise ValueError(f"{name} must be float32, float64 or complex128, got {value!r}")
    return dtype


def params(given: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return checked arrays for exactly the names in `shapes`. NaN and inf are let through:
    weights that have blown up are something to look at."""
    if not isinstance(given, Mapping):
        raise ValueError(
            f"params must be a mapping with the keys {', '.join(shapes)}, got {given!r:.80}"
        )
    missing = [name for name in shapes if name not in given]
    unexpected = [str(name) for name in given if name not in shapes]
    if missing or unexpected:
        wrong = [f"missing {_first(missing)}"] * bool(missing)
        wrong += [f"not among them {_first(unexpected)}"] * bool(unexpected)
        raise ValueError(
            f"params must have the keys {_first(shapes)}, got {_first(map(str, given))} "
            f"({'; '.join(wrong)})"
        )
    return {
        name: array(f"params[{name!r}]", given[name], shape, finite=False)
        for name, shape in shapes.items()
    }


def _first(names: Iterable[str], most: int = 100) -> str:
    """Names with commas, as many as a message holds."""
    listed = list(names)
    return ", ".join([*listed[:most], *["…"] * (len(listed) > most)])


def one_hot(x: Any, input_size: int) -> Array:
    """Return tokens (T, B) as one-hot columns (T, input_size, B), in float32: zeros and ones are
    exact there, and the parameters' dtype decides."""
    tokens = np.asarray(x)
    if tokens.size == 0:
        raise ValueError(f"x must have at least one step and one sequence, got {tokens.shape}")
    if tokens.min() < 0 or tokens.max() >= input_size:
        raise ValueError(
            f"x must hold tokens from 0 to {input_size - 1}, got {tokens.min()} to {tokens.max()}"
        )
    return (tokens[:, None, :] == np.arange(input_size)[:, None]).astype(np.float32)


def inputs(x: Any, input_size: int) -> Array:
    """Return x (T, D, B), or integer tokens (T, B) as one-hot columns."""
    given = _as_array("x", x)
    if given.ndim == 2 and given.dtype.kind in "iu":
        return one_hot(given, input_size)
    if given.ndim == 3 and given.shape[1] != input_size == given.shape[2]:
        raise ValueError(
            f"x must have shape (T, {input_size}, B), time first and batch last, got "
            f"{given.shape}: if that is (B, T, D), x.transpose(1, 2, 0) turns it; if it is "
            "(T, B, D), x.transpose(0, 2, 1)"
        )
    return array("x", given, ("T", input_size, "B"))


def lengths(value: Any, seq_len: int, batch_size: int) -> Array | None:
    """Return lengths (B,), integers from 1 to T, as an array of their own; None if nothing is
    padded."""
    if value is None:
        return None
    given = _as_array("lengths", value)
    if given.dtype.kind not in "iu" or given.shape != (batch_size,):
        raise ValueError(
            f"lengths must be {batch_size} integers, got {given.dtype} of shape {given.shape}"
        )
    if given.min() < 1 or given.max() > seq_len:
        raise ValueError(f"lengths must be from 1 to {seq_len}, got {given.min()} to {given.max()}")
    return None if (given == seq_len).all() else given.astype(np.int64)
