"""The cells beyond the plain ones, by name, and problems for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rnnviz.core import GRU, GRU_VARIANTS, LSTM, LSTM_VARIANTS, RNN, Cell
from rnnviz.core.activations import ACTIVATIONS
from tests.core.support import Problem, problem_of

VARIANTS: dict[str, Callable[[int, int], Cell]] = {
    **{f"rnn leaky {name}": partial(RNN, activation=name, leak=0.3) for name in ACTIVATIONS},
    **{f"lstm {name}": partial(LSTM, **options) for name, options in LSTM_VARIANTS.items()},
    "lstm cifg peepholes": partial(LSTM, coupled=True, peepholes=True),
    "lstm nig peepholes": partial(LSTM, fixed=(("i", 1.0),), peepholes=True),
    "lstm nfg peepholes": partial(LSTM, fixed=(("f", 1.0),), peepholes=True),
    "lstm nog peepholes": partial(LSTM, fixed=(("o", 1.0),), peepholes=True),
    "lstm niaf peepholes": partial(LSTM, candidate="identity", peepholes=True),
    "lstm noaf peepholes": partial(LSTM, output="identity", peepholes=True),
    "lstm f = 0.7": partial(LSTM, fixed=(("f", 0.7),)),
    "lstm cifg o = 0.4": partial(LSTM, coupled=True, fixed=(("o", 0.4),), output="identity"),
    "lstm linear": partial(LSTM, candidate="identity", output="identity", peepholes=True),
    "lstm relu": partial(LSTM, candidate="relu", output="relu"),
    "lstm hard relu cifg peepholes": partial(
        LSTM, candidate="relu", coupled=True, peepholes=True, gate_activation="hard_sigmoid"
    ),
    **{f"gru {name}": partial(GRU, **options) for name, options in GRU_VARIANTS.items()},
}

SKIPPING: dict[str, Callable[[int, int], Cell]] = {
    "rnn leaky skip": partial(RNN, leak=0.3, skip=2),
    "lstm peepholes skip": partial(LSTM, peepholes=True, skip=3),
    "lstm cifg skip": partial(LSTM, coupled=True, skip=2),
    "lstm nfg skip": partial(LSTM, fixed=(("f", 1.0),), skip=2),
    "gru reset_before skip": partial(GRU, reset="before", skip=3),
}


def variant_problem(name: str, T: int, B: int, D: int, H: int, seed: int = 0) -> Problem:
    """A random problem of a variant by its name."""
    return problem_of((VARIANTS | SKIPPING)[name](D, H), T, B, seed)
