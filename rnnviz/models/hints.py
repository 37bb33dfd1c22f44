"""What a file says of its layers beside their weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rnnviz.experiment.npz import shown
from rnnviz.models.endings import NOTHING_KNOWN, Ending


@dataclass(frozen=True)
class Hints:
    """prefix: the names of the layers that stand upon each other, None where the file does not say
    it. options: name of a layer -> options of `load` as the file has them, such as {"reset":
    "after"}. upon: name of any layer -> the recurrent one whose output it reads, "" for none;
    nothing where the file does not say it. tables: likewise, the embedding whose rows a recurrent
    one reads. unread: names of arrays that the file has besides. zeros: those of biases that it
    does not have, for which there are zeros. endings: name of a layer -> what becomes of what it
    puts out, where the file says it. notes: what else is to be said of what is not read."""

    prefix: tuple[str, ...] | None = None
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    upon: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    zeros: frozenset[str] = frozenset()
    endings: Mapping[str, Ending] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, layers: Sequence[str]) -> dict[str, str]:
        """The options of layers upon each other, by the names before their arrays'. What is read is
        the last layer's output. Raises ValueError where they differ in anything else, and where the
        file has something else between them."""
        said: dict[str, str] = {}
        for layer in layers:
            own = self.options.get(_known(layer, self.options) or "", {})
            for name, value in own.items():
                if name != "reads" and said.get(name, value) != value:
                    raise ValueError(f"{name} must be the same in all layers, got {said[name]} and "
                                     f"{value}")  # fmt: skip
            said |= own
        for below, layer in pairwise(layers):
            if not self.stands(layer, below):
                raise ValueError(f"layers must stand upon each other in the file as in prefix, got "
                                 f"{shown(layer)} after {shown(below)}")  # fmt: skip
        return said

    def stands(self, layer: str, below: str) -> bool:
        """Whether a layer may read another's output, by the names before their arrays': not where
        the file says that it reads something else."""
        above, under = _known(layer, self.upon), _known(below, self.upon)
        return above is None or under is None or self.upon[above] == under

    def ending(self, layer: str) -> Ending:
        """What becomes of what a layer puts out, by the name before its arrays'."""
        return self.endings.get(_known(layer, self.endings) or "", NOTHING_KNOWN)

    def looks_up(self, layer: str, table: str) -> bool:
        """Whether a layer may read rows of a table, by the names before their arrays'."""
        place = _known(layer, self.tables)
        return place is None or self.tables[place] in table.split("/")


def _known(where: str, names: Collection[str]) -> str | None:
    """Which of some layers has the arrays whose names begin with this."""
    return next((name for name in (where, *where.split("/")) if name in names), None)


def upon(
    read: Mapping[str, str], recurrent: Collection[str], through: Collection[str]
) -> dict[str, str]:
    """Which recurrent layer each layer stands upon, "" for none.

    read: name of a layer -> that of the one that it reads, "" for none. through: the layers that
    leave what they are given as it is.
    """
    ends, known = dict[str, str](), {*recurrent}
    for below in read.values():
        way = dict[str, None]()
        while below in through and below not in way and below not in ends:
            way[below] = None
            below = read.get(below, "")
        ends |= dict.fromkeys(way, ends.get(below, below))
    stands = {name: ends.get(below, below) for name, below in read.items()}
    return {name: below if below in known else "" for name, below in stands.items()}


def chain(recurrent: Sequence[str], stands: Mapping[str, str]) -> tuple[str, ...] | None:
    """All recurrent layers, each upon the one before it; None where they are none such."""
    first = [name for name in recurrent if not stands.get(name)]
    above = {stands[name]: name for name in recurrent if stands.get(name)}
    if len(first) != 1:
        return None
    stack = first
    while (following := above.get(stack[-1])) is not None:
        stack.append(following)
    return tuple(stack) if len(stack) == len(recurrent) else None
