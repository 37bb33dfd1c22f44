"""What was seen of a recurrent module while it ran elsewhere, and the run that it comes to: the
same weights, inputs and states, with the gradients that entered through each of its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial

import numpy as np

from rnnviz.core.architecture import Network
from rnnviz.core.bptt import Tell, backward
from rnnviz.core.layers import key, outputs, reverse
from rnnviz.core.network import (
    NetworkRecord,
    NetworkTrace,
    backward_network,
    forward_network,
)
from rnnviz.core.numerics import Array
from rnnviz.experiment.runs import Run
from rnnviz.models.load import Loaded, load
from rnnviz.models.reference import TOLERANCES
from rnnviz.models.replay import alone, at_ends, own_batch
from rnnviz.models.rounding import explained, steps_of

NARROW = {**TOLERANCES, "tf32": TOLERANCES["float16"]}
"""Number format -> the largest difference of one step's output that its rounding explains."""
CHECKED = 3
"""First steps that must be the module's."""


@dataclass(frozen=True, eq=False)
class Part:
    """Layers that ran upon each other with nothing between them.

    weights: PyTorch's names, "weight_hh_l0", -> array. x (T, D, B); lengths (B,), None if nothing
    is padded; output (T, H·directions, B), as the module computed it. d_output likewise: what
    entered through it. Of each layer and direction, in PyTorch's order: h0, c0 (rows, H, B), and
    d_h, d_c, what entered through h and c besides: at each one's last step, (rows, H, B), or at
    every step in its own order, (rows, T, H, B). None for zeros. All arrays are read-only.
    """

    weights: Mapping[str, Array]
    x: Array
    output: Array
    lengths: Array | None = None
    h0: Array | None = None
    c0: Array | None = None
    d_output: Array | None = None
    d_h: Array | None = None
    d_c: Array | None = None

    def __post_init__(self) -> None:
        for array in (*self.arrays.values(), *self.weights.values()):
            array.flags.writeable = False

    @property
    def arrays(self) -> dict[str, Array]:
        """All but the weights, by name, without what is None."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "weights"}
        return {name: array for name, array in named.items() if array is not None}


@dataclass(frozen=True, eq=False)
class Passage:
    """One pass through a module forward, and one back.

    kind: "lstm", "gru" or "rnn", and the nonlinearity of the last. parts: one, or one a layer where
    something stands between the layers. dtype: the narrowest number format that it ran in.
    batch_first, dropout: as the module has them; None where that is not known. calls: of how many
    calls that go on from one another this is one, 1 if it is a whole sequence.
    """

    kind: str
    activation: str
    dtype: str
    parts: tuple[Part, ...]
    batch_first: bool | None = None
    dropout: float | None = None
    calls: int = 1

    @cached_property
    def trace(self) -> NetworkTrace:
        """Everything at every step, from the same numbers by the core.

        Raises ValueError where x or a first state is not finite, and where the outputs of the first
        steps are not those that the module computed: then it does not run as others of its kind.
        """
        return self.replayed()

    def replayed(self, tell: Tell | None = None, checked: bool = True) -> NetworkTrace:
        """The same, made anew. tell: is called at every step. checked: whether the first steps are
        compared with the module's, whose weights these may not be."""
        traces = [self._replayed(part, tell) for part in self.parts]
        for part, one in zip(self.parts, traces, strict=True):
            if checked:
                _check_beginning(self, part, one)
        return traces[0] if len(traces) == 1 else stacked(traces)

    def loaded(self, part: Part) -> Loaded:
        """The network of a part, which puts out what its last layer does."""
        activation = self.activation if self.kind == "rnn" else None
        return load(part.weights, "pytorch", cell=self.kind, activation=activation,
                    readout=False, embedding=False)  # fmt: skip

    def _replayed(self, part: Part, tell: Tell | None = None) -> NetworkTrace:
        loaded = self.loaded(part)
        h0, c0 = (None if s is None else list(s) for s in (part.h0, part.c0))
        record = forward_network(
            loaded.network, loaded.params, part.x, h0, c0, part.lengths, tell=tell
        )
        _check_shapes(part, record)
        steps, _, batch_size = part.x.shape
        lengths = np.full(batch_size, steps) if part.lengths is None else part.lengths
        d_h, d_c = (at_ends(d, steps, lengths) for d in (part.d_h, part.d_c))
        direct, back = _with_output(record, part, d_h), partial(backward, tell=tell)
        trace = backward_network(record, None, direct, d_c, back)
        d_y = np.zeros_like(record.y) if part.d_output is None else part.d_output
        return replace(trace, y=outputs(trace.layers[-1]), d_y=d_y)

    @property
    def deviation(self) -> float:
        """The largest difference of an output from what the module computed; NaN where one is."""
        with np.errstate(invalid="ignore"):
            return float(np.abs(self.trace.y - self.parts[-1].output).max())

    @property
    def run(self) -> Run:
        """As any other: one label, its trace, and the batch. The loss is the module's own, of which
        gradients are known alone."""
        return alone(self.trace, own_batch(self.trace), self.unbiased)

    @property
    def unbiased(self) -> bool:
        """Whether the module has no biases."""
        return not any(name.startswith("bias") for part in self.parts for name in part.weights)


def _with_output(
    record: NetworkRecord, part: Part, d_h: list[Array] | None
) -> list[Array | None] | None:
    """Direct gradients with what entered through the output, of each direction in its own order.
    Not by the readout, which is none here: NaN times its zeros would spread to all units."""
    if part.d_output is None:
        return None if d_h is None else list(d_h)
    H, rows = record.network.cells[-1].hidden_size, len(record.network.cells)
    direct: list[Array | None] = list(d_h or [None] * rows * record.network.directions)
    for d in range(record.network.directions):
        share = part.d_output[:, d * H : (d + 1) * H]
        share = reverse(share, part.lengths) if d else share
        k, own = d - record.network.directions, direct[d - record.network.directions]
        direct[k] = share if own is None else own + share
    return direct


