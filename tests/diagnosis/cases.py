"""What is tried: a network, a task that it must remember something for, and what may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnnviz.core import GRU, LSTM, RNN
from rnnviz.core.network import Network
from rnnviz.tasks import Batch, DelayedRecall, TemporalOrder
from rnnviz.tasks.batch import lengths_mask, stream
from tests.diagnosis.changing import Setup

CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
HEALTHY = "healthy"


@dataclass(frozen=True)
class Case:
    """One configuration.

    kind: the finding that is wanted, or "healthy". task: "recall" (8 symbols, the first step),
    "order" (two symbols of two, which and in which order), "marked" (the sign at a marked step).
    lag: how far back it must remember. init, of the weights: arguments of `init_params`. gates:
    gate -> its bias. offset, scale: x is scale · x + offset. cut, window: see `Setup`. pad: steps
    that sequences of 5 to T are padded to, undeclared. missing: share of inputs that are NaN.
    steps: how many training steps it has.
    """

    name: str
    kind: str
    task: str
    seq_len: int
    lag: int
    cell: str
    hidden_size: int
    seed: int
    activation: str = "tanh"
    init: Mapping[str, Any] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.3
    offset: float = 0.0
    scale: float = 1.0
    optimizer: str = "adam"
    learning_rate: float = 0.01
    clip: float | None = None
    window: int = 0
    cut: int = 0
    pad: int = 0
    missing: float = 0.0
    dtype: str = "float64"
    steps: int = 450

    def batch(self, seed: int, size: int, first: int) -> Batch:
        """Sequences as the script reads them, before anything is done to them."""
        batch = TASKS[self.task](self, seed, size, first)
        x = self.scale * batch.x + self.offset
        if self.pad:
            return padded(replace(batch, x=x), self.pad, seed, first)
        if self.missing:
            rng = stream(seed, "direction", first)
            x[rng.random(x.shape) < self.missing] = np.nan
        return replace(batch, x=x)

    def setup(self, seed: int) -> Setup:
        """The network and how it is trained, before any change."""
        like = self.batch(seed, 1, 0)
        options = {"activation": self.activation} if self.cell == "rnn" else {}
        cell = CELLS[self.cell](like.input_size, self.hidden_size, **options)
        network = Network((cell,), like.output_size)
        rng = np.random.default_rng([seed, 0])
        params = network.init_params(rng, dtype=np.dtype(self.dtype).type, **self.init)
        for gate, value in self.gates.items():
            params["0.forward.b_h"][cell.gate_rows(gate)] = value
        return Setup(network, params, self.clip, self.window, self.cut)


def recall(case: Case, seed: int, size: int, first: int) -> Batch:
    return DelayedRecall(case.noise).batch(seed, case.seq_len, size, "last", first)


def order(case: Case, seed: int, size: int, first: int) -> Batch:
    batch = TemporalOrder().batch(seed, case.seq_len, size, "last", first)
    columns = np.eye(batch.input_size)[batch.x].transpose(0, 2, 1)
    return replace(batch, x=columns)


def marked(case: Case, seed: int, size: int, first: int) -> Batch:
    """x (T, 2, B): signs, and a mark in the first fifth; the answer is the sign there."""
    like = DelayedRecall(0.0).batch(seed, case.seq_len, size, "last", first)
    x = np.zeros((case.seq_len, 2, size))
    answers = np.empty(size, np.int64)
    for b in range(size):
        rng = stream(seed, "sequences", first + b)
        x[:, 0, b] = np.sign(rng.standard_normal(case.seq_len)) * case.noise
        place = rng.integers(max(1, case.seq_len // 5))
        answers[b] = rng.integers(2)
        x[place, :, b] = 2 * answers[b] - 1, 1
    return replace(like, x=x, target=np.tile(answers, (case.seq_len, 1)), input_size=2,
                   output_size=2, labels=(), clue_steps=())  # fmt: skip


TASKS = {"recall": recall, "order": order, "marked": marked}


def lag_of(task: str, seq_len: int) -> int:
    """The longest that an answer must be remembered."""
    return seq_len - 1 - (int(seq_len / 10) if task == "order" else 0)


def padded(batch: Batch, pad: int, seed: int, first: int) -> Batch:
    """The batch with sequences of 5 steps to T, zeros up to `pad` after them; the loss reads the
    state there, and nobody says so: `declared` does."""
    T, _, B = batch.x.shape
    lengths = np.array([stream(seed, "direction", first + b).integers(5, T + 1) for b in range(B)])
    x = np.zeros((pad, *batch.x.shape[1:]))
    x[:T] = np.where(np.arange(T)[:, None, None] < lengths, batch.x, 0)
    target = np.tile(batch.target[-1], (pad, 1))
    mask = lengths_mask(np.full(B, pad), pad, "last").astype(float)
    return replace(batch, x=x, target=target, mask=mask, lengths=np.full(B, pad),
                   note=" ".join(map(str, lengths)))  # fmt: skip


def declared(batch: Batch) -> Batch:
    """A padded batch whose lengths are said, so that the loss reads where each sequence ends."""
    lengths = np.array(batch.note.split(), np.int64)
    mask = lengths_mask(lengths, batch.seq_len, "last").astype(float)
    return replace(batch, mask=mask, lengths=lengths)


def shortened(batch: Batch, cut: int) -> Batch:
    """The last steps alone."""
    last = {name: getattr(batch, name)[-cut:].copy() for name in ("x", "target", "mask")}
    size = np.full(batch.batch_size, len(last["x"]))
    return replace(batch, **last, lengths=size, clue_steps=())
