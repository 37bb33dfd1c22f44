"""What a watch has seen: the backward passes, and for each module the runs that they come to."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.diagnosis import WHOLE, Report, called, diagnose_passages
from rnnviz.experiment.runs import Run
from rnnviz.models.diagnosis import clipped
from rnnviz.models.saved_runs import save_passages
from rnnviz.models.watched import Passage, torch_grads
from rnnviz.torch.calls import Call, Chain, array_of
from rnnviz.torch.gathering import Gathering
from rnnviz.torch.layers import LayeredCall

ROUNDING = {"float64": 1e-9, "float32": 1e-3}
"""The largest part of a weight's gradient that rounding explains."""

AnyCall = Call | Chain | LayeredCall


@dataclass(eq=False)
class Arrived:
    """What one backward brought to a call: how many steps it had then, and step -> gradients, as
    `Gradients` are. sent: by step and output, what the call's next step has sent there, until all
    that arrives there is known."""

    steps: int
    gradients: dict[int, dict[int, Any]] = field(default_factory=dict)
    sent: dict[tuple[int, int], Any] = field(default_factory=dict)


@dataclass(eq=False)
class Backward:
    """One backward pass: module -> its calls that it went through, and by a parameter's id what
    it brought to it."""

    task: int
    calls: dict[str, dict[AnyCall, Arrived]] = field(default_factory=dict)
    d_params: dict[int, Any] = field(default_factory=dict)


