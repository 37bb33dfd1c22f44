"""Which named arrays are a recurrent network's, and in which layer and direction."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.experiment.npz import shown
from rnnviz.models.layouts import LAYOUTS
from rnnviz.models.unsaid import Unsaid

NEEDED = {
    "pytorch": {"weight_ih", "weight_hh"},
    "keras": {"kernel", "recurrent_kernel"},
    "onnx": {"W", "R"},
    "tensorflow1": {"kernel"},
    "rnnviz": {"W_xh", "W_hh"},
}
"""The arrays without which there is no layer; a TensorFlow 1 GRU's have names of their own."""
GRU_KERNELS = {"gates/kernel", "candidate/kernel"}
BACKWARD = ("_reverse", "backward", "bw")

Part = dict[str, tuple[str, Any]]
"""One layer and direction: the layout's name of an array -> its whole name here, and the array."""


@dataclass(frozen=True, eq=False)
class Stack:
    """The arrays of a recurrent network by layer and direction, under the names that their layout
    has for them; the names before theirs, and the arrays that are none of them. before: those of
    them that were made before the network, where the arrays' order says it."""

    layout: str
    layers: tuple[tuple[Part, ...], ...]
    names: tuple[str, ...]
    rest: dict[str, Any]
    before: frozenset[str] = frozenset()

    @property
    def where(self) -> str:
        return ", ".join(filter(None, self.names))


Place = tuple[int, int]
Groups = dict[str, dict[Place, Part]]


def find(
    arrays: Mapping[str, Any],
    layout: str | None,
    prefix: str | Sequence[str] | None,
    ordered: bool = False,
    layout_name: str = "layout",
) -> Stack:
    """The recurrent network among named arrays.

    layout: whose names they have; None finds it out. prefix: which of several networks, such as
    "encoder.rnn", or the names of layers that stand upon each other. ordered: whether arrays may be
    in the order in which they were made. layout_name: what errors call the layout.
    Raises ValueError where there is none or several, with the names that there are.
    """
    every = {name: _groups(arrays, name, bare=name == layout) for name in LAYOUTS}
    said = layout or next((name for name, groups in every.items() if groups), None)
    if said is None or not every[said]:
        fitting = [name for name, groups in every.items() if groups]
        message = _unknown(arrays, layout, fitting, layout_name)
        asked = layout is None and bool(arrays)
        raise Unsaid(message, "layout", LAYOUTS) if asked else ValueError(message)
    groups = every[said]
    prefixes = [prefix] if prefix is None or isinstance(prefix, str) else prefix
    if not isinstance(prefixes, list | tuple) or not prefixes:
        raise ValueError(f"prefix must be a name or a list of names, got {prefix!r:.80}")
    chosen = [_choose(groups, one) for one in prefixes]
    layers = [layer for name in chosen for layer in _layers(groups[name], said, name)]
    if len({len(layer) for layer in layers}) > 1:
        raise ValueError(f"all layers must have the same directions, got "
                         f"{', '.join(str(len(layer)) for layer in layers)}")  # fmt: skip
    parts = [part for name in chosen for part in groups[name].values()]
    used = {name for part in parts for name, _ in part.values()}
    rest = {name: array for name, array in arrays.items() if name not in used}
    before = _before(list(arrays), used) if ordered else frozenset()
    return Stack(said, tuple(layers), tuple(chosen), rest, before)


def _before(every: list[str], used: set[str]) -> frozenset[str]:
    """The names that come before the last one that is used; none where those are sorted by name,
    which no framework makes them."""
    own = [name for name in every if name in used]
    if own == sorted(own):
        return frozenset()
    return frozenset(every[: every.index(own[-1])]) - used


def in_order(arrays: Sequence[Any], layout: str, bidirectional: bool) -> Stack:
    """Arrays without names, one layer's or a list of layers: in each the forward direction's
    arrays come first, in the order of `Layout.arrays`."""
    names = LAYOUTS[layout].arrays
    if not arrays:
        raise ValueError(f"a list must hold the arrays of a layer, {', '.join(names)}, got none")
    nested = all(isinstance(each, list | tuple) for each in arrays)
    directions = 2 if bidirectional and layout != "onnx" else 1
    layers = []
    for k, layer in enumerate(arrays if nested else [arrays]):
        count = len(layer) // directions
        if len(layer) % directions or not min(2, len(names)) <= count <= len(names):
            raise ValueError(
                f"a layer of {LAYOUTS[layout].title} must be {', '.join(names)} in each direction, "
                f"got {len(layer)} arrays in {directions}"
            )
        named = [(f"{names[n % count]} of layer {k}", a) for n, a in enumerate(layer)]
        parts = [named[d * count : (d + 1) * count] for d in range(directions)]
        places = {(0, d): dict(zip(names, part, strict=False)) for d, part in enumerate(parts)}
        layers.append(_layers(places, layout, f"layer {k}")[0])
    return Stack(layout, tuple(layers), (), {})


