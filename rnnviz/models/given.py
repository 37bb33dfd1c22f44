"""Which of a network's numbers its arrays hold: how many they are, and the biases that are none of
them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from rnnviz.core.layers import key
from rnnviz.core.numerics import Array
from rnnviz.models.blocks import BESIDE, missing_biases
from rnnviz.models.names import Part, Stack

BIASES = ("b_h", "b_hn")
"""The core's names of them."""


def numbers_held(stack: Stack, readout: Mapping[str, Array], absent: Collection[str]) -> int:
    """How many numbers the arrays of the recurrent layers and the readout hold, also where several
    make one parameter, as PyTorch's two biases do. readout: empty where there is none; absent as
    `absent_biases` and the readout have them."""
    parts = [part for layer in stack.layers for part in layer]
    count = sum(math.prod(np.shape(array)) for part in parts for _, array in part.values())
    return count + sum(array.size for name, array in readout.items() if name not in absent)


def absent_biases(stack: Stack, params: Mapping[str, Any]) -> frozenset[str]:
    """The parameters that are biases of a layer and direction without any."""
    places = [(k, d) for k, layer in enumerate(stack.layers) for d in range(len(layer))]
    return frozenset(
        name
        for k, d in places
        for bias in BIASES
        if (name := key(k, bias, d)) in params and not _has_bias(stack.layers[k][d], stack.layout)
    )


def without_biases(stack: Stack) -> tuple[list[str], bool]:
    """The biases that are missing by name, and whether that is all of them."""
    parts = [part for layer in stack.layers for part in layer]
    missing: list[str] = []
    for part in parts:
        missing += missing_biases(stack.layout, {name: whole for name, (whole, _) in part.items()})
    return list(dict.fromkeys(missing)), not any(_has_bias(part, stack.layout) for part in parts)


def _has_bias(part: Part, layout: str) -> bool:
    return not part.keys().isdisjoint({*BESIDE[layout], *BIASES})
