"""From a claim's networks to experiments that other pages open."""

from __future__ import annotations

from rnnviz.claims.growth import STEPS, Draw
from rnnviz.experiment import Experiment, Model
from rnnviz.experiment.presets import PRESETS

RNN = (Model("rnn"),)
OPENS: dict[str, tuple[str, Experiment]] = {
    "nilpotent": (
        "gradient-flow",
        Experiment(
            models=RNN,
            init="delay_line",
            hidden_size=2,
            gain=10.0,
            activation="identity",
            seq_len=10,
            distractor=0.0,
        ),
    ),
    "gaussian": (
        "spectrum",
        Experiment(
            models=RNN,
            init="gaussian",
            hidden_size=200,
            gain=0.6,
            activation="identity",
            seq_len=50,
            distractor=0.0,
        ),
    ),
    "saturated": ("gradient-flow", PRESETS["all_twos"].experiment()),
}
"""Counterexample -> the page that shows it best, and its experiment. The fourth has weights and
biases of its own, which no experiment has."""


def experiment_of_draw(draw: Draw) -> Experiment:
    """The experiment that a draw was: the same weights, and the same first sequence."""
    return Experiment(
        models=RNN,
        seq_len=STEPS,
        hidden_size=draw.hidden_size,
        init=draw.init,
        gain=draw.gain,
        activation=draw.activation,
        distractor=draw.input_scale,
        seed=draw.network_seed,
    )
