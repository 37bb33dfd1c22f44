"""What a file says of its layers beside their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Hints:
    """prefix: the names of the layers that stand upon each other, None where the file does not say
    it. options: name of a layer -> options of `load` as the file has them, such as {"reset":
    "after"}."""

    prefix: tuple[str, ...] | None = None
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, layers: Sequence[str]) -> dict[str, str]:
        """The options of layers upon each other, by the names before their arrays'. What is read is
        the last layer's output. Raises ValueError where they differ in anything else."""
        said: dict[str, str] = {}
        for layer in layers:
            names = {layer, *layer.split("/")}
            own = {
                k: v for n, given in self.options.items() if n in names for k, v in given.items()
            }
            for name, value in own.items():
                if name != "reads" and said.get(name, value) != value:
                    raise ValueError(f"{name} must be the same in all layers, got {said[name]} and "
                                     f"{value}")  # fmt: skip
            said |= own
        return said
