"""What to change, as code for PyTorch. `rnn` is the module, `model` what it is part of."""

from __future__ import annotations

import math

from rnnviz.core import Trace

PACK = """packed = torch.nn.utils.rnn.pack_padded_sequence(
    x, lengths, batch_first=True, enforce_sorted=False)"""
"""So that each sequence ends where it ends."""
CENTRE = "x = (x - x.mean((0, 1))) / x.std((0, 1))"
"""Each input with mean 0 and standard deviation 1, batch first or time first."""
REPAIR = "x[~torch.isfinite(x)] = 0"
"""After it is known where they come from."""


def keep_longer(trace: Trace, lag: int, layer: int, direction: int) -> str:
    """Open the memory gate so far that half is kept over the lag, f = 2^(−1/lag); for a cell
    without one, take one that has it."""
    bias = -math.log(math.expm1(math.log(2) / lag))
    end = f"_l{layer}{'_reverse' * direction}"
    lines = ["with torch.no_grad():", "    H = rnn.hidden_size",
             f"    rnn.bias_ih{end}[H:2 * H] = {bias:.1f}",
             f"    rnn.bias_hh{end}[H:2 * H] = 0"]  # fmt: skip
    if trace.cell.MEMORY_GATE is None:
        D, H = trace.cell.input_size, trace.cell.hidden_size
        lines.insert(0, f"rnn = torch.nn.LSTM({D}, {H})")
    return "\n".join(lines)


def shrink(layer: int, direction: int) -> str:
    """Begin with a recurrent matrix that stretches nothing, and bound the step."""
    end = f"_l{layer}{'_reverse' * direction}"
    return (f"for block in rnn.weight_hh{end}.data.chunk(rnn.weight_hh{end}.shape[0] // "
            "rnn.hidden_size):\n    torch.nn.init.orthogonal_(block)\n"
            "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)")  # fmt: skip


def unstick(cause: str, trace: Trace, gate: str, layer: int, direction: int) -> str:
    """Take away what holds a gate or unit at its end: an input that is not centred and scaled,
    its bias, or a recurrent matrix that is too large."""
    if cause == "input":
        return CENTRE
    if cause == "recurrent":
        return shrink(layer, direction)
    end = f"_l{layer}{'_reverse' * direction}"
    k = trace.cell.GATES.index(gate)
    rows = f"{k} * H:{k + 1} * H" if k > 1 else "H:2 * H" if k else ":H"
    return "\n".join(["with torch.no_grad():", "    H = rnn.hidden_size",
                      f"    rnn.bias_ih{end}[{rows}] = 0",
                      f"    rnn.bias_hh{end}[{rows}] = 0"])  # fmt: skip


def wake(cause: str, trace: Trace, gate: str, layer: int, direction: int) -> str:
    """The same for units that a ReLU has shut; those of an RNN then begin with the identity (Le,
    Jaitly, Hinton 2015, arXiv:1504.00941)."""
    change = unstick(cause, trace, gate, layer, direction)
    if cause != "bias" or trace.cell.MEMORY_GATE is not None:
        return change
    return f"{change}\n    torch.nn.init.eye_(rnn.weight_hh_l{layer}{'_reverse' * direction})"


def after(first: list[str], change: str) -> str:
    """A change that only helps after others."""
    if "rnn = " in change:  # another module: what held the old one is gone with it
        first = [each for each in first if each == CENTRE]
    return "\n".join(dict.fromkeys([*first, change]))


def looser(median: float) -> str:
    """A limit that acts on outliers alone: twice the usual norm."""
    return f"torch.nn.utils.clip_grad_norm_(model.parameters(), {2 * median:.2g})"


def of_module(change: str, name: str, of_cell: bool) -> str:
    """Code for the module of that name, such as "encoder.rnn"; a cell's weights have no layer."""
    change = change.replace("_l0", "") if of_cell else change
    if "rnn." not in change or change.startswith("rnn ="):
        return change
    return f"rnn = model{'.' * bool(name)}{name}\n{change}"


def longer_window(lag: int) -> str:
    """Windows that hold the lag."""
    return f"window = {lag + 1}"


def wider(dtype: str) -> str:
    """A format that holds the gradient."""
    return "model.double()" if dtype == "float32" else "model.float()"
