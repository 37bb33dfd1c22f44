"""What to change, as code for PyTorch. `rnn` is the module, `model` what it is part of."""

from __future__ import annotations

import re
from dataclasses import replace

from rnnviz.core import Trace
from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.models.diagnosis.held import in_the_way, input_holds, is_centred, opening

PACK = """packed = torch.nn.utils.rnn.pack_padded_sequence(
    x, lengths, batch_first=True, enforce_sorted=False)"""
"""So that each sequence ends where it ends."""
CENTRE = "x = (x - x.mean((0, 1))) / x.std((0, 1)).clamp(min=1e-6)"
"""Each input with mean 0 and standard deviation 1, batch or time first; a constant one is 0."""
REPAIR = "x[~torch.isfinite(x)] = 0"
"""After it is known where they come from."""
WEIGHTS = {"input": "ih", "recurrent": "hh"}
"""Part of a pre-activation -> how PyTorch's weights of it are named."""


def keep_longer(
    trace: Trace, lag: int, layer: int, direction: int, network: Network | None = None
) -> str:
    """Open the memory gate so far that half is kept over the lag, f = 2^(−1/lag), and silence what
    would close it all the same; for cells without one, take as many that have it. network: what the
    trace is of; None for its cell alone."""
    bias, ways = opening(lag), in_the_way(trace, lag)
    ends, lines = [_end(layer, direction)], ["with torch.no_grad():", "    H = rnn.hidden_size"]
    if trace.cell.MEMORY_GATE is None:
        whole = Network((trace.cell,), 1) if network is None else network
        whole = whole if one_module(whole) else replace(whole, cells=(trace.cell,))
        places = [(k, d) for k in range(len(whole.cells)) for d in range(whole.directions)]
        ends = [_end(*place) for place in places]
        lines.insert(0, f"rnn = {_module('LSTM', whole)}")
    for end in ends:
        lines += [f"    rnn.weight_{WEIGHTS[name]}{end}[H:2 * H] = 0" for name in ways]
        lines += [f"    rnn.bias_ih{end}[H:2 * H] = {bias:.1f}",
                  f"    rnn.bias_hh{end}[H:2 * H] = 0"]  # fmt: skip
    return "\n".join(lines)


def _end(layer: int, direction: int) -> str:
    """What ends the names of a layer's weights."""
    return f"_l{layer}{'_reverse' * direction}"


def one_module(network: Network) -> bool:
    """Whether one module of PyTorch has all layers: those of different sizes are several."""
    return len({cell.hidden_size for cell in network.cells}) == 1


def _module(kind: str, network: Network, more: str = "") -> str:
    """The module of PyTorch that has the layers of a network, of another kind maybe."""
    cell, layers = network.cells[0], len(network.cells)
    stacked = f", num_layers={layers}" if layers > 1 else ""
    both = ", bidirectional=True" if network.bidirectional else ""
    return f"torch.nn.{kind}({cell.input_size}, {cell.hidden_size}{stacked}{more}{both})"


def fitted(change: str, network: Network, layer: int | None, unbiased: bool) -> str:
    """A change of a layer, for the module that has it: layers of different sizes have a module
    each, in which each is the first. unbiased: whether modules are without biases."""
    if layer is not None and not one_module(network):
        change = re.sub(r"_l\d+", "_l0", change)
        network = replace(network, cells=(network.cells[layer],))
    return _with_biases(change, network) if unbiased else change


def _with_biases(change: str, network: Network) -> str:
    """A change of biases where the module has none: take one that has them."""
    cell = network.cells[0]
    if "rnn.bias_" not in change or "rnn = " in change:
        return change
    lines = [line for line in change.splitlines() if not line.startswith("    rnn.weight_")]
    relu = ", nonlinearity='relu'" if getattr(cell, "activation", "") == "relu" else ""
    return f"rnn = {_module(type(cell).__name__, network, f'{relu}, bias=True')}\n" + "\n".join(
        lines
    )


def shrink(layer: int, direction: int) -> str:
    """Begin with a recurrent matrix that stretches nothing, and bound the step."""
    end = _end(layer, direction)
    return (f"for block in rnn.weight_hh{end}.data.chunk(rnn.weight_hh{end}.shape[0] // "
            "rnn.hidden_size):\n    torch.nn.init.orthogonal_(block)\n"
            "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)")  # fmt: skip


