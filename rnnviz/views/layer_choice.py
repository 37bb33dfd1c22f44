"""Which layer and direction of each model is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rnnviz.analysis.layers import LayerTrace, layer_traces
from rnnviz.core.network import NetworkTrace
from rnnviz.plots import theme
from rnnviz.wording.lists import names as listed
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, texts

ALL = "all"
DIRECTIONS = ("forward", "backward")
Parts = Mapping[str, tuple[LayerTrace, ...]]
"""A model's label -> its layers, the input's first, each in its directions."""


@dataclass(frozen=True)
class LayerChoice:
    """What there is to choose from in some models, and what is chosen: a name in `layers` ("all",
    "1" for the input's, ...), one in `directions`."""

    layers: tuple[str, ...]
    directions: tuple[str, ...]
    layer: str
    direction: str

    @property
    def number(self) -> int:
        """The layer, counted from 1; 0 for all."""
        return 0 if self.layer == ALL else int(self.layer)

    @property
    def backward(self) -> int:
        """0 for the direction that reads forward, 1 for the one that reads from the end."""
        return DIRECTIONS.index(self.direction)

    @property
    def has_alternatives(self) -> bool:
        return len(self.layers) > 1 or len(self.directions) > 1


def parts_of(run: Mapping[str, NetworkTrace]) -> Parts:
    """Every layer and direction of every model."""
    return {str(label): layer_traces(trace, str(label)) for label, trace in run.items()}


def choose(
    parts: Parts, labels: Iterable[str], layer: str = "", direction: str = "", every: bool = True
) -> LayerChoice:
    """The wanted layer and direction, as far as these models have them; else the first (all
    layers, if `every` offers that) or, of single layers, the last one."""
    found = [part for label in labels for part in parts[label]]
    deepest, most = max(p.layer for p in found), max(p.direction for p in found)
    numbers = tuple(str(k) for k in range(1, deepest + 1))
    layers = (ALL, *numbers) if every and deepest > 1 else numbers
    directions = DIRECTIONS[: most + 1]
    return LayerChoice(
        layers,
        directions,
        layer if layer in layers else layers[0] if every else layers[-1],
        direction if direction in directions else directions[0],
    )


def in_front(parts: Parts, chosen: LayerChoice) -> tuple[LayerTrace, ...]:
    """Of each model that has the direction, the chosen layer; the last one where all are shown or
    the model has fewer."""
    found = (in_direction(each, chosen) for each in parts.values())
    return tuple(
        each[-1] if not chosen.number else each[min(chosen.number, len(each)) - 1]
        for each in found
        if each
    )


def behind(parts: Parts, chosen: LayerChoice) -> tuple[LayerTrace, ...]:
    """The other layers of these models, where all are shown."""
    if chosen.number:
        return ()
    return tuple(part for each in parts.values() for part in in_direction(each, chosen)[:-1])


def in_direction(parts: Sequence[LayerTrace], chosen: LayerChoice) -> list[LayerTrace]:
    """The layers of one model that read in the chosen direction, the input's first."""
    return [part for part in parts if part.direction == chosen.backward]


def styles_of(parts: Parts, faint: Sequence[LayerTrace] = ()) -> dict[str, theme.Style]:
    """The style of every model and every layer; thin where it stands behind."""
    labels = [part.label for each in parts.values() for part in each]
    thin = {part.label for part in faint}
    styles = theme.model_styles([*parts, *labels])
    return {label: replace(style, faint=label in thin) for label, style in styles.items()}


def without_direction(parts: Parts, chosen: LayerChoice) -> str:
    """Which models are not shown because they read in the other direction alone; "" if none."""
    names = [display_name(label) for label, p in parts.items() if not in_direction(p, chosen)]
    return fill(texts("layout")["one_direction"], names=listed(names)) if names else ""


def in_own_order(parts: Iterable[LayerTrace]) -> bool:
    """Whether steps are the layers' own: they read padded sequences from their ends."""
    return any(p.direction == 1 and p.trace.lengths is not None for p in parts)


def single(
    parts: Parts, label: str, layer: str = "", direction: str = ""
) -> tuple[LayerTrace, LayerChoice]:
    """One layer and direction of one model: the wanted one, or the last layer, forward; of the
    first model where there is none with this label."""
    label = label if label in parts else next(iter(parts))
    chosen = choose(parts, [label], layer, direction, every=False)
    return in_direction(parts[label], chosen)[chosen.number - 1], chosen
