"""Arrays from .safetensors files, read by NumPy alone.

The format is a length, a JSON header and the arrays' bytes one after the other. The package of
that name lets through what its own specification forbids (a key that comes twice) and does not
know bfloat16 without PyTorch; here the header is bounded before it is parsed, and the arrays must
fill the file without gap or overlap, so that no two readers can see different things in it.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import Budget, Limits, check_size, shown

MAX_HEADER = 1 << 20
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "|b1", "U8": "|u1",
    "I8": "|i1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4", "I64": "<i8", "U64": "<u8",
}  # fmt: skip
"""The format's names -> NumPy's. BF16 has none: its bits are the upper half of a float32's."""


def read_safetensors(data: bytes, limits: Limits) -> tuple[dict[str, Array], list[str]]:
    """The arrays of a .safetensors file by name, and the names of those that were bfloat16, which
    are float32 now.

    Raises ValueError naming what does not fit.
    """
    check_size(data, limits)
    header, body = _header(data)
    entries = {name: _entry(name, entry) for name, entry in header.items()}
    _check_places({name: places for name, (_, _, places) in entries.items()}, len(body))
    arrays, half, budget = {}, [], Budget(limits)
    for name, (dtype, shape, (start, stop)) in entries.items():
        if budget.take(shown(name), shape, np.dtype(DTYPES[dtype]).itemsize) != stop - start:
            raise ValueError(f"{shown(name)} must have the bytes of {dtype} of shape "
                             f"{shown(shape)}, got {stop - start}")  # fmt: skip
        arrays[name] = np.frombuffer(body[start:stop], DTYPES[dtype]).reshape(shape)
        if dtype == "BF16":
            arrays[name] = widened(arrays[name])
            half.append(name)
    return arrays, half


def widened(bits: Array) -> Array:
    """The numbers of bfloat16, given by their bits, as float32: the same numbers."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _header(data: bytes) -> tuple[dict[str, Any], memoryview]:
    """The entries of the arrays, and the bytes behind the header."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= min(MAX_HEADER, len(data) - 8):
        raise ValueError(
            "a .safetensors file must begin with the length of its header, at most "
            f"{min(MAX_HEADER, max(len(data) - 8, 0)):,} here, got {length:,}"
        )
    text = data[8 : 8 + length]
    if text[:1] != b"{":
        raise ValueError(f"the header must begin with {{, got {text[:1]!r}")
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_once)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the header must be JSON, got {shown(text[:80])}") from error
    header.pop("__metadata__", None)
    return header, memoryview(data)[8 + length :]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the header must name everything once, got {shown(twice)} twice")
    return found


def _entry(name: str, entry: object) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    """dtype, shape and place of an array, each of the right type."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{shown(name)} must have dtype, shape and data_offsets, got "
                         f"{shown(entry)}")  # fmt: skip
    dtype, shape, places = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"{shown(name)} must be one of {', '.join(DTYPES)}, got {shown(dtype)}")
    for what, numbers in (("shape", shape), ("data_offsets", places)):
        if type(numbers) is not list or any(type(n) is not int or n < 0 for n in numbers):
            raise ValueError(f"{shown(name)} must have integers of at least 0 as {what}, got "
                             f"{shown(numbers)}")  # fmt: skip
    if len(places) != 2 or math.prod(shape) == 0:
        raise ValueError(f"{shown(name)} must have at least one number and two data_offsets, got "
                         f"shape {shown(shape)} at {shown(places)}")  # fmt: skip
    return dtype, tuple(shape), (places[0], places[1])


def _check_places(places: dict[str, tuple[int, int]], size: int) -> None:
    """Raise ValueError unless the arrays fill the file one after the other."""
    end = 0
    for name, (start, stop) in sorted(places.items(), key=lambda item: item[1]):
        if start != end or stop < start:
            raise ValueError(f"{shown(name)} must begin at byte {end:,}, where the array before "
                             f"it ends, got {start:,} to {stop:,}")  # fmt: skip
        end = stop
    if end != size:
        raise ValueError(f"the arrays must fill the file's {size:,} bytes, they end at {end:,}")
