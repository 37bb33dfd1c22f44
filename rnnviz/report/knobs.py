"""Where a scene's knob may stand in a file, which has a picture of each of these settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.lecture.scenes import Scene
from rnnviz.wording.numbers import minus


def _steps(low: float, high: float, step: float) -> tuple[float, ...]:
    return tuple(round(float(x), 6) for x in np.arange(low, high + step / 2, step))


VALUES: Mapping[str, tuple[float, ...]] = {
    "gain": (*_steps(0.5, 2, 0.05), *_steps(2.25, 4, 0.25)),
    "memory_bias": _steps(-2, 6, 0.25),
    "distractor": _steps(0, 3, 0.1),
    "seq_len": (*_steps(10, 200, 5), *_steps(250, 500, 50)),
}
"""Field -> its values, increasing: the range of the page's slider, close where much changes."""
WHOLE = "seq_len"
"""A field of whole numbers."""


def settings(scene: Scene) -> list[Experiment]:
    """What is drawn, a setting a place of the knob; the scene's own alone where there is none."""
    if not scene.knob:
        return [scene.experiment]
    kind: Callable[[float], Any] = int if scene.knob == WHOLE else float
    values = map(kind, VALUES[scene.knob])
    return [replace(scene.experiment, **{scene.knob: value}) for value in values]


def start(scene: Scene) -> int:
    """The place at which the knob stands first."""
    return settings(scene).index(scene.experiment)


def written(scene: Scene) -> list[str]:
    """Each value as it is read beside the knob."""
    return [minus(f"{value:g}") for value in VALUES[scene.knob]] if scene.knob else []


def ticks(scene: Scene) -> list[int]:
    """The places that are marked: the scene's own ticks."""
    return [VALUES[scene.knob].index(tick) for tick in scene.ticks] if scene.knob else []