class Seen(Mapping[str, Run]):
    """Name of a recurrent module -> the `Run` of its last call in the last backward pass.

    `passages` and `run` have the calls and backward passes before; `other_ways` what else reaches
    the weights; `notes` what is to be said of all this; `save` writes a file. Runs are computed
    when they are asked for.
    """

    def __init__(self, modules: Mapping[str, Any], every: int, keep: int) -> None:
        self.modules, self.every = dict(modules), every
        self.gathering = Gathering(keep)
        self.backwards: deque[Backward] = deque(maxlen=keep)
        self.refused: dict[str, str] = {}
        self.without_gradient: Counter[str] = Counter()
        self.said: dict[str, None] = {}
        self.elsewhere: set[int] = set()
        self.weights: dict[str, dict[str, int]] = {}
        self._last_task, self._count, self._passages = -1, 0, dict[Any, Passage]()

    def __getitem__(self, name: str) -> Run:
        return self.run(name)

    def __contains__(self, name: object) -> bool:
        return name in self.modules and bool(self._of(str(name)))

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.modules if self._of(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def run(self, name: str, backward: int = -1, call: int = -1) -> Run:
        """The run of one call in one backward pass: of those that are kept, the last unless said
        otherwise. Raises ValueError where nothing was seen of the module, with the reason."""
        return self.passages(name, backward)[call].run

    def passages(self, name: str, backward: int = -1) -> tuple[Passage, ...]:
        """Every call of a module that one backward pass went through, in the order of the calls."""
        if name not in self.modules:
            raise KeyError(
                f"{name!r} is none of {', '.join(map(repr, self.modules)) or 'no module'}"
            )
        kept = self._of(name)
        if not kept:
            raise ValueError(f"{called(name)}: {self._why_not(name)}")
        one = kept[backward]
        calls = sorted(one.calls[name].items(), key=lambda item: item[0].index)
        return tuple(self._passage(one, call, arrived) for call, arrived in calls)

    def other_ways(self, name: str, backward: int = -1) -> dict[str, float]:
        """Weight -> which part of what one backward pass brought to it did not come through the
        outputs of watched modules: 0 to 1, or more where parts cancel. Of penalties, of other
        uses of the weight, of a hook that changes gradients. Without weights that got nothing."""
        one = self._of(name)[backward]
        found = {}
        for weight, key in self.weights[name].items():
            if key in one.d_params:
                theirs = array_of(one.d_params[key]).astype(np.float64)
                with np.errstate(all="ignore"):
                    size = float(np.linalg.norm(theirs))
                    rest = float(np.linalg.norm(theirs - self._through_modules(one, key)))
                found[weight] = rest / size if size else 0.0
        return found

    def _through_modules(self, one: Backward, key: int) -> Array:
        """Our gradient of a parameter, summed over all calls of all modules that have it."""
        total: Array = np.zeros(())
        for name, calls in one.calls.items():
            weights = [weight for weight, other in self.weights[name].items() if other == key]
            for call, arrived in calls.items() if weights else ():
                grads = torch_grads(self._passage(one, call, arrived).trace)
                for weight in weights:
                    ours = grads[weight if weight in grads else f"{weight}_l0"]  # a cell's
                    total = total + ours.astype(np.float64)
        return total

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said: how near the runs are to what PyTorch computed, what else reaches the
        weights, which calls no gradient reached, what was not seen."""
        absent = (name for name in self.modules if name not in self)
        found = [f"{called(name)}: {self._why_not(name)}" for name in absent]
        for name in self:
            found += self._notes_of(name)
        if not self.modules:
            found.append("the model has no nn.RNN, nn.LSTM, nn.GRU or nn.*Cell to be watched")
        if self.elsewhere:
            found.append(f"{len(self.elsewhere)} backward passes reached weights through no call "
                         "that was watched")  # fmt: skip
        return (*self.said, *found)

    def _notes_of(self, name: str) -> list[str]:
        own = called(name)
        try:
            passages = self.passages(name)
            off = np.max([passage.deviation for passage in passages])
        except ValueError as error:
            return [f"{own}: {error}"]
        kind, calls = passages[-1].dtype, passages[-1].calls
        found = [
            f"{own}: outputs differ from PyTorch's, in {kind}, by at most {off:.1e}"
            if np.isfinite(off)
            else f"{own}: outputs are not all finite: how near they are to PyTorch's is not said"
        ]
        if calls > 1:
            found.append(f"{own}: {calls} calls in one backward pass go on from one another: they "
                         "are seen apart, and what is said is of the last alone")  # fmt: skip
        for weight, part in self._told_ways(name).items():
            if ROUNDING.get(kind, 0.1) < part < np.inf:
                found.append(f"{own}.{weight}: the gradient reaches the weight by other ways: "
                             f"{100 * part:.3g} %")  # fmt: skip
        if count := self.without_gradient[name]:
            found.append(f"{own}: {count} more calls needed no gradient (no_grad, eval or frozen)")
        return found

    def _told_ways(self, name: str) -> dict[str, float]:
        """`other_ways`, where all modules that have the weights can be run again."""
        try:
            return self.other_ways(name)
        except ValueError:
            return {}

    def _why_not(self, name: str) -> str:
        if name in self.refused:
            return self.refused[name]
        if count := self.without_gradient[name]:
            return (f"{count} calls needed no gradient: none of its outputs has one (no_grad, or "
                    "frozen parameters and inputs)")  # fmt: skip
        return ("no backward pass went through a call of it: call it and loss.backward() inside "
                "the with block, and watch a model before torch.compile")  # fmt: skip

    def diagnose(
        self, lag: int | None = None, clip: float | None = None, adaptive: bool = False
    ) -> Report:
        """What is wrong with the gradients of each module's last run; see `rnnviz.diagnosis`.

        clip: the norm that the training clips at, if it does; adaptive: whether its optimizer
        divides by the usual size of a gradient (Adam, RMSprop), which undoes clipping. Measured is
        what stands in .grad of the watched modules' weights after a backward pass, of passes that
        add up the last; it is assumed that clipping sees the same. Where a loss scaler takes the
        steps inside the with block, or gradients are changed more than once before a step, clipping
        is not judged, and a note says so. Raises ValueError for a lag below 1 and for a clip that
        is not above 0.
        """
        last = {name: self.passages(name)[-1] for name in self}
        if clip is None:
            return diagnose_passages(last, lag, self.notes)
        norms, notes = self.gathering.norms, self.notes
        found = clipped(norms, clip, WHOLE, adaptive, self.gathering.span)
        lost = len(norms) - int(np.isfinite(norms).sum())
        if adaptive:
            return diagnose_passages(last, lag, notes)
        if why := self.gathering.why_not(sum(map(len, self.weights.values()))):
            notes = (*notes, f"clipping at {clip:g} is not judged: {why}")
            return diagnose_passages(last, lag, notes)
        if lost:
            notes = (*notes, f"clipping at {clip:g} is judged without {lost} backward passes that "
                             "left gradients that are not finite")  # fmt: skip
        return diagnose_passages(last, lag, notes, () if found is None else (found,))

    @property
    def norms(self) -> tuple[float, ...]:
        """Of each backward pass that is kept, the norm of what it brought to the weights of all
        watched modules."""
        every = ([array_of(d).astype(np.float64) for d in one.d_params.values()]
                 for one in self.backwards)  # fmt: skip
        return tuple(float(np.sqrt(sum((d**2).sum() for d in each))) for each in every)

    def save(self, path: str | Path) -> None:
        """Write the last run of every module: a .npz file that `rnnviz.models.read_runs` reads.

        Raises ValueError where nothing was seen, with the reasons.
        """
        if not self:
            raise ValueError(f"nothing was seen that could be saved: {'; '.join(self.notes)}")
        save_passages({name: self.passages(name)[-1] for name in self}, Path(path))

    def _of(self, name: str) -> list[Backward]:
        return [backward for backward in self.backwards if name in backward.calls]

    def _passage(self, one: Backward, call: AnyCall, arrived: Arrived) -> Passage:
        """Made once for each call and backward pass that is kept."""
        key = one.task, call
        if key not in self._passages:
            kept = {b.task for b in self.backwards}
            self._passages = {k: p for k, p in self._passages.items() if k[0] in kept}
            self._passages[key] = replace(
                call.passage(arrived.gradients, arrived.steps), calls=_apart(one, call)
            )
        return self._passages[key]

    @property
    def recording(self) -> bool:
        """Whether calls of the next backward pass are copied."""
        return self._count % self.every == 0

    @property
    def was_recording(self) -> bool:
        """Whether the calls of the backward pass that runs now were copied."""
        return (self._count - 1) % self.every == 0

    def begins(self, task: int) -> None:
        """Count a backward pass when it is first heard of."""
        if task != self._last_task:
            self._last_task, self._count = task, self._count + 1

    def backward(self, task: int) -> Backward | None:
        """The kept backward pass of that number."""
        return next((b for b in reversed(self.backwards) if b.task == task), None)

    def arrive(self, name: str, task: int, at: tuple[AnyCall, int, int], gradient: Any) -> None:
        """Keep what a backward pass brought to a call, at one of its steps, by an output."""
        call, step, output = at
        arrived = self._arrived(name, task, call)
        sent = arrived.sent.pop((step, output), None)
        direct = gradient if sent is None else _without(gradient, sent)
        arrived.gradients.setdefault(step, {})[output] = direct

    def send(self, name: str, task: int, to: tuple[AnyCall, int, int], gradient: Any) -> None:
        """Keep what a step of a call has sent to an output of the one before, by one of its ways
        there: it will be part of what arrives."""
        call, step, output = to
        sent = self._arrived(name, task, call).sent
        before = sent.get((step, output))
        sent[step, output] = gradient if before is None else before + gradient

    def _arrived(self, name: str, task: int, call: AnyCall) -> Arrived:
        self.begins(task)
        one = self.backward(task)
        if one is None:
            one = Backward(task)
            self.backwards.append(one)
        return one.calls.setdefault(name, {}).setdefault(call, Arrived(call.steps))


def _apart(one: Backward, call: AnyCall) -> int:
    """Of how many calls of its module in a backward pass, that go on from one another, a call is
    one; 1 if it is a whole sequence."""
    calls = next(calls for calls in one.calls.values() if call in calls)
    return len(calls) if any(each.continues for each in calls) else 1


def _without(gradient: Any, sent: Any) -> Any:
    """What of a gradient was not sent by the next step. Nothing can be told where that is not
    finite: the infinite takes up all else, and began later."""
    import torch

    return torch.where(torch.isfinite(sent), gradient - sent, torch.zeros_like(gradient))