def unstick(cause: str, trace: Trace, gate: str, units: Array, layer: int, direction: int) -> str:
    """Take away what holds units (H,) of a gate at their end: an input that is not centred and
    scaled, weights of it that are too large, its bias, or a recurrent matrix that is too large."""
    if cause == "recurrent":
        return shrink(layer, direction)
    end = _end(layer, direction)
    k = trace.cell.GATES.index(gate)
    rows = f"{k} * H:{k + 1} * H" if k > 1 else "H:2 * H" if k else ":H"
    begin = "with torch.no_grad():\n    H = rnn.hidden_size\n"
    if cause == "input":
        weights = f"    torch.nn.init.xavier_uniform_(rnn.weight_ih{end}[{rows}])"
        return _of_input(begin + weights, trace, gate, units, layer)
    return f"{begin}    rnn.bias_ih{end}[{rows}] = 0\n    rnn.bias_hh{end}[{rows}] = 0"


def _of_input(weights: str, trace: Trace, gate: str, units: Array, layer: int) -> str:
    """Centre the inputs where that will do; begin anew with a gate's weights of them where it will
    not, as in a layer that reads another one, or is not to be done any more."""
    if layer > 0:
        return weights
    if not input_holds(trace, gate, units) and not is_centred(trace.x):
        return CENTRE
    return weights if is_centred(trace.x) else f"{CENTRE}\n{weights}"


def wake(cause: str, trace: Trace, gate: str, units: Array, layer: int, direction: int) -> str:
    """The same for units that a ReLU has shut; those of an RNN then begin with the identity (Le,
    Jaitly, Hinton 2015, arXiv:1504.00941)."""
    change = unstick(cause, trace, gate, units, layer, direction)
    if cause != "bias" or trace.cell.MEMORY_GATE is not None:
        return change
    return f"{change}\n    torch.nn.init.eye_(rnn.weight_hh{_end(layer, direction)})"


def makes_module(change: str) -> bool:
    """Whether the change puts another module in the old one's place, of which an optimizer that
    is there already knows nothing."""
    return re.search(r"= torch\.nn\.(LSTM|GRU|RNN)", change) is not None


def after(first: list[str], change: str) -> str:
    """A change that only helps after others."""
    if "rnn = " in change:  # another module: what held the old one is gone with it
        first = [CENTRE for each in first if each.startswith(CENTRE)]
    return "\n".join(dict.fromkeys([*first, change]))


def looser(median: float) -> str:
    """A limit that acts on outliers alone: twice the usual norm."""
    return f"torch.nn.utils.clip_grad_norm_(model.parameters(), {2 * median:.2g})"


def of_module(
    change: str, name: str, of_cell: bool, batch_first: bool | None = None, dropout: float = 0.0
) -> str:
    """Code for the module of that name, such as "encoder.rnn", with its options; a cell's weights
    have no layer. batch_first: None where that is not known."""
    if of_cell:
        change = re.sub(r"torch\.nn\.(LSTM|GRU|RNN)\(", r"torch.nn.\1Cell(", change)
        change = change.replace("_l0", "")
    if batch_first is False:
        change = change.replace("batch_first=True, ", "")
    if "rnn." not in change.replace("utils.rnn.", ""):
        return change
    place, made = f"rnn = {_path(name)}", "rnn = torch"
    if made not in change:
        return f"{place}\n{change}"
    options = f", dropout={dropout:g}" if dropout and "num_layers" in change else ""
    options += ", batch_first=True" if batch_first else ""
    lines = [f"{place} = {line.removeprefix('rnn = ')[:-1]}{options})"
             if line.startswith(made) else line for line in change.splitlines()]  # fmt: skip
    return "\n".join(lines)


def _path(name: str) -> str:
    """A module of that name as Python writes it: "layers.0" is model.layers[0]."""
    steps = name.split(".") if name else []
    return "model" + "".join(f".{s}" if s.isidentifier() else f"[{s if s.isdigit() else repr(s)}]"
                             for s in steps)  # fmt: skip


def longer_window(lag: int) -> str:
    """Windows that hold the lag."""
    return f"window = {lag + 1}"


def wider(dtype: str) -> str:
    """A format that holds more; "" for float64, which is the widest that PyTorch has."""
    return {"float64": "", "float32": "model.double()"}.get(dtype, "model.float()")
