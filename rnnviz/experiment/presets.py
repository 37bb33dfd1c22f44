"""Experiments worth showing. The title of each and the sentence that it demonstrates are in
wording/en/presets.md.

tests/experiment/test_presets.py runs every preset over several seeds and checks its sentence in
numbers.
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
    """changes: fields of an Experiment that differ from its defaults."""

    changes: Mapping[str, Any]

    def experiment(self, **more: Any) -> Experiment:
        """The preset's experiment, with further changes."""
        return Experiment(**{**self.changes, **more})


def _preset(**changes: Any) -> Preset:
    Experiment(**changes)
    return Preset(MappingProxyType(changes))


PRESETS: dict[str, Preset] = {
    "held_open": _preset(),
    "out_of_the_box": _preset(memory_bias=0.0),
    "knife_edge": _preset(
        models=("rnn",),
        activation="identity",
        init="orthogonal",
        distractor=0.0,
    ),
    "all_twos": _preset(models=("rnn",), init="identity", gain=2.0, distractor=0.0, seq_len=50),
    "blow_up": _preset(init="orthogonal", gain=2.0),
    "input_decides": _preset(models=("rnn",), init="orthogonal", gain=1.5),
    "shift_register": _preset(models=("rnn",), init="delay_line", activation="identity"),
    "flat_is_not_memory": _preset(models=("rnn",), loss_at="every"),
    "chrono": _preset(models=("lstm", "lstm:forget_bias=1"), gate_init="chrono"),
    "relu_identity": _preset(models=("rnn",), init="identity", activation="relu", distractor=0.0),
    "no_gates": _preset(models=("rnn", "lstm:variant=no_gates", "lstm:variant=no_gates_noaf")),
    "skip": _preset(models=("rnn", "rnn:skip=10")),
    "leaky": _preset(models=("rnn", "rnn:leak=0.1", "rnn:leak=0.01")),
    "both_directions": _preset(models=("rnn", "lstm"), layers=2, bidirectional="yes"),
}
