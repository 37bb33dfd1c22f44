"""What several tests of the core start from."""

from __future__ import annotations

import numpy as np
import pytest

Array = np.ndarray


@pytest.fixture
def candidate() -> tuple[dict[str, Array], Array, Array]:
    """Weights of one block, inputs x (T, D, B) and direct gradients (T, H, B)."""
    T, B, D, H = 12, 3, 2, 5
    rng = np.random.default_rng(4)
    params = {
        "W_xh": rng.standard_normal((H, D)),
        "W_hh": 1.1 * rng.standard_normal((H, H)) / np.sqrt(H),
        "b_h": 0.3 * rng.standard_normal(H),
    }
    return params, rng.standard_normal((T, D, B)), rng.standard_normal((T, H, B))
