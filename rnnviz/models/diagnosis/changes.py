"""What to change, as code for PyTorch. `rnn` is the module, `model` what it is part of."""

from __future__ import annotations

import math

from rnnviz.core import Trace

PACK = """packed = torch.nn.utils.rnn.pack_padded_sequence(
    x, lengths, batch_first=True, enforce_sorted=False)"""
"""So that each sequence ends where it ends."""


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
