"""Inputs and outputs as the framework computed them tell which reading of weights is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.layouts import turned
from rnnviz.core.network import Network, forward_network
from rnnviz.core.numerics import Array
from rnnviz.models.widening import as_array, numbers

TOLERANCES = {"bfloat16": 3e-2, "float16": 5e-3, "float32": 2e-5, "float64": 1e-9}
"""The largest difference from outputs, of at most about 1, that rounding in a type explains."""

ROUNDINGS = {"bfloat16": 2**-8, "float16": 2**-11, "float32": 2**-24, "float64": 2**-53}
"""What rounding to a type moves a number by, at most, of itself."""

Tried = tuple[str, Network, dict[str, Array]]


def settle(tried: Sequence[Tried], reference: tuple[Any, Any], axes: str) -> tuple[int, str]:
    """The index of the network that gives h from x, and what to say of it. The first stands for
    what names say: it is taken if it fits, else the only other one that does.

    reference: what the first layer reads and the last layer's h, at all steps or (one axis fewer)
    the last, laid out as axes says. Raises ValueError with the differences where none of them fits,
    and where several others do.
    """
    if not isinstance(reference, tuple | list) or len(reference) != 2:
        raise ValueError(f"reference must be (x, h), got {reference!r:.80}")
    x, h = (numbers(n, v)[0] for n, v in zip(("x", "h"), reference, strict=True))
    kinds = {as_array("h", reference[1])[1], *(str(p.dtype) for p in tried[0][2].values())}
    kind = max(kinds & TOLERANCES.keys(), key=TOLERANCES.__getitem__, default="float64")
    x = turned("reference x", x, axes)
    if h.ndim == 3 or axes != "tdb":
        h = h.T if h.ndim == 2 else turned("reference h", h, axes)
    off = [_difference(network, params, x, h) for _, network, params in tried]
    bound = TOLERANCES[kind] * max(1.0, float(np.abs(h).max()))
    bound = max(bound, ROUNDINGS[kind] * _added(tried[0][2], x))
    fitting = [k for k, difference in enumerate(off) if difference <= bound]
    if 0 in fitting or len(fitting) == 1:
        which = 0 if 0 in fitting else fitting[0]
        said = f"reproduces the reference to {off[which]:.1e} with {tried[which][0]}"
        said += f", and not with {tried[0][0]}" * (which > 0)
        also = ", ".join(tried[k][0] for k in fitting if k != which)
        return which, said + f"; it does not tell this from {also}" * bool(also)
    said = "; ".join(f"{tried[k][0]}: {off[k]:.2g}" for k in (fitting or range(len(tried))))
    if fitting:
        raise ValueError(f"the reference must tell the readings apart, it fits {said}")
    raise ValueError(f"the reference must be reproduced to {bound:.1e}, the largest differences "
                     f"are {said}")  # fmt: skip


def _added(params: Mapping[str, Array], x: Array) -> float:
    """The largest sum of sizes that the inputs add to a gate of the first layer: rounding moves it
    by its share of that. 0 of tokens."""
    if x.ndim < 3:
        return 0.0
    W = np.abs(params["0.forward.W_xh"])
    return float((W @ np.abs(x)).max()) if W.shape[1] == x.shape[1] else 0.0


def _difference(network: Network, params: dict[str, Array], x: Array, wanted: Array) -> float:
    """The largest difference of the last layer's output."""
    y = forward_network(network, params, x).y
    found = y if wanted.ndim == 3 else y[-1]
    wanted = checks.array("reference h", wanted, found.shape)
    return float(np.abs(found - wanted).max())
