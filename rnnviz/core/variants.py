"""Named options of the gated cells: the published variants, one change at a time."""

from __future__ import annotations

from typing import Any

from rnnviz.core import checks

_ALL_OPEN = (("i", 1.0), ("f", 0.0), ("o", 1.0))

LSTM_VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "peepholes": {"peepholes": True},
    "cifg": {"coupled": True},
    "nig": {"fixed": (("i", 1.0),)},
    "nfg": {"fixed": (("f", 1.0),)},
    "nog": {"fixed": (("o", 1.0),)},
    "niaf": {"candidate": "identity"},
    "noaf": {"output": "identity"},
    "relu_in": {"candidate": "relu"},
    "relu_out": {"output": "relu"},
    "hard_gates": {"gate_activation": "hard_sigmoid"},
    "no_gates": {"fixed": _ALL_OPEN},
    "no_gates_noaf": {"fixed": _ALL_OPEN, "output": "identity"},
}
"""Name -> options of `LSTM`. cifg: coupled input and forget gate; nig, nfg, nog: no input,
forget, output gate; niaf, noaf: no activation function at the input, at the output (Greff et al.
2015, arXiv:1503.04069). relu_in, relu_out: ReLU there instead of tanh; hard_gates: gates of
straight pieces, exactly 0 or 1 from |a| = 2.5 on (Courbariaux et al. 2015, arXiv:1511.00363).
no_gates forgets at once and lets everything in and out: h_t = tanh(tanh(a_t)); no_gates_noaf is
the tanh RNN."""

GRU_VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "reset_before": {"reset": "before"},
}
"""Name -> options of `GRU`."""


def check_fixed(fixed: object, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless `fixed` is a tuple of (gate, number from 0 to 1), each gate one of
    those allowed and named once."""
    pairs = fixed if isinstance(fixed, tuple) else (None,)
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise ValueError(f"fixed must be a tuple of pairs (gate, number), got {fixed!r}")
    for gate, value in pairs:
        checks.number(f"fixed gate {checks.choice('fixed', gate, allowed)}", value, 0, 1)
    if len({gate for gate, _ in pairs}) < len(pairs):
        raise ValueError(f"fixed must name each gate once, got {fixed!r}")
