"""A network that came from elsewhere, run on data with a loss: everything is recorded."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from rnnviz.core import CELLS, checks
from rnnviz.core.bptt import Tell, backward
from rnnviz.core.layers import reverse
from rnnviz.core.losses import ERRORS, total, weighted
from rnnviz.core.network import (
    Network,
    NetworkRecord,
    NetworkTrace,
    backward_network,
    forward_network,
)
from rnnviz.core.numerics import Array
from rnnviz.experiment.model import Model
from rnnviz.experiment.runs import Run
from rnnviz.models.contexts import context_of
from rnnviz.models.fitting import (
    CROSS_ENTROPY,
    SQUARED,
    check_states,
    targets,
)
from rnnviz.models.inputs import inputs_of
from rnnviz.models.load import Loaded
from rnnviz.models.sequences import Sequences
from rnnviz.tasks.batch import Batch, lengths_mask, stream

NO_DATA = Sequences()


def make_batch(
    model: Loaded, data: Sequences = NO_DATA, loss: str | None = None, seed: int = 0
) -> Batch:
    """The batch of a loss on sequences, as `run_network` and the pages take it.

    Parameters
    ----------
    model
        The network, and the embedding of tokens.
    data
        Without x white noise of the data's size is drawn, of 100 steps and 16 sequences where
        nothing has a size; the note says so.
    loss
        "projection", the last output of each sequence in a random unit direction, whatever the
        mask, "squared_error" or "softmax_cross_entropy"; None for the one that the targets are of,
        the first without.
    seed
        Of noise and direction.

    Raises
    ------
    ValueError
        For data that does not fit the network or the loss.

    Examples
    --------
    >>> lstm = load([np.ones((12, 2)), np.ones((12, 3))], "pytorch")
    >>> batch = make_batch(lstm)
    >>> batch.x.shape, batch.loss
    ((100, 2, 16), 'projection')
    >>> batch.note
    'x is white noise; the loss is the last output in a random direction'
    """
    if data.own_loss:
        raise ValueError(
            "data must have a loss, got gradients of one's own: replay sends them back"
        )
    notes = list(data.notes)
    x, lengths = inputs_of(model, data, seed, notes)
    seq_len, batch_size = len(x), len(lengths)
    width = model.network.output_size
    kind = _loss(data, loss, width, notes)
    if kind == "projection":
        notes.append("the loss is the last output in a random direction")
        direction = stream(seed, "direction").standard_normal(width)
        direction /= np.linalg.norm(direction)
        target: Array = np.tile(direction[:, None], (seq_len, 1, batch_size))
        mask = lengths_mask(lengths, seq_len, "last")
        if data.mask is not None and data.target is None:
            notes.append("mask is not used: it weights steps that have targets, and there are none")
    else:
        target, mask = targets(data, kind, width, lengths, seq_len)
    context = context_of(model.network, data, batch_size, seed, notes)
    return Batch(x=x, target=target, mask=mask.astype(np.float64), loss=kind,
                 input_size=model.network.cells[0].input_size, output_size=width,
                 lengths=lengths, note="; ".join(notes), context=context)  # fmt: skip


def replay(
    model: Loaded,
    data: Sequences = NO_DATA,
    loss: str | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> NetworkTrace:
    """The network run forward and back on the data, from its first states: every state, gate and
    gradient at every step.

    Parameters
    ----------
    model
        What `load` gives.
    data
        What `read_data` gives. Where it has ∂L/∂output, ∂L/∂h_T or ∂L/∂c_T, these are what is sent
        back, and the loss itself is not known (NaN).
    loss, seed
        As `make_batch` takes them.
    tell
        Is called at every step, forward and back; what it raises ends the work.

    Raises
    ------
    ValueError
        For data that does not fit the network or the loss.

    Examples
    --------
    >>> lstm = load([np.ones((12, 2)), np.ones((12, 3))], "pytorch")
    >>> trace = replay(lstm, read_data(np.ones((8, 5, 2)), layout="btd"))
    >>> trace.trace.d_h.shape, sorted(trace.trace.gates)
    ((6, 3, 8), ['f', 'g', 'i', 'o'])
    """
    return with_batch(model, data, loss, seed, tell)[0]


def with_batch(
    model: Loaded,
    data: Sequences = NO_DATA,
    loss: str | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> tuple[NetworkTrace, Batch]:
    """`replay`, and the batch that says what was asked."""
    if data.own_loss:
        return _of_own_loss(model, data, loss, seed, tell)
    batch = make_batch(model, data, loss, seed)
    record = _forward(model, data, batch.x, batch.lengths, batch.context, tell)
    with np.errstate(all="ignore"):
        loss_by_step, d_y = weighted(ERRORS[batch.loss], record.y, batch.target, batch.mask)
    trace = backward_network(record, d_y, backward=partial(backward, tell=tell))
    return replace(trace, loss=total(loss_by_step), loss_by_step=loss_by_step), batch


def _of_own_loss(
    model: Loaded, data: Sequences, loss: str | None, seed: int, tell: Tell | None
) -> tuple[NetworkTrace, Batch]:
    """The gradients of a loss of one's own sent back: ∂L/∂h_T and ∂L/∂c_T enter where each sequence
    ends."""
    if loss is not None:
        raise ValueError(f"loss must be None beside gradients of one's own, got {loss!r}")
    unused = [name for name in ("target", "mask") if getattr(data, name) is not None]
    notes = [*data.notes, *(f"{name} is not used beside gradients of one's own" for name in unused)]
    x, lengths = inputs_of(model, data, seed, notes)
    context = context_of(model.network, data, len(lengths), seed, notes)
    record = _forward(model, data, x, lengths, context, tell)
    d_h, d_c = (at_ends(last, len(x), lengths) for last in (data.d_h, data.d_c))
    trace = backward_network(record, data.d_output, d_h, d_c, partial(backward, tell=tell))
    return trace, replace(own_batch(trace), note="; ".join(notes))


def run_of(
    model: Loaded,
    data: Sequences = NO_DATA,
    loss: str | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> Run:
    """`replay` as a run like any other: one label, its trace, and the batch.

    Examples
    --------
    >>> list(run_of(load([np.ones((12, 2)), np.ones((12, 3))], "pytorch")))
    ['lstm']
    """
    return alone(*with_batch(model, data, loss, seed, tell), model.unbiased)


def alone(trace: NetworkTrace, batch: Batch, unbiased: bool) -> Run:
    """A run of one network under its label. unbiased: whether it comes without biases."""
    label = label_of(trace.network)
    return Run({label: trace}, batch, unbiased=[label] * unbiased)


def label_of(network: Network) -> str:
    """What a network is called on every page."""
    cell = network.cells[0]
    kind = next(name for name, known in CELLS.items() if known is type(cell))
    activation = getattr(cell, "activation", "tanh")
    return str(Model(kind) if activation == "tanh" else Model(kind, activation=activation))


def own_batch(trace: NetworkTrace) -> Batch:
    """The batch of a loss of one's own, of which gradients are known alone: as that of a loss that
    has them at the outputs, asked at the steps where any enters the last layer."""
    first, (steps, _, batch_size) = trace.trace, trace.y.shape
    lengths = np.full(batch_size, steps) if first.lengths is None else first.lengths.copy()
    enters = np.zeros((steps, batch_size), bool)
    for d, one in enumerate(trace.layers[-1]):
        enters |= reverse(one.enters, one.lengths) if d else one.enters
    return Batch(x=first.x.copy(), target=batch_size * trace.d_y, mask=enters.astype(np.float64),
                 loss="projection", input_size=first.x.shape[1],
                 output_size=trace.network.output_size, lengths=lengths,
                 context=None if trace.context is None else trace.context.copy())  # fmt: skip


def _forward(
    model: Loaded,
    data: Sequences,
    x: Array,
    lengths: Array,
    context: Array | None,
    tell: Tell | None,
) -> NetworkRecord:
    """The forward pass from the first states of the data."""
    check_states(model.network, data, len(x), len(lengths))
    h0, c0 = (None if s is None else list(s) for s in (data.h0, data.c0))
    return forward_network(model.network, model.params, x, h0, c0, lengths, context, tell)


def at_ends(last: Array | None, steps: int, lengths: Array) -> list[Array] | None:
    """Gradients of each layer's and direction's last state, (rows, H, B), as direct ones of all
    steps, (T, H, B) each, that enter where each sequence ends in its own order. Those of all steps
    stay what they are."""
    if last is None:
        return None
    if last.ndim == 4:
        return list(last)
    direct = np.zeros((len(last), steps, *last.shape[1:]), last.dtype)
    direct[:, lengths - 1, :, np.arange(len(lengths))] = last.transpose(2, 0, 1)
    return list(direct)


def losses_of(data: Sequences, output_size: int) -> tuple[str, ...]:
    """The losses that `make_batch` takes for the data and so many outputs, first the one that it
    takes by itself; none beside gradients of a loss of one's own."""
    if data.own_loss:
        return ()
    if data.target is None:
        return ("projection",)
    if data.target.dtype.kind not in "iu":
        return (SQUARED, "projection")
    return (CROSS_ENTROPY if output_size > 1 else SQUARED, "projection")


def _loss(data: Sequences, loss: str | None, output_size: int, notes: list[str]) -> str:
    """The loss that is said, or that the targets are of; noted where integers are not classes."""
    if loss is not None:
        kind = checks.choice("loss", loss, ERRORS)
        if kind != "projection" and data.target is None:
            raise ValueError(f"target must be given for the loss {kind}, got None")
        return kind
    target, taken = data.target, losses_of(data, output_size)[0]
    if taken == SQUARED and target is not None and target.dtype.kind in "iu":
        notes.append("the loss is the squared error: one output is no choice among classes")
    return taken
