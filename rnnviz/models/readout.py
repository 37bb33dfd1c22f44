"""What stands before and after the recurrent layers of a file: an embedding table, a readout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import shown
from rnnviz.models.endings import Ending
from rnnviz.models.widening import Widening


def with_readout(
    network: Network,
    params: dict[str, Array],
    rest: dict[str, Any],
    given: Any,
    widening: Widening,
    apart: Callable[[str, str], str],
    ending: Callable[[str], Ending],
) -> tuple[Network, dict[str, Array], list[str]]:
    """The network with the readout that is given or named, or the only one that fits; what to
    say of it. What is taken is no longer in rest. apart: says of a name and its weight's why that
    is not taken without being named, "" if it may be. ending: what becomes of what it puts out."""
    pairs = _pairs(rest)
    if isinstance(given, str) and given not in pairs:
        raise ValueError(f"readout must be one of {', '.join(map(shown, pairs)) or 'none'}, got "
                         f"{shown(given)}")  # fmt: skip
    fitting, others = _fitting(pairs, rest, network.output_width, apart if given is None else None)
    none = f"without a readout: y is the output of the last layer, {network.output_width} numbers"
    name = given if isinstance(given, str) else fitting[0] if len(fitting) == 1 else None
    if given is False or (given is None and name is None):
        several = f" ({', '.join(map(shown, fitting))} would fit)" if fitting else ""
        return network, params, [none + several, *others]
    if name is None or not (given is None or isinstance(given, str)):
        (W, b), said = _handed(given, widening), []
    else:
        w, bias, turned = pairs[name]
        W, b = widening(w, rest.pop(w)), widening(bias, rest.pop(bias))
        W = W.T if turned else W
        said = [f"{shown(name)} is read as the readout", *ending(name).note(name), *others]
    if W.ndim != 2 or W.shape[1] != network.output_width or b.shape != W.shape[:1]:
        raise ValueError(f"readout must be W (O, {network.output_width}) and b (O,), got {W.shape} "
                         f"and {b.shape}")  # fmt: skip
    params = {**params, "W_hy": np.ascontiguousarray(W), "b_y": b}
    return replace(network, output_size=len(W)), params, said


def _fitting(
    pairs: dict[str, tuple[str, str, bool]],
    rest: Mapping[str, Any],
    width: int,
    apart: Callable[[str, str], str] | None,
) -> tuple[list[str], list[str]]:
    """The names of those that fit so many numbers and may be taken, and what to say of the others.
    Without `apart` all may be."""
    names = [name for name, (w, _, turned) in pairs.items()
             if np.shape(rest[w])[not turned :][:1] == (width,)]  # fmt: skip
    reasons = {name: apart(name, pairs[name][0]) for name in names} if apart else {}
    others = [f"{shown(name)} is not read as the readout: {why}; readout={shown(name)} takes it"
              for name, why in reasons.items() if why]  # fmt: skip
    return [name for name in names if not reasons.get(name)], others


def _handed(given: Any, widening: Widening) -> tuple[Array, Array]:
    """W and b that are handed over."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ValueError(f"readout must be (W, b), a name or False, got {given!r:.80}")
    W, b = (widening(f"readout[{k}]", value) for k, value in enumerate(given))
    return W, b


def _pairs(rest: Mapping[str, Any]) -> dict[str, tuple[str, str, bool]]:
    """Name -> weight, bias, and whether the weight is (from, to), of what may be a readout:
    matrices, not the kernels of a convolution."""
    found = {}
    for weight in rest:
        for end, bias, turned in ((".weight", ".bias", False), ("/kernel", "/bias", True)):
            number = ":0" * weight.endswith(":0")  # as TensorFlow ends a name
            name = weight.removesuffix(number).removesuffix(end)
            beside = name + bias + number
            recurrent = f"{name}/recurrent_kernel{number}" in rest  # another network's own
            if not weight.endswith(end + number) or beside not in rest or recurrent:
                continue
            if (np.ndim(rest[weight]), np.ndim(rest[beside])) == (2, 1):
                found[name] = weight, beside, turned
    if "W_hy" in rest and "b_y" in rest:
        found["W_hy"] = "W_hy", "b_y", False
    return found


def embedding_table(
    rest: dict[str, Any],
    given: Any,
    input_size: int,
    widening: Widening,
    looked_up: Callable[[str], bool],
) -> tuple[Array | None, list[str]]:
    """The embedding table (V, D) that is given or named, or the only one by its name. looked_up:
    whether the network may read the rows of a name's array."""
    if given is False:
        return None, []
    name = given if isinstance(given, str) else None
    if name is not None and name not in rest and f"{name}.weight" in rest:
        name = f"{name}.weight"
    if name is not None and name not in rest:
        raise ValueError(f"embedding must be one of {', '.join(map(shown, rest)) or 'none'}, got "
                         f"{shown(given)}")  # fmt: skip
    if given is None:
        fitting = [n for n, a in rest.items() if "emb" in n.lower() and np.ndim(a) == 2
                   and np.shape(a)[1] == input_size and looked_up(n)]  # fmt: skip
        if len(fitting) != 1:
            return None, []
        name = fitting[0]
    table = widening("embedding", given) if name is None else widening(name, rest.pop(name))
    if table.ndim != 2 or table.shape[1] != input_size:
        raise ValueError(f"embedding must have shape (V, {input_size}), got {table.shape}")
    return table, [] if name is None else [f"{shown(name)} is read as the embedding"]
