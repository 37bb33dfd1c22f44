"""Trained networks that come with the package, and how they were made.

`python -m rnnviz checkpoints` makes the files of rnnviz/checkpoints anew from `RECIPES`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core import checks
from rnnviz.core.network import Network
from rnnviz.core.numerics import Array
from rnnviz.experiment.config import Experiment
from rnnviz.experiment.model import Model
from rnnviz.experiment.npz import write_npz
from rnnviz.experiment.runs import held_out, params_after, start
from rnnviz.experiment.weights import settings
from rnnviz.tasks.text import SAMPLE

FOLDER = Path(__file__).parents[1] / "checkpoints"
MAX_BYTES = 100_000


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network: the experiment with its one model and its `train_steps`, and params in
    the experiment's dtype, with the numbers of the file, which are float32.

    scores: what `runs.held_out` says of exactly these parameters.
    """

    name: str
    experiment: Experiment
    network: Network
    params: dict[str, Array]
    scores: dict[str, float]

    @property
    def label(self) -> str:
        return self.experiment.models[0].label


TRAINED: dict[str, Experiment] = {
    "delayed_recall": Experiment(
        (Model("lstm"), Model("gru")), "delayed_recall", seq_len=50, hidden_size=32,
        learning_rate=0.005, clip="norm", train_steps=2000),
    "text": Experiment(
        (Model("lstm"), Model("gru")), "text", seq_len=50, hidden_size=32, memory_bias=1.0,
        loss_at="every", text=SAMPLE, learning_rate=0.01, clip="norm", train_steps=800),
}  # fmt: skip
"""Task -> the experiment whose models come trained."""

RECIPES: dict[str, Experiment] = {
    f"{task}_{model}": replace(experiment, models=(model,))
    for task, experiment in TRAINED.items()
    for model in experiment.models
}


def make(name: str) -> Checkpoint:
    """Train one network by its recipe. Raises ValueError for a name that is not in `RECIPES`."""
    experiment = RECIPES[checks.choice("name", name, RECIPES)]
    ((label, (network, _)),) = start(experiment).items()
    trained = params_after(experiment, label, experiment.train_steps)
    params = {key: p.astype(np.float32).astype(p.dtype) for key, p in trained.items()}
    scores = held_out(experiment, network, params)
    return Checkpoint(name, experiment, network, params, scores)


def save(checkpoint: Checkpoint, folder: Path = FOLDER) -> Path:
    """Write name.npz: each parameter in float32, and "about", a JSON text."""
    path = folder / f"{checkpoint.name}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    about = {"experiment": settings(checkpoint.experiment), "scores": checkpoint.scores}
    arrays: dict[str, Any] = {n: p.astype(np.float32) for n, p in checkpoint.params.items()}
    write_npz(path, {"about": np.array(json.dumps(about)), **arrays})
    return path


def load(name: str, folder: Path = FOLDER) -> Checkpoint:
    """Read one of `RECIPES` from its file.

    Raises ValueError for an unknown name, and for a file that another experiment made or that
    does not hold the network's parameters.
    """
    experiment = RECIPES[checks.choice("name", name, RECIPES)]
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        params = {key: file[key] for key in file.files if key != "about"}
    if about["experiment"] != settings(experiment):
        raise ValueError(f"checkpoint {name} must be of {settings(experiment)}, got "
                         f"{about['experiment']}: run python -m rnnviz checkpoints")  # fmt: skip
    ((network, _),) = start(experiment).values()
    checked = checks.params(params, network.param_shapes())
    cast = {key: value.astype(experiment.dtype) for key, value in checked.items()}
    return Checkpoint(name, experiment, network, cast, about["scores"])


def shipped(experiment: Experiment) -> dict[str, dict[str, Array]]:
    """Label -> parameters, of those models whose training is one of `RECIPES`: they need not be
    trained again."""
    if not experiment.train_steps:
        return {}
    recipes = {recipe: name for name, recipe in RECIPES.items()}
    alone = {str(model): replace(experiment, models=(model,)) for model in experiment.models}
    return {label: load(recipes[e]).params for label, e in alone.items() if e in recipes}
