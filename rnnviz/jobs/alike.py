"""What several visitors train alike is kept once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from weakref import WeakValueDictionary

from rnnviz.experiment import Experiment
from rnnviz.jobs.training import Trainee, Training
from rnnviz.training import StepRecord, TrainState


@dataclass(frozen=True, eq=False)
class Shelf:
    """Records and states of one model of one experiment, by training step, while anybody has
    them."""

    records: WeakValueDictionary[int, StepRecord] = field(default_factory=WeakValueDictionary)
    states: WeakValueDictionary[int, TrainState] = field(default_factory=WeakValueDictionary)


@dataclass(frozen=True, eq=False)
class Shelves:
    """Label -> the shelf of that model, of one experiment."""

    of: dict[str, Shelf]


class Alike:
    """The shelves of all that is trained. A step of training depends on the experiment, the model
    and the number of the step alone: in a hall where all follow one link, what one has is what the
    others have. For all threads."""

    def __init__(self) -> None:
        self._shelves = WeakValueDictionary[Experiment, Shelves]()
        self._lock = Lock()

    def shared(self, run: Training) -> tuple[Training, Shelves]:
        """The same training with what others have of it already in place of its own, and the
        shelves, which last as long as anybody keeps them."""
        with self._lock:
            new = Shelves({label: Shelf() for label in run.trainees})
            shelves = self._shelves.setdefault(run.experiment, new)
            trainees = {label: _shared(t, shelves.of[label]) for label, t in run.trainees.items()}
        if all(_same(t, run.trainees[label]) for label, t in trainees.items()):
            return run, shelves
        return replace(run, trainees=trainees), shelves


def _shared(trainee: Trainee, shelf: Shelf) -> Trainee:
    state, shown = (shelf.states.setdefault(s.step, s) for s in (trainee.state, trainee.shown))
    history = trainee.history.sharing(shelf.records, shelf.states)
    return replace(trainee, state=state, shown=shown, history=history)


def _same(a: Trainee, b: Trainee) -> bool:
    """Whether nothing was shared anew."""
    return (a.state, a.shown) == (b.state, b.shown) and a.history.parts == b.history.parts
