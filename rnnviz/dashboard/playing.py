"""Training while it plays, past the script: a slice of it, and what the first screen shows then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rnnviz.dashboard import compute, definitions
from rnnviz.dashboard.asked import TrainingChoices
from rnnviz.dashboard.frames import Frame, framed, of_training
from rnnviz.dashboard.runs_table import ghosts
from rnnviz.dashboard.trained import trained
from rnnviz.dashboard.training import Visit
from rnnviz.jobs.training import Training
from rnnviz.views import train
from rnnviz.wording.texts import speak


@dataclass(frozen=True, eq=False)
class Stage:
    """What the script of a visit's Train page has drawn of a run that plays. updates: of a slice,
    see `Speed`; stopped: how many of its models had stopped; defined: terms that the page had
    defined before; save: keeps the visit."""

    visit: Visit
    updates: int | None
    choices: TrainingChoices
    stopped: int
    defined: tuple[str, ...]
    language: str
    save: Callable[[Visit], None]


def slice_frames(stage: Stage) -> Iterator[Frame]:
    """Train, and say what the page shows then. Where it has another button or a message then, the
    frame "end" says that its script is to draw it, and there is no other."""
    speak(stage.language)
    visit = stage.visit
    if visit.playing:
        visit.advance(stage.updates)
        stage.save(visit)
    run = visit.training
    shown = run is not None and visit.playing and stopped(run) == stage.stopped
    if run is not None and shown:
        choices = stage.choices
        with definitions.afresh(stage.defined):
            drawn = of_training(run, view_of(visit, run, choices), choices)
            yield from framed(drawn, trained(run))
    yield "end", json.dumps({"shown": shown}).encode()


def stopped(run: Training) -> int:
    """How many models of a run have."""
    return sum(bool(trainee.event) for trainee in run.trainees.values())


def view_of(visit: Visit, run: Training, choices: TrainingChoices) -> train.View:
    """What the page says of a visit's run, beside what the visit compares it with."""
    known = compute.levels(run.experiment, choices.states)
    return train.view(run, choices.of_page, known, ghosts(visit), visit.ahead.job)
