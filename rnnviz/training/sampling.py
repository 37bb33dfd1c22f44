"""Let a network write: one symbol after another, each read back as the next input, from a prompt to
the end of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.bptt import unroll
from rnnviz.core.cell import Cell
from rnnviz.core.layers import of_cell
from rnnviz.core.network import Network, forward_network
from rnnviz.core.numerics import Array
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import END, START

Params = dict[str, Any]

CHARACTERS, WORDS, CAPTION = 80, 24, 6
"""Symbols of a sample, by what a symbol is, and of a name."""
GIVEN = 3
"""Symbols that a network is given to begin with, at most."""
TEMPERATURE = 0.7


@dataclass(frozen=True, eq=False)
class Position:
    """Where a network is in one sequence: what it needs to go on, so that a long sequence costs
    no more per symbol than a short one.

    h[l] (H, 1), or (d, H, 1) with a skip of d steps, and c[l] (H, 1) or None are layer l's states;
    y (O,) is the answer after the last symbol, None before the first.
    """

    h: tuple[Array, ...]
    c: tuple[Array | None, ...]
    y: Array | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """What was drawn: ids, each one's probability when it was drawn, and the position after
    all of them (`stop`, which ends a sample, is an id of it but is not read)."""

    ids: tuple[int, ...]
    probabilities: tuple[float, ...]
    position: Position


def begin(network: Network, params: dict[str, Any], context: Any = None) -> Position:
    """The position before the first symbol: zero states, the first layer's h = W_vh v with a
    context v (V,). Raises ValueError for a network that cannot be sampled from: one with a
    backward direction, which would have to know the future, or whose answers are no inputs."""
    if network.bidirectional:
        raise ValueError("network must not be bidirectional: what follows is not known yet")
    if network.output_size != network.cells[0].input_size:
        raise ValueError(
            f"output_size must be the input size {network.cells[0].input_size}, for answers are "
            f"read back, got {network.output_size}"
        )
    weights = checks.params(params, network.param_shapes())
    dtype = np.result_type(*weights.values())
    h = [np.zeros((*([cell.skip] if cell.skip else []), cell.hidden_size, 1), dtype)
         for cell in network.cells]  # fmt: skip
    if network.context_size:
        v = checks.array("context", context, (network.context_size,))
        h[0].reshape(-1, h[0].shape[-2])[-1] = weights["W_vh"] @ v
    elif context is not None:
        raise ValueError("context must be None for a network without context_size")
    c = tuple(np.zeros((cell.hidden_size, 1), dtype) if cell.HAS_CELL_STATE else None
              for cell in network.cells)  # fmt: skip
    return Position(tuple(h), c)


def read(
    network: Network, params: dict[str, Any], position: Position, ids: Sequence[int]
) -> Position:
    """The position after these symbols. Raises ValueError for an empty list or an unknown id."""
    weights = checks.params(params, network.param_shapes())
    given = np.asarray(ids, dtype=np.int64 if len(ids) else float).reshape(-1, 1)
    return _read(network, weights, position, checks.one_hot(given, network.cells[0].input_size))


def read_values(
    network: Network, weights: dict[str, Array], position: Position, x: Array
) -> Position:
    """The position after these inputs (t, D), t at least 1."""
    return _read(network, weights, position, x[:, :, None])


def sample(
    network: Network,
    params: dict[str, Any],
    position: Position,
    rng: np.random.Generator,
    steps: int,
    temperature: float = 1.0,
    stop: int | None = None,
) -> Sample:
    """Draw up to `steps` symbols from softmax(y / temperature), each read before the next is
    drawn; temperature 0 takes the likeliest. Ends after the symbol `stop`. Goes on from
    `Sample.position` as if it had been drawn at once.

    Raises ValueError for a position before the first symbol and for answers that are not finite.
    """
    weights = checks.params(params, network.param_shapes())
    checks.size("steps", steps)
    ids: list[int] = []
    chances: list[float] = []
    while len(ids) < steps and (not ids or ids[-1] != stop):
        p = probabilities(position, temperature)
        ids.append(_draw(p, rng))
        chances.append(float(p[ids[-1]]))
        if ids[-1] != stop:
            x = checks.one_hot(np.array([[ids[-1]]]), network.output_size)
            position = _read(network, weights, position, x)
    return Sample(tuple(ids), tuple(chances), position)


def probabilities(position: Position, temperature: float = 1.0) -> Array:
    """P(next) = softmax(y / temperature), (O,); temperature 0: all on the largest y (the first of
    equals). Raises ValueError for a bad temperature and for a y that is missing or not finite."""
    checks.number("temperature", temperature, 0)
    if position.y is None:
        raise ValueError("position must have read a symbol; before the first there is no answer")
    y = position.y.astype(np.float64)
    if not np.isfinite(y).all():
        raise ValueError("y must be finite to sample from, but the network has blown up")
    shifted = y - y.max()
    if temperature == 0:
        return (np.arange(len(y)) == y.argmax()).astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        p = np.exp(shifted / temperature)
    return p / p.sum()


def top(p: Array, labels: Sequence[str], count: int = 5) -> tuple[tuple[str, float], ...]:
    """The `count` likeliest symbols and their probabilities, the likeliest first."""
    checks.size("count", count)
    order = np.argsort(-p, kind="stable")[:count]
    return tuple((labels[i], float(p[i])) for i in order)


def encode(symbols: Iterable[str], labels: Sequence[str]) -> tuple[int, ...]:
    """Symbols (characters, or words) as ids. Raises ValueError for one that is not a label."""
    index = {label: i for i, label in enumerate(labels)}
    given = tuple(symbols)
    unknown = [symbol for symbol in given if symbol not in index]
    if unknown:
        raise ValueError(
            f"symbols must be among the {len(labels)} that the network knows, got {unknown[0]!r}"
        )
    return tuple(index[symbol] for symbol in given)


def _draw(p: Array, rng: np.random.Generator) -> int:
    """An id by one uniform number; never one whose probability is 0."""
    edges = np.cumsum(p)
    return int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))


def _read(network: Network, weights: dict[str, Array], position: Position, x: Array) -> Position:
    h, c = [], []
    x = x.astype(position.h[0].dtype)
    for k, (cell, h0, c0) in enumerate(zip(network.cells, position.h, position.c, strict=True)):
        record = unroll(cell, of_cell(weights, k, 0), x, h0, c0)
        x = record.h[1:]
        h.append(_last(cell, h0, x))
        c.append(None if record.c is None else record.c[-1])
    with np.errstate(all="ignore"):
        y = weights["W_hy"] @ x[-1, :, 0] + weights["b_y"]
    return Position(tuple(h), tuple(c), y)


def _last(cell: Cell, h0: Array, h: Array) -> Array:
    """The states that the next step needs: the last one, with a skip of d steps the last d."""
    return np.concatenate((h0, h))[-cell.skip :] if cell.skip else h[-1]


def sample_text(network: Network, params: Params, batch: Batch, rng: np.random.Generator) -> str:
    """What the network writes after the prompt, up to the end of its sentence if it has one.
    Raises ValueError if it cannot write."""
    position = after_prompt(network, params, batch)
    count = CHARACTERS if _is_of_characters(batch) else WORDS
    drawn = sample(network, params, position, rng, count, TEMPERATURE, stop=end_of(batch))
    return spelled(batch, [*prompt(batch), *drawn.ids])


def captions(network: Network, params: Params, contexts: Array, labels: Sequence[str]) -> list[str]:
    """What a network writes of each context (V, n): from the start on the likeliest symbol each
    time, up to the end or as many as CAPTION. Raises ValueError for one that reads backwards."""
    if network.bidirectional:
        raise ValueError("network must not be bidirectional: what follows is not known yet")
    x = np.full((1, contexts.shape[1]), labels.index(START))
    for _ in range(CAPTION):
        y = forward_network(network, params, x, context=contexts).y[-1]
        x = np.concatenate([x, y.argmax(axis=0)[None]])
    return [spelled_out(column, labels) for column in x[1:].T]


def spelled_out(ids: Iterable[int], labels: Sequence[str]) -> str:
    """Symbols up to the end, which is not told; "–" if there is none before it."""
    symbols = [labels[i] for i in ids]
    stop = symbols.index(END) if END in symbols else len(symbols)
    return "".join(symbols[:stop]) or "–"


def prompt(batch: Batch) -> list[int]:
    """What a network is given to begin with: the first symbols of the batch's first sequence, of
    one that a picture is to tell the start alone."""
    count = min(GIVEN, int(batch.lengths[0])) if batch.context is None else 1
    return [int(i) for i in batch.x[:count, 0]]


def after_prompt(network: Network, params: Params, batch: Batch) -> Position:
    """Where the network is after the prompt. Raises ValueError if it cannot write."""
    context = None if batch.context is None else batch.context[:, 0]
    position = begin(network, params, context)
    return read(network, params, position, prompt(batch))


def end_of(batch: Batch) -> int | None:
    """The symbol that ends a sentence, if the task has one."""
    return batch.labels.index(END) if END in batch.labels else None


def spelled(batch: Batch, ids: Iterable[int]) -> str:
    """Symbols as a reader sees them."""
    symbols = (batch.labels[i] for i in ids)
    space = "" if _is_of_characters(batch) else " "
    return space.join("⏎" if symbol == "\n" else symbol for symbol in symbols)


def _is_of_characters(batch: Batch) -> bool:
    return all(len(label) == 1 for label in batch.labels if label not in (START, END))
