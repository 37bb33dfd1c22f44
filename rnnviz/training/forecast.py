"""Forecasts of a series whose answers are its own next values: one step ahead, and free-running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnviz.core import checks
from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.training import sampling


class Forecast(NamedTuple):
    """What a network says of each of n steps that follow a history.

    one_step (n, O): from the series itself up to the step before. free (n, O): from the history and
    the network's own answers since, each read back as the next input.
    """

    one_step: Array
    free: Array


def forecast(network: Network, params: dict[str, Any], history: Array, known: Array) -> Forecast:
    """history (t, D): what is read before the first answer; known (n, D): what came then.

    Raises ValueError for a network that reads backwards, whose answers are no inputs, or whose
    answers are no longer finite.

    Examples
    --------
    >>> series = plan(Experiment(models=("gru",), hidden_size=8, task="stocks"))
    >>> weights = series.init_params("gru")
    >>> found = forecast(series.networks["gru"], weights, np.zeros((5, 6)), np.zeros((4, 6)))
    >>> found.one_step.shape, found.free.shape
    ((4, 6), (4, 6))
    """
    weights = checks.params(params, network.param_shapes())
    position = sampling.read_values(network, weights, sampling.begin(network, weights), history)
    return Forecast(
        _follow(network, weights, position, list(known)),
        _follow(network, weights, position, [None] * len(known)),
    )


def _follow(
    network: Network,
    weights: dict[str, Array],
    position: sampling.Position,
    known: Sequence[Array | None],
) -> Array:
    """The answer before each of these steps; the answer itself is read where none is known."""
    answers: list[Array] = []
    for x in known:
        answers.append(_finite(position))
        read = answers[-1] if x is None else x
        position = sampling.read_values(network, weights, position, read[None])
    return np.array(answers)


def _finite(position: sampling.Position) -> Array:
    if position.y is None or not np.isfinite(position.y).all():
        raise ValueError("y must be finite to be read back, but the network has blown up")
    return position.y
