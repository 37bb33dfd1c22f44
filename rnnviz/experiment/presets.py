"""Experiments worth showing, each with the sentence that it demonstrates.

tests/test_presets.py runs every preset over several seeds and checks its sentence in numbers.
Sources: Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063; Jozefowicz et al. 2015 (forget bias);
Le, Jaitly, Hinton 2015, arXiv:1504.00941; Tallec and Ollivier 2018, arXiv:1804.11188;
Greff et al. 2015, arXiv:1503.04069; Zhang et al. 2016, arXiv:1602.08210 (skips); Jaeger et al.
2007, Neural Networks 20(3) (leaky units); Schuster and Paliwal 1997 (both directions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rnnviz.experiment.config import Experiment


@dataclass(frozen=True)
class Preset:
    """title and sentence are for the page; changes are fields of an Experiment that differ from
    its defaults."""

    title: str
    sentence: str
    changes: Mapping[str, Any]

    def experiment(self, **more: Any) -> Experiment:
        """The preset's experiment, with further changes."""
        return Experiment(**{**self.changes, **more})


def _preset(title: str, sentence: str, **changes: Any) -> Preset:
    Experiment(**changes)
    return Preset(title, sentence, MappingProxyType(changes))


PRESETS: dict[str, Preset] = {
    "held_open": _preset(
        "Held open",
        "The same kind of random weights in three cells. On its way back over 99 steps the error "
        "loses over 18 decades in the RNN, about 2 in the GRU and less than 1 either way in the "
        "LSTM: a memory that is held open survives. Now drag the memory bias from 3 to 0.",
    ),
    "out_of_the_box": _preset(
        "Out of the box",
        "PyTorch's default scale of the weights and biases of 0: all three cells lose over "
        "18 decades in 99 steps. Having a gate is no cure; holding it open is.",
        memory_bias=0.0,
    ),
    "knife_edge": _preset(
        "Knife edge",
        "Linear, orthogonal and quiet: every step back multiplies the error by the gain g, so "
        "99 steps make it g^99. Gain 1 keeps it as it is; try 0.9 (it falls by 4.53 decades) and "
        "1.1 (it grows by 4.10).",
        models=("rnn",),
        activation="identity",
        init="orthogonal",
        distractor=0.0,
    ),
    "all_twos": _preset(
        "All twos, and dead",
        "Every singular value and every eigenvalue of W_hh is 2, yet once tanh has settled at "
        "0.9575, where it is flat, each step back leaves only 0.17 of the error. In the first 10 "
        "or so steps, before it has settled, the error still doubles; the verdict's rate is the "
        "average of both.",
        models=("rnn",),
        init="identity",
        gain=2.0,
        distractor=0.0,
        seq_len=50,
    ),
    "blow_up": _preset(
        "Blow-up",
        "Orthogonal weights with gain 2: the error grows by more than 6 decades in the RNN and by "
        "1 to 4 in the LSTM, which is not immune. In the GRU it stays within 1 decade.",
        init="orthogonal",
        gain=2.0,
    ),
    "input_decides": _preset(
        "Input decides",
        "The same W_hh, with all singular values 1.5: at distractor amplitude 1 the error grows "
        "by over 2 decades, at 2 by less than 1.5, at 3 it shrinks. The size of the "
        "input decides, because it drives tanh to where it is flat.",
        models=("rnn",),
        init="orthogonal",
        gain=1.5,
    ),
    "shift_register": _preset(
        "Shift register",
        "A chain in which each of the 64 units hands its value to the next: spectral radius 0, "
        "largest singular value 1. The error survives 63 steps and is then exactly zero, "
        "not just small.",
        models=("rnn",),
        init="delay_line",
        activation="identity",
    ),
    "flat_is_not_memory": _preset(
        "Flat is not memory",
        "With a loss at every step the total gradient looks flat, but each loss's own error still "
        "dies as before: new error refills the total. Switch to the loss at the last step "
        "alone: it loses over 18 decades on its way to step 1.",
        models=("rnn",),
        loss_at="every",
    ),
    "chrono": _preset(
        "Chrono",
        "Every unit its own time scale, from 2 to 100 steps: half of the units keep half of "
        "their memory for 25 steps or more, and the error loses about 1 decade in 99 steps. With "
        "all forget biases at 1 it loses over 6.",
        models=("lstm", "lstm:forget_bias=1"),
        gate_init="chrono",
    ),
    "relu_identity": _preset(
        "ReLU and identity",
        "W_hh is the identity and the input is quiet after the clue: a ReLU that is on hands the "
        "error back unchanged, one that is off stops it. After the first step back nothing more "
        "is lost.",
        models=("rnn",),
        init="identity",
        activation="relu",
        distractor=0.0,
    ),
    "no_gates": _preset(
        "f = 0, i = 1, o = 1",
        "These gates are said to turn an LSTM into a plain RNN. They turn it into "
        "h = tanh(tanh(a)): the state is squashed twice. Only with a linear output it is the tanh "
        "RNN. In all three the error loses over 18 decades in 99 steps.",
        models=("rnn", "lstm:variant=no_gates", "lstm:variant=no_gates_noaf"),
    ),
    "skip": _preset(
        "Skip connections",
        "W_skip hands each state on 10 steps: the error needs about T/10 jumps to reach step 1, "
        "not T steps. It loses 1 to 4 decades on its way; without the skip over 18.",
        models=("rnn", "rnn:skip=10"),
    ),
    "leaky": _preset(
        "Leaky units",
        "A leaky unit keeps 1 − α of its state at each step. With α = 0.1 the error loses 1.5 to "
        "3 decades on its way to step 1, with α = 0.01 less than 1, without a leak over 18.",
        models=("rnn", "rnn:leak=0.1", "rnn:leak=0.01"),
    ),
    "both_directions": _preset(
        "Two layers, both directions",
        "Each layer reads both ways, so error comes down into layer 1 at both ends of the "
        "sequence: in the middle of the RNN it is over 8 decades smaller than at either end (thin "
        "line). In layer 2 it loses over 15 decades on its way, in either direction.",
        models=("rnn", "lstm"),
        layers=2,
        bidirectional="yes",
    ),
}
