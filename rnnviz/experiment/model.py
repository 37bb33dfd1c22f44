"""One model of an experiment: a kind of cell and the settings it has for itself."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rnnviz.core import CELLS
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.checks import ABOVE_0
from rnnviz.core.initializers import INITIALIZERS
from rnnviz.experiment.fields import Field, show

GATE_INITS = ("constant", "chrono")

# The settings of a network; an experiment shares them among its models, a model overrides them.
NETWORK_FIELDS: dict[str, Field] = {
    "hidden_size": Field(64, "int", low=1, most=512, log=True, step=1),
    "init": Field("uniform", "choice", choices=tuple(INITIALIZERS)),
    "gain": Field(1.0, "float", low=0.0, least=0.01, most=16.0, log=True, step=0.01),
    "activation": Field("tanh", "choice", choices=tuple(ACTIVATIONS)),
    "memory_bias": Field(3.0, "float", least=-10.0, most=10.0, step=0.1),
    "gate_init": Field("constant", "choice", choices=GATE_INITS),
    "input_scale": Field(1.0, "float", low=0.0, most=100.0, step=0.1),
    "layers": Field(1, "int", low=1, most=4, step=1),
    "bidirectional": Field("no", "choice", choices=("no", "yes")),
    "leak": Field(1.0, "float", low=ABOVE_0, high=1.0, least=0.01, step=0.01),
    "skip": Field(0, "int", low=0, most=100, step=1),
}
SHARED = ("hidden_size", "init", "gain", "input_scale", "layers", "bidirectional", "skip")


class Model(str):
    """A model is its label: `Model("lstm", forget_bias=0)` equals "lstm:forget_bias=0".

    Overrides beat the experiment's shared settings: hidden_size, init, gain, input_scale, layers,
    bidirectional and skip for every kind; activation and leak for "rnn"; memory_bias and
    gate_init for "lstm" and "gru", where forget_bias (LSTM) and update_bias (GRU) are memory_bias
    by their own names. A bias given here also beats a shared gate_init="chrono". variant is one
    of the cell's `VARIANTS`, such as "lstm:variant=cifg". The label is normalized: fixed order,
    shortest numbers.
    Raises ValueError for an unknown kind, an unknown override or a value not allowed.

    Examples
    --------
    >>> Model("lstm", forget_bias=0)
    'lstm:forget_bias=0'
    >>> Model("lstm:forget_bias=0").kind
    'lstm'
    """

    __slots__ = ("kind", "overrides")

    kind: str
    overrides: tuple[tuple[str, Any], ...]

    def __new__(cls, kind: str, **overrides: Any) -> Model:
        if not isinstance(kind, str):
            raise ValueError(f"model must be a str such as 'lstm', got {kind!r}")
        name, _, rest = kind.partition(":")
        if name not in CELLS:
            raise ValueError(f"model must be one of {', '.join(CELLS)}, got {kind!r}")
        given = {**_pairs(kind, rest), **overrides}
        values = tuple(
            (key, override_field(key, name).check(f"{key} of {name}", given.pop(key)))
            for key in overrides_of(name)
            if key in given
        )
        if given:
            raise ValueError(
                f"overrides of {name} must be among {', '.join(overrides_of(name))}, "
                f"got {', '.join(given)}"
            )
        label = name + ":" * bool(values) + ",".join(f"{key}={show(v)}" for key, v in values)
        self = super().__new__(cls, label)
        self.kind, self.overrides = name, values
        return self

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)

    @property
    def label(self) -> str:
        return str(self)

    def bias(self) -> float | None:
        """The memory bias that this model sets for itself."""
        own = dict(self.overrides)
        return next((own[name] for name in _biases(self.kind) if name in own), None)


def overrides_of(kind: str) -> tuple[str, ...]:
    """What a model of this kind may override, in the order of its label."""
    return own_settings(kind) + SHARED


def own_settings(kind: str) -> tuple[str, ...]:
    """The settings that the cell of this kind declares: its options, its variants, and how the
    bias of its memory gate starts."""
    cell = CELLS[kind]
    variant = ["variant"] if len(cell.VARIANTS) > 1 else []
    memory = [*_biases(kind), "gate_init"] if cell.MEMORY_GATE else []
    return (*cell_options(kind), *variant, *memory)


def cell_options(kind: str) -> tuple[str, ...]:
    """The fields of the cell of this kind that are settings of the same name, such as "leak"."""
    names = [f.name for f in fields(CELLS[kind])]
    return tuple(name for name in names if name in NETWORK_FIELDS and name not in SHARED)


def _biases(kind: str) -> tuple[str, ...]:
    """What the memory gate's bias may be called: first by the cell, then by all."""
    return tuple(dict.fromkeys((CELLS[kind].MEMORY_BIAS, "memory_bias")))


def override_field(name: str, kind: str) -> Field:
    """What an override of this kind of model may be."""
    if name == "variant":
        return Field("plain", "choice", choices=tuple(CELLS[kind].VARIANTS))
    return NETWORK_FIELDS["memory_bias" if name in _biases(kind) else name]


def _pairs(label: str, text: str) -> dict[str, Any]:
    """ "gain=2,init=glorot" as a dict; a value that is no number stays text."""
    pairs: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or key in pairs:
            raise ValueError(f"model must look like 'lstm:forget_bias=0,gain=2', got {label!r}")
        pairs[key] = _value(key, value, label.partition(":")[0])
    return pairs


def _value(key: str, text: str, kind: str) -> Any:
    if key not in overrides_of(kind):
        return text
    try:
        return {"int": int, "float": float}.get(override_field(key, kind).kind, str)(text)
    except ValueError:
        return text
