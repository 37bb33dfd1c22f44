"""What a network reads: the data's x, their tokens looked up, or noise of their size."""

from __future__ import annotations

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.models.fitting import check_features, check_padding
from rnnviz.models.load import Loaded
from rnnviz.models.sequences import Sequences
from rnnviz.tasks.batch import stream

SEQ_LEN, BATCH_SIZE = 100, 16
"""The size of the data where nobody gives any."""


def size_of(data: Sequences) -> tuple[int, int]:
    """(T, B) of what has steps, else of what has sequences; nothing is allocated."""
    for array in (data.x, data.d_output, data.mask):
        if array is not None:
            return len(array), array.shape[-1]
    target, lengths = data.target, data.lengths
    if target is not None and (target.ndim == 3 or (target.ndim == 2 and target.dtype.kind == "i")):
        return len(target), target.shape[-1]
    steps = SEQ_LEN if lengths is None else int(lengths.max())
    for array in (target, lengths, data.h0, data.c0, data.d_h, data.d_c, data.context):
        if array is not None:
            return steps, array.shape[-1]
    return steps, BATCH_SIZE


def inputs_of(model: Loaded, data: Sequences, seed: int, notes: list[str]) -> tuple[Array, Array]:
    """x (T, D, B) and lengths (B,): tokens looked up where there is an embedding, noise where there
    is no x."""
    seq_len, batch_size = size_of(data)
    lengths = np.full(batch_size, seq_len) if data.lengths is None else data.lengths.copy()
    table, D, x = model.embedding, model.network.cells[0].input_size, data.x
    there = np.arange(seq_len)[:, None] < lengths
    if x is None:
        streams = [stream(seed, "sequences", b) for b in range(batch_size)]
        notes.append("x is white noise" if table is None else "x is random tokens")
        if table is None:
            x = np.stack([rng.standard_normal((seq_len, D)) for rng in streams], axis=-1)
            x *= there[:, None]
        else:
            tokens = [rng.integers(0, len(table), seq_len) for rng in streams]
            x = np.stack(tokens, axis=-1) * there
    if x.ndim > 2:
        check_features(x, D, data.layout)
    if data.x is not None and (x.ndim > 2 or table is None):
        check_padding(data, lengths)
    if x.ndim == 2:
        x = _looked_up(x, table, D)
        return (x if table is None else x * there[:, None]), lengths
    return x.copy(), lengths


def _looked_up(tokens: Array, table: Array | None, input_size: int) -> Array:
    """The rows of the table for tokens (T, B), or without one the tokens, which stand for one-hot
    columns."""
    most = (input_size if table is None else len(table)) - 1
    bad = np.argwhere((tokens < 0) | (tokens > most))
    if len(bad):
        t, b = bad[0].tolist()
        raise ValueError(f"x must hold tokens from 0 to {most}, got {tokens[t, b]} at step {t} of "
                         f"sequence {b}")  # fmt: skip
    return tokens.copy() if table is None else table[tokens].transpose(0, 2, 1)
