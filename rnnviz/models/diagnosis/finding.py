"""One thing that was found, and where the lines are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LEFT_LOG10 = -3.6
"""Decades: an error of which less than 1 part in 4,000 arrives has vanished."""
GROWN_LOG10 = 1.6
"""Decades: one that has become 40 times as large has exploded. Of 37 kinds of networks that had
learned their task none did, of 63 others 2 did, up to 57 times."""
MOSTLY = 0.95
"""Share of steps and sequences at which a unit is saturated that counts as all."""
HALF = 0.5
"""Share of units that are dead, of sequences that are padded, from which on it is said."""
STUCK, SHUT, FLAT = 0.8, 0.02, 0.999
"""Share of saturated units from which on it is said; a gate below the second is shut, a tanh beyond
the third is flat."""
CLIPPED = 2.0
"""Usual norm over the limit from which on clipping is said to shorten the steps."""
SPANNED = 0.6
"""Share of the lag below which a window is seriously too short: errors that do not reach the lag
may still do for a network that keeps what it was given by chance."""
HALVINGS = -LEFT_LOG10 / math.log10(2)
"""How many half-lives leave that share."""
E_FOLD_LOG10 = -0.4342944819032518

CHOSEN = "a choice of rnnviz"
TUNED = "tuned on 184 trained configurations, tried on 240 others: see tests/diagnosis"
TRIED = "tried on 240 configurations: see tests/diagnosis"
SOURCES = {
    "vanishing": TUNED,
    "exploding": f"{TUNED}; Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063",
    "closed_memory": f"f^lag of a constant gate is what vanishing has, {TUNED}; Tallec, Ollivier "
    "2018, arXiv:1804.11188",
    "biases": f"as a closed gate, {TUNED}",
    "recent_only": CHOSEN,
    "saturated": TUNED,
    "dead": f"{CHOSEN}; {TRIED}",
    "clipped": TUNED,
    "refilled": "arithmetic",
    "padded": f"{CHOSEN}; {TRIED}",
    "too_short": "arithmetic",
    "truncated": f"arithmetic; serious below {SPANNED:g} of the lag, {TUNED}",
    "precision": "IEEE 754, the true value rounded once",
    "data_lag": "the largest of 99 permutations",
    "no_data_lag": "the largest of 99 permutations",
    "horizon": "1/e",
    "horizon_beyond": "1/e",
    "not_finite": "IEEE 754",
    "overflow": "IEEE 754",
    "gradient_not_finite": "IEEE 754",
    "no_gradient": "arithmetic",
    "exact_fit": "arithmetic",
    "apart": "arithmetic",
}
"""Kind of finding -> where its threshold comes from."""
OF_ALL = frozenset({"too_short", "truncated", "vanishing", "closed_memory", "biases", "recent_only",
                    "horizon", "horizon_beyond", "no_gradient"})  # fmt: skip
"""Kinds that say something of a whole sequence, and nothing where a part of it alone was seen."""
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
    def hinders(self) -> bool:
        """Whether the gradient over the lag is not what it should be: what is serious, a window
        that ends before the lag, also where that may still do, where there is no gradient, and
        where a part of the sequence alone was seen."""
        return self.serious or self.kind in ("truncated", "exact_fit", "apart")

    @property
    def source(self) -> str:
        """Where the threshold comes from."""
        return SOURCES[self.kind]
