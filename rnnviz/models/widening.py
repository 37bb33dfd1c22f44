"""Numbers of any width, as float32 or float64, and what is to be said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import shown

HALVES = ("bfloat16", "float16")


class Widening:
    """Widens one array after the other, and remembers which were narrow, and what is not finite.

    half: the names of those that were bfloat16 in their file, and are float32 already.
    """

    def __init__(self, half: Iterable[str] = ()) -> None:
        self._half = set(half)
        self._types: dict[str, list[str]] = defaultdict(list)
        self._bad: list[str] = []

    def __call__(self, name: str, value: Any) -> Array:
        """The array as float32 or float64. Raises ValueError as `numbers` does."""
        array, said = numbers(name, value)
        if said := "bfloat16" if name in self._half else said:
            self._types[said].append(name)
        if not np.isfinite(array).all():
            self._bad.append(_not_finite(name, array))
        return array

    @property
    def notes(self) -> list[str]:
        """A sentence for each type that was widened, and for each array that is not finite."""
        said = []
        for kind, names in self._types.items():
            where = ", ".join(map(shown, names[:3])) + ", ..." * (len(names) > 3)
            what = "widened to float32" if kind in HALVES else "in another byte order, turned"
            said.append(f"{kind} is {what}: {len(names)} arrays ({where})")
        return said + self._bad


def numbers(name: str, value: Any) -> tuple[Array, str]:
    """An array or tensor as float32 or float64, and the type it was turned from, or "".

    Raises ValueError naming the array for a type that is none of numbers with a point.
    """
    array, said = as_array(name, value)
    kind = array.dtype
    if kind.kind != "f" or kind.itemsize > 8:
        raise ValueError(f"{shown(name)} must be float16, bfloat16, float32 or float64, got {said}")
    if array.size == 0:
        raise ValueError(f"{shown(name)} must hold numbers, got shape {array.shape}")
    wide = array.astype(np.float32 if kind.itemsize < 8 else np.float64)
    return wide, said if said in HALVES or not kind.isnative else ""


def as_array(name: str, value: Any) -> tuple[Array, str]:
    """An array or a tensor of PyTorch, on any device and with or without a gradient, as an array,
    and its type by name; bfloat16, which NumPy does not have, is widened. Raises ValueError naming
    what cannot be one."""
    said = ""
    try:
        if callable(getattr(value, "detach", None)):
            said = str(value.dtype).removeprefix("torch.")
            value = value.detach().cpu()
            value = (value.float() if said in HALVES else value).numpy()
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{shown(name)} must be an array of numbers, got {said or 'something'} "
                         f"that is none ({str(error)[:80]})") from error  # fmt: skip
    return array, said if said in HALVES else str(array.dtype)


def as_integers(name: str, array: Array) -> Array:
    """Whole numbers as int64. Raises ValueError naming one that this does not hold."""
    most = max(int(array.max()), -int(array.min()), key=abs)
    if array.dtype != np.int64 and abs(most) >= 2**63:
        raise ValueError(f"{name} must hold integers of a size below 2^63, got {most}")
    return array.astype(np.int64)


def _not_finite(name: str, array: Array) -> str:
    bad = ~np.isfinite(array)
    kinds = {"NaN": int(np.isnan(array).sum()), "infinite": int(np.isinf(array).sum())}
    counts = " and ".join(f"{n} {kind}" for kind, n in kinds.items() if n)
    return f"{counts} in {shown(name)}, the first at {np.argwhere(bad)[0].tolist()}"