def stacked(traces: Sequence[NetworkTrace]) -> NetworkTrace:
    """Layers that ran one by one, with something between them, as one network. What each layer
    reads and what enters through its output is its own record's."""
    last = traces[-1]
    cells = tuple(cell for one in traces for cell in one.network.cells)
    network = Network(cells, last.network.output_size, last.network.bidirectional)
    params: dict[str, Array] = {"W_hy": last.params["W_hy"], "b_y": last.params["b_y"]}
    layers = tuple(layer for one in traces for layer in one.layers)
    for k, layer in enumerate(layers):
        for d, trace in enumerate(layer):
            params |= {key(k, name, d): value for name, value in trace.params.items()}
    return replace(last, network=network, params=params, layers=layers)


def _check_shapes(part: Part, record: NetworkRecord) -> None:
    """Raise ValueError for an array of a part that does not fit its layers and x."""
    network, (steps, _, batch_size) = record.network, record.y.shape
    H = network.cells[0].hidden_size
    ends = (len(network.cells) * network.directions, H, batch_size)
    every = (ends[0], steps, *ends[1:])
    allowed = {"output": [record.y.shape], "d_output": [record.y.shape],
               "d_h": [ends, every], "d_c": [ends, every]}  # fmt: skip
    for name, shapes in allowed.items():
        array = getattr(part, name)
        if array is not None and array.shape not in shapes:
            raise ValueError(f"{name} must have shape {' or '.join(map(str, shapes))}, got "
                             f"{array.shape}")  # fmt: skip


def _check_beginning(passage: Passage, part: Part, trace: NetworkTrace) -> None:
    """Raise ValueError where the first steps of a direction are not the module's: the first by
    which the inputs are read, those after by which the states are. Later ones may differ by more:
    dynamics that explode enlarge rounding, at each step by no more than the norm of W_hh. Where
    inputs or states are large, it is asked what rounding does to each unit."""
    H, (steps, _, batch_size) = trace.trace.cell.hidden_size, part.x.shape
    lengths = np.full(batch_size, steps) if part.lengths is None else part.lengths
    hidden = [w.astype(np.float64) for name, w in part.weights.items() if "_hh" in name]
    with np.errstate(over="ignore"):
        growth = np.float64(max(1.0, *(float(np.linalg.norm(w)) for w in hidden)))
    step, explains = steps_of(passage.kind, passage.activation), None
    for d, one in enumerate(trace.layers[-1]):
        for k in range(min(steps, CHECKED)):
            some = np.flatnonzero(lengths > k)
            at = lengths[some] - 1 - k if d else np.full(len(some), k)
            theirs = part.output[at, d * H : (d + 1) * H, some].T
            with np.errstate(invalid="ignore", over="ignore"):
                off = np.abs(one.h[1 + k][:, some] - theirs)
                allowed = NARROW[passage.dtype] * growth**k * max(1.0, float(np.abs(theirs).max()))
                if not float(off.max()) > allowed:  # nor where one is NaN
                    continue
                explains = explains or explained(trace.layers, step, passage.dtype, CHECKED)
                beyond = float((off - explains[d][k][:, some]).max())
            if beyond > allowed:
                raise ValueError(
                    f"the module must compute what PyTorch's own does, its output at step {k + 1} "
                    f"differs by {off.max():.2g}: does it have a forward of its own?"
                )


def unpacked(data: Array, batch_sizes: Array, unsorted: Array | None) -> tuple[Array, Array]:
    """The steps of packed sequences, (N, F), as (T, F, B) with zeros after each one's end, and
    lengths (B,), both in the order of the sequences before they were sorted."""
    padded = np.zeros((len(batch_sizes), data.shape[1], int(batch_sizes[0])), data.dtype)
    start = 0
    for t, size in enumerate(batch_sizes.tolist()):
        padded[t, :, :size] = data[start : start + size].T
        start += size
    lengths = (batch_sizes[:, None] > np.arange(padded.shape[2])).sum(axis=0)
    if unsorted is None:
        return padded, lengths
    return np.ascontiguousarray(padded[..., unsorted]), lengths[unsorted]


def torch_names(network: Network) -> dict[str, str]:
    """PyTorch's name of a weight -> the core's, whose gradient it has: gates are stacked alike, and
    of two biases that are added each has the gradient of the sum."""
    names: dict[str, str] = {}
    for layer in range(len(network.cells)):
        for d in range(network.directions):
            end = f"_l{layer}{'_reverse' * d}"
            ours = {"weight_ih": "W_xh", "weight_hh": "W_hh", "bias_ih": "b_h", "bias_hh": "b_h"}
            names |= {theirs + end: key(layer, name, d) for theirs, name in ours.items()}
    return names


def torch_grads(trace: NetworkTrace) -> dict[str, Array]:
    """∂L/∂(weight) by PyTorch's names."""
    found = {theirs: trace.grads[ours] for theirs, ours in torch_names(trace.network).items()}
    for name in [n for n in found if n.startswith("bias_hh")]:
        candidate = trace.grads.get(torch_names(trace.network)[name] + "n")  # a GRU's b_hn
        if candidate is not None:
            rows = len(found[name]) - len(candidate)
            found[name] = np.concatenate([found[name][:rows], candidate])
    return found
