"""What a network writes: from a prompt to the end of a sentence, symbols spelled out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnviz.core.network import Network
from rnnviz.tasks import Batch
from rnnviz.tasks.batch import END, START
from rnnviz.training import sampling

Params = dict[str, Any]

CHARACTERS, WORDS = 80, 24
"""Symbols of a sample, by what a symbol is."""
GIVEN = 3
"""Symbols that a network is given to begin with, at most."""
TEMPERATURE = 0.7


def sample_text(network: Network, params: Params, batch: Batch, rng: np.random.Generator) -> str:
    """What the network writes after the prompt, up to the end of its sentence if it has one.
    Raises ValueError if it cannot write."""
    position = after_prompt(network, params, batch)
    count = CHARACTERS if _is_of_characters(batch) else WORDS
    drawn = sampling.sample(network, params, position, rng, count, TEMPERATURE, stop=end_of(batch))
    return spelled(batch, [*prompt(batch), *drawn.ids])


def prompt(batch: Batch) -> list[int]:
    """What a network is given to begin with: the first symbols of the batch's first sequence, of
    one that a picture is to tell the start alone."""
    count = min(GIVEN, int(batch.lengths[0])) if batch.context is None else 1
    return [int(i) for i in batch.x[:count, 0]]


def after_prompt(network: Network, params: Params, batch: Batch) -> sampling.Position:
    """Where the network is after the prompt. Raises ValueError if it cannot write."""
    context = None if batch.context is None else batch.context[:, 0]
    position = sampling.begin(network, params, context)
    return sampling.read(network, params, position, prompt(batch))


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
