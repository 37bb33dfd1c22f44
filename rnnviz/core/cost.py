"""What work takes, known before it begins: bytes, and seconds by what they are spent on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ROUNDS = 5
"""Of each benchmark; the fastest counts: others were disturbed."""
STEPS, PRODUCTS, SIDE, ELEMENTS = 400, 4, 192, 1 << 16
REFERENCE_STEPS, REFERENCE_PRODUCT, REFERENCE_ELEMENTS = 0.63e-3, 1.2e-3, 0.17e-3
"""Seconds of one round of each benchmark on the machine whose constants estimates are made with."""


@dataclass(frozen=True)
class Speed:
    """How many times longer than on that machine Python's steps, matrix products and elementwise
    work take.

    Examples
    --------
    >>> work = Estimate(python=1.0)
    >>> work.on(Speed(python=2.0)).seconds
    2.0
    """

    python: float = 1.0
    products: float = 1.0
    elements: float = 1.0


@dataclass(frozen=True)
class Estimate:
    """bytes: all arrays that are alive at once, at the most; never fewer than are taken.
    python, products, elements: seconds on one core, by what they are spent on. Of a run within a
    factor of two from 0.2 s on; of an analysis those of its costly branches, which may be spared.

    Examples
    --------
    >>> (Estimate(bytes=8, python=1.0) + Estimate(bytes=8)).bytes
    16
    """

    bytes: int = 0
    python: float = 0.0
    products: float = 0.0
    elements: float = 0.0

    @property
    def seconds(self) -> float:
        return self.python + self.products + self.elements

    def __add__(self, other: Estimate) -> Estimate:
        """Both, what they take alive together."""
        return Estimate(self.bytes + other.bytes, self.python + other.python,
                        self.products + other.products, self.elements + other.elements)  # fmt: skip

    def times(self, factor: float) -> Estimate:
        """The same again and again, nothing kept."""
        return Estimate(self.bytes, factor * self.python, factor * self.products,
                        factor * self.elements)  # fmt: skip

    def on(self, speed: Speed) -> Estimate:
        """The same on a machine of that speed."""
        return Estimate(self.bytes, self.python * speed.python, self.products * speed.products,
                        self.elements * speed.elements)  # fmt: skip


def machine_memory() -> float:
    """Bytes of this machine's memory, infinite where nobody tells."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return float("inf")
    return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def measure_speed(clock: Callable[[], float] = time.perf_counter) -> Speed:
    """Measure the speed of this machine by three benchmarks of about a millisecond a round."""
    return Speed(
        _fastest(_steps, clock) / REFERENCE_STEPS,
        _fastest(_product, clock) / REFERENCE_PRODUCT,
        _fastest(_elementwise, clock) / REFERENCE_ELEMENTS,
    )


def _fastest(work: Callable[[], None], clock: Callable[[], float]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = clock()
        work()
        taken.append(clock() - start)
    return max(min(taken), 1e-9)


def _steps() -> None:
    """Steps of a cell of eight units, as the loops over time make them."""
    W, h, a = np.eye(8), np.ones((8, 1)), np.empty((8, 1))
    for _ in range(STEPS):
        np.matmul(W, h, out=a)
        np.add(a, h, out=a)
        np.tanh(a, out=h)


def _product() -> None:
    matrix, out = np.ones((SIDE, SIDE)), np.empty((SIDE, SIDE))
    for _ in range(PRODUCTS):
        np.matmul(matrix, matrix, out=out)


def _elementwise() -> None:
    values = np.linspace(-2, 2, ELEMENTS)
    np.tanh(values, out=values)
    np.multiply(values, values, out=values)
