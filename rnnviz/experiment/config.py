"""A frozen description of a run."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from rnnviz.core.checks import ABOVE_0
from rnnviz.experiment.fields import Field, knob
from rnnviz.experiment.model import NETWORK_FIELDS, Model
from rnnviz.tasks import LOSS_AT, TASKS
from rnnviz.tasks.text import MAX_CHARACTERS
from rnnviz.training import CLIPS, OPTIMIZERS

MAX_MODELS = 6
MATCHES = ("hidden_size", "parameters")
DTYPES = ("float64", "float32")


def _network(name: str) -> Any:
    known = NETWORK_FIELDS[name]
    return knob(**{f.name: getattr(known, f.name) for f in fields(known)})


@dataclass(frozen=True)
class Experiment:
    """Some models, one task, one batch, one seed. Each field's range is in `FIELDS`; whether a run
    is affordable, `estimate` and `check_size` tell.

    models: labels or `Model`s, 1 to 6. Every model sees the same task, batch and seed.
    gain scales W_hh (of gated cells each H × H block); memory_bias is the LSTM's b_f and the
    GRU's b_z; gate_init="chrono" draws them for time scales up to seq_len instead. distractor
    is the amplitude of delayed recall's noise, text what the task "text" reads.
    match="parameters" gives every model about as many parameters as the first one.
    layers: recurrent layers upon each other; bidirectional="yes" gives each a second cell that
    reads from the end. skip: h_{t−skip} also enters the step to h_t; 0 and 1 add nothing, for
    W_hh acts on h_{t−1} already. leak: of the RNN alone.
    train_steps: how long the models are trained before they are run, with optimizer,
    learning_rate, clip ("norm" and "value" limit at clip_at), window and stride (backpropagation
    truncated after `window` steps, every `stride` steps; window=0 is the full one, stride=0 means
    the window).
    Raises ValueError naming the field, what came and what is allowed.

    Examples
    --------
    >>> Experiment(gain=1.5, seq_len=50).models
    ('rnn', 'lstm', 'gru')
    >>> Experiment(gain=-1)
    Traceback (most recent call last):
        ...
    ValueError: gain must be a finite number from 0, got -1
    """

    models: tuple[Model, ...] = knob(
        (Model("rnn"), Model("lstm"), Model("gru")), "models", low=1, high=MAX_MODELS
    )
    task: str = knob("delayed_recall", "choice", choices=tuple(TASKS))
    seq_len: int = knob(100, "int", low=2, most=2000, log=True, step=1)
    hidden_size: int = _network("hidden_size")
    batch_size: int = knob(16, "int", low=1, most=256, log=True, step=1)
    init: str = _network("init")
    gain: float = _network("gain")
    activation: str = _network("activation")
    memory_bias: float = _network("memory_bias")
    gate_init: str = _network("gate_init")
    input_scale: float = _network("input_scale")
    layers: int = _network("layers")
    bidirectional: str = _network("bidirectional")
    leak: float = _network("leak")
    skip: int = _network("skip")
    distractor: float = knob(1.0, "float", low=0.0, most=10.0, step=0.1)
    loss_at: str = knob("last", "choice", choices=LOSS_AT)
    seed: int = knob(0, "int", low=0, high=2**31 - 1, step=1)
    dtype: str = knob("float64", "choice", choices=DTYPES)
    text: str = knob("", "text", low=0, high=MAX_CHARACTERS)
    match: str = knob("hidden_size", "choice", choices=MATCHES)
    optimizer: str = knob("adam", "choice", choices=tuple(OPTIMIZERS))
    learning_rate: float = knob(1e-3, "float", low=0.0, least=1e-6, most=10.0, log=True)
    clip: str = knob("none", "choice", choices=tuple(CLIPS))
    clip_at: float = knob(1.0, "float", low=ABOVE_0, least=1e-3, most=1e3, log=True, step=0.1)
    window: int = knob(0, "int", low=0, most=2000, step=1)
    stride: int = knob(0, "int", low=0, most=2000, step=1)
    train_steps: int = knob(0, "int", low=0, most=20_000, step=1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", _models(self.models))
        for name, known in FIELDS.items():
            value = getattr(self, name)
            if known.kind != "models" and value is not known.default:
                object.__setattr__(self, name, known.check(name, value))


FIELDS: dict[str, Field] = {
    f.name: replace(f.metadata["field"], url=f.name) for f in fields(Experiment)
}


def _models(given: Any) -> tuple[Model, ...]:
    """Labels as different `Model`s."""
    if isinstance(given, str) or not isinstance(given, tuple | list):
        raise ValueError(f"models must be a tuple of labels such as ('rnn', 'lstm'), got {given!r}")
    models = tuple(Model(model) for model in given)
    if not 1 <= len(models) <= MAX_MODELS:
        raise ValueError(f"models must be 1 to {MAX_MODELS} labels, got {len(models)}")
    if len(set(models)) < len(models):
        raise ValueError(f"models must be different, got {', '.join(models)}")
    return models
