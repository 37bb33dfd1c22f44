"""One thing that was found, and where the lines are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LEFT_LOG10 = -3.0
"""Decades: an error of which less than a thousandth arrives has vanished."""
GROWN_LOG10 = 3.0
"""Decades: one that has become a thousand times as large has exploded."""
MOSTLY = 0.95
"""Share of steps and sequences at which a unit is saturated, or of a sum, that counts as all."""
HALF = 0.5
"""Share of units from which on it is said that units are saturated or dead."""
HALVINGS = -LEFT_LOG10 / math.log10(2)
"""How many half-lives leave that share."""
E_FOLD_LOG10 = -0.4342944819032518

CHOSEN = "a choice of rnnviz, not calibrated yet"
SOURCES = {
    "vanishing": CHOSEN,
    "exploding": f"{CHOSEN}; Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063",
    "closed_memory": "f^lag = 1/1000 of a constant gate; Tallec, Ollivier 2018, arXiv:1804.11188",
    "biases": "as closed_memory",
    "recent_only": CHOSEN,
    "saturated": f"{CHOSEN}; 0.1 and 0.9: Karpathy, Johnson, Fei-Fei 2015, arXiv:1506.02078",
    "dead": CHOSEN,
    "clipped": CHOSEN,
    "refilled": "arithmetic",
    "padded": CHOSEN,
    "too_short": "arithmetic",
    "truncated": "arithmetic",
    "precision": "IEEE 754, the true value rounded once",
    "data_lag": "the largest of 99 permutations",
    "no_data_lag": "the largest of 99 permutations",
    "horizon": "1/e",
    "horizon_beyond": "1/e",
    "not_finite": "IEEE 754",
    "overflow": "IEEE 754",
    "gradient_not_finite": "IEEE 754",
    "no_gradient": "arithmetic",
}
"""Kind of finding -> where its threshold comes from."""
SURE = ("certain", "likely", "possible")


@dataclass(frozen=True)
class Finding:
    """Something to be said of a run.

    kind: one of `SOURCES`. label: of which network. layer, direction: counted from 0, None for the
    whole network. number: what was measured, threshold: from where on it is a finding, NaN for
    none. sure: one of `SURE`. serious: whether it stands in the way of learning. change: code, ""
    for none. values: more numbers and names, for the words.
    """

    kind: str
    label: str
    number: float
    threshold: float
    sure: str
    serious: bool
    layer: int | None = None
    direction: int = 0
    change: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Where the threshold comes from."""
        return SOURCES[self.kind]
