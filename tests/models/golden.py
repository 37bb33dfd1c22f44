"""What frameworks computed, and what a loaded network is compared with it by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core.network import NetworkTrace, backward_network, forward_network
from rnnviz.models import Loaded, load

FOLDER = Path(__file__).parents[1] / "reference"


def golden(name: str) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"models_{name}.npz") as file:
        return dict(file)


def beginning(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def columns(values: np.ndarray) -> np.ndarray:
    """(B, T, F) as (T, F, B)."""
    return np.ascontiguousarray(values.transpose(1, 2, 0))


def rows(values: np.ndarray) -> np.ndarray:
    """(T, F, B) as (B, T, F)."""
    return values.transpose(2, 0, 1)


def replayed(loaded: Loaded, arrays: dict[str, np.ndarray]) -> NetworkTrace:
    """The loss of the golden arrays: Σ direct · output + Σ of all last states."""
    kinds = [name for name in "hc" if f"{name}_n" in arrays]
    states = [[state.T for state in arrays[f"{name}0"]] for name in kinds]
    record = forward_network(loaded.network, loaded.params, columns(arrays["x"]), *states)
    ends: list[Any] = []
    for state in states:
        ends.append([np.zeros((len(record.y), *s.shape)) for s in state])
        for end in ends[-1]:
            end[-1] = 1
    return backward_network(record, columns(arrays["direct"]), *ends)


def expected_gradients(grads: dict[str, np.ndarray], **options: Any) -> dict[str, np.ndarray]:
    """PyTorch's gradients in our names: they are arranged as the weights are. Its two biases have
    the same gradient where they are added, so that of the second counts in a GRU's candidate."""
    given = dict(grads)
    for name, value in grads.items():
        if "bias_hh" in name:
            H = grads[name.replace("bias_hh", "weight_hh")].shape[1]
            given[name] = value.copy()
            given[name][: 2 * H if len(value) == 3 * H else None] = 0
    return load(given, **options).params
