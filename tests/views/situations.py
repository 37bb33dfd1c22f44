"""Experiments that are hard on a page: extremes, overflows, every task, variant and initializer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnviz import PRESETS, Experiment
from rnnviz.core import CELLS
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.initializers import INITIALIZERS
from rnnviz.core.network import Network, run_network
from rnnviz.experiment import Run
from rnnviz.tasks import TASKS, Batch

SIX = ("rnn", "lstm", "gru", "lstm:forget_bias=0", "gru:update_bias=0", "rnn:activation=relu")
RNN = ("rnn",)


def small(**changes: Any) -> Experiment:
    return Experiment(**{"hidden_size": 12, "seq_len": 40, "batch_size": 4, **changes})


SITUATIONS: dict[str, Experiment] = {
    "defaults": Experiment(),
    **{f"preset {name}": preset.experiment() for name, preset in PRESETS.items()},
    **{f"{kind} alone": small(models=(kind,)) for kind in ("rnn", "lstm", "gru")},
    "two LSTMs": small(models=("lstm", "lstm:forget_bias=0")),
    "two RNNs": small(models=("rnn", "rnn:gain=1.5,init=orthogonal")),
    "six models": small(models=SIX),
    "no plain model": small(models=SIX[3:]),
    "models of different sizes": small(models=("rnn:hidden_size=1", "lstm:hidden_size=9")),
    "T = 2": small(seq_len=2),
    "T = 2 and a loss at every step": small(seq_len=2, loss_at="every"),
    "T = 3": small(seq_len=3),
    "T = 1000": small(seq_len=1000),
    "H = 1": small(hidden_size=1),
    "H = 2": small(hidden_size=2),
    "H = 200": Experiment(models=("rnn", "gru"), hidden_size=200, seq_len=20),
    "B = 1": small(batch_size=1),
    "all ones": Experiment(seq_len=2, hidden_size=1, batch_size=1),
    "least gain": small(gain=0.01),
    "greatest gain": small(gain=16.0),
    "no memory": small(memory_bias=-10.0),
    "all memory": small(memory_bias=10.0),
    "no input": small(input_scale=0.0, distractor=0.0),
    "ReLU overflows": small(activation="relu", gain=16.0, seq_len=300, init="identity"),
    "ReLU dies": small(activation="relu", gain=0.01, init="gaussian"),
    "identity overflows": small(activation="identity", gain=16.0, seq_len=300),
    "identity overflows in float32": small(activation="identity", gain=16.0, dtype="float32"),
    "every model overflows": small(
        models=RNN, activation="relu", gain=16.0, seq_len=700, init="identity"
    ),
    "rounded to zero": small(models=RNN, activation="identity", gain=0.01, seq_len=300),
    "float32": small(dtype="float32"),
    "float32 and a loss at every step": small(dtype="float32", loss_at="every"),
    "loss at every step": small(loss_at="every"),
    "equal parameters": small(match="parameters"),
    "chrono": small(gate_init="chrono"),
    "two layers": small(layers=2),
    "two layers, both directions": small(layers=2, bidirectional="yes"),
    "both directions, loss at every step": small(bidirectional="yes", loss_at="every"),
    "depths and directions of their own": small(
        models=("rnn:layers=3", "rnn:bidirectional=yes", "lstm", "gru:layers=2,bidirectional=yes")
    ),
    "padded, both directions": small(task="sentiment", bidirectional="yes", layers=2),
    "leak": small(leak=0.1),
    "skip": small(skip=10),
    "skip beyond T": small(skip=100),
    "leak and skip": small(models=("rnn:leak=0.5,skip=3", "lstm:skip=5", "gru:skip=2")),
    **{
        f"variant {kind} {name}": small(models=(f"{kind}:variant={name}",), skip=2)
        for kind, cell in CELLS.items()
        for name in [*cell.VARIANTS][1:]
    },
    "all variants of an idea": small(
        models=("lstm", *(f"lstm:variant={name}" for name in ("cifg", "nig", "nfg", "no_gates")))
    ),
    "the last seed": small(seed=2**31 - 1),
    **{f"task {name}": small(task=name, text="to be or not to be") for name in TASKS},
    **{
        f"task {name}, loss at every step": small(task=name, text="abc", loss_at="every")
        for name in TASKS
    },
    **{f"init {name}": small(init=name) for name in INITIALIZERS},
    **{f"activation {name}": small(activation=name) for name in ACTIVATIONS},
}


def made_by_hand(networks: Mapping[str, Network], seq_len: int, batch_size: int) -> Run:
    """Weights and a batch that no Experiment describes: two inputs, one number at the end."""
    rng, shape = np.random.default_rng(3), (seq_len, 1, batch_size)
    mask = np.zeros((seq_len, batch_size))
    mask[-1] = 1
    batch = Batch(
        x=rng.standard_normal((seq_len, 2, batch_size)),
        target=rng.standard_normal(shape),
        mask=mask,
        loss="squared_error",
        input_size=2,
        output_size=1,
        lengths=np.full(batch_size, seq_len),
    )
    traces = {}
    for label, network in networks.items():
        shapes = network.param_shapes().items()
        params = {name: 0.4 * rng.standard_normal(shape) for name, shape in shapes}
        traces[label] = run_network(network, params, batch)
    return Run(traces, batch)