def _groups(arrays: Mapping[str, Any], layout: str, bare: bool = False) -> Groups:
    """Prefix -> (layer, direction) -> arrays, of the groups that have what a layer needs. bare:
    names need no cell's before them, for the caller has said the layout."""
    pattern = re.compile(LAYOUTS[layout].names)
    matches = {name: pattern.fullmatch(name) or (_bare(name, layout) if bare else None)
               for name in arrays}  # fmt: skip
    places = {name: match.groupdict() for name, match in matches.items() if match}
    cells = defaultdict[tuple[Any, ...], set[str | None]](set)
    for at in places.values():
        cells[_place(at)].add(at.get("cell"))
    found: Groups = defaultdict(lambda: defaultdict(dict))
    for name, at in places.items():
        prefix, *place = _place(at)
        several = len(cells[_place(at)]) > 1  # in one place: each is a network of its own
        where = "/".join(filter(None, (prefix, at.get("cell") if several else None)))
        found[where][place[0], place[1]][at["array"]] = name, arrays[name]
    return {name: dict(places) for name, places in found.items()
            if any(_whole(part, layout) for part in places.values())}  # fmt: skip


def _place(at: Mapping[str, Any]) -> tuple[str, int, int]:
    """The name before those of an array's cell, its layer and its direction."""
    return (at.get("prefix") or "", int(at.get("layer") or 0),
            int(at.get("direction") in BACKWARD))  # fmt: skip


def _bare(name: str, layout: str) -> re.Match[str] | None:
    """A name without a cell's before it, where the layout has one."""
    known = "|".join(map(re.escape, (*LAYOUTS[layout].arrays, *GRU_KERNELS, *GRU_BIASES)))
    return re.fullmatch(f"(?P<array>{known})", name) if layout == "tensorflow1" else None


GRU_BIASES = {"gates/bias", "candidate/bias"}


def _whole(part: Part, layout: str) -> bool:
    if layout == "tensorflow1" and "recurrent_kernel" in part:
        return False
    return NEEDED[layout] <= set(part) or (layout == "tensorflow1" and set(part) >= GRU_KERNELS)


def _choose(groups: Groups, prefix: str | None) -> str:
    """The one group that a prefix means."""
    wanted = None if prefix is None else prefix.rstrip("./")
    if wanted in groups:
        return wanted
    fitting = [
        name for name in groups if wanted is None or name.startswith((f"{wanted}.", f"{wanted}/"))
    ]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(shown(name) for name in list(groups)[:20])
    message = (f"prefix must be one of {names} (or several, as layers upon each other), got "
               f"{shown(prefix)}")  # fmt: skip
    raise Unsaid(message, "prefix", groups) if prefix is None else ValueError(message)


def _layers(places: dict[Place, Part], layout: str, name: str) -> list[tuple[Part, ...]]:
    """Layer by layer the arrays of its directions. Raises ValueError for one that is missing."""
    if layout == "onnx":
        places = _split(places)
    count, directions = max(k for k, _ in places) + 1, max(d for _, d in places) + 1
    for place in ((k, d) for k in range(count) for d in range(directions)):
        part = places.get(place, {})
        if "weight_hr" in part or "projection/kernel" in part:
            raise ValueError("proj_size must be 0: an LSTM whose state is projected (weight_hr) is "
                             "not one of the core's cells")  # fmt: skip
        if not _whole(part, layout):
            there = ", ".join(part) or "nothing"
            raise ValueError(
                f"{shown(name)} must have {' and '.join(sorted(NEEDED[layout]))} in layer "
                f"{place[0]}, direction {place[1]}, got {there}"
            )
    return [tuple(places[k, d] for d in range(directions)) for k in range(count)]


def _split(places: dict[Place, Part]) -> dict[Place, Part]:
    """ONNX's arrays, whose first axis is the direction, by direction."""
    found: dict[Place, Part] = {}
    for (layer, _), part in places.items():
        for array, (whole, given) in part.items():
            axes, value = 3 if array in "WR" else 2, np.asarray(given)
            if value.ndim != axes or len(value) not in (1, 2):
                raise ValueError(f"{shown(whole)} must have {axes} axes, the first of 1 or 2 "
                                 f"directions, got {value.shape}")  # fmt: skip
            for d in range(len(value)):
                found.setdefault((layer, d), {})[array] = whole, value[d]
    return found


def cell_of(layout: str, part: Part) -> str:
    """The kind of cell that TensorFlow 1's names of a layer's arrays say: its one kernel does
    not. "" where they do not say it."""
    if layout != "tensorflow1":
        return ""
    if set(part) >= GRU_KERNELS:
        return "gru"
    matches = [re.fullmatch(LAYOUTS[layout].names, name) for name, _ in part.values()]
    cells = {match["cell"] for match in matches if match}
    return next((kind for kind in ("lstm", "rnn") for cell in cells if kind in cell), "")


def _unknown(
    arrays: Mapping[str, Any], layout: str | None, fitting: list[str], layout_name: str
) -> str:
    """What to say of names that no layout, or not the one that was said, has."""
    names = ", ".join(shown(name) for name in list(arrays)[:20]) or "none"
    if layout is not None:
        beside = f"; these are {', '.join(fitting)}'s" if fitting else ""
        wanted = " and ".join(sorted(NEEDED[layout]))
        return f"{layout_name} {layout!r} must have arrays named {wanted}, got {names}{beside}"
    candidates = "; ".join(f"{name}: {', '.join(line.arrays)}" for name, line in LAYOUTS.items())
    return (
        f"names must say whose layout it is ({candidates}), got {names}; hand over a list of the "
        f"arrays in that order, and {layout_name}= as one of these names"
    )


def choose_layout(layout: str | None) -> str:
    """The layout of arrays without names. Raises ValueError where nobody has said it."""
    if layout is None:
        message = (
            f"layout must be said of arrays without names, one of {', '.join(LAYOUTS)}: their "
            "shapes do not tell the order of the gates"
        )
        raise Unsaid(message, "layout", LAYOUTS)
    return checks.choice("layout", layout, LAYOUTS)
