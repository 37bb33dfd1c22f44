"""Gradients as they add up in .grad, one backward pass after the other, until a step takes them:
what clipping sees, unless something changes them before."""

from __future__ import annotations

import inspect
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

SCALED = "a loss scaler takes the steps, and the gradients that it clips are scaled back before"
CHANGED = "the gradients are changed more than once between a backward pass and the step"
INSIDE = "gradients are taken while the backward pass goes on"
NO_WEIGHTS = "no watched module has a weight of its own that takes gradients"
NOWHERE = "no backward pass that is kept left a gradient in .grad of a watched module's weight"
BETWEEN = "no backward pass that is kept was the last before its gradients were cleared"
NOT_FINITE = "no backward pass that is kept left gradients that are finite"


@dataclass(eq=False)
class Gathered:
    """What stood in .grad after one backward pass. number: how many passes there were until then,
    it included; passes: how many had added up to it; added_to: whether another one did, and it was
    not the last. squares: parameter's id -> ‖.grad‖²."""

    task: int
    number: int = 0
    passes: int = 1
    added_to: bool = False
    squares: dict[int, Any] = field(default_factory=dict)

    @property
    def norm(self) -> float:
        """Of all of them together."""
        return float(sum(map(float, self.squares.values()))) ** 0.5


class Gathering:
    """What stood in .grad after each of the last backward passes. doubt: why the norm that is
    clipped is another one, "" if nothing speaks for that."""

    def __init__(self, keep: int) -> None:
        self.kept: deque[Gathered] = deque(maxlen=keep)
        self.doubt = ""
        self._last, self._before = Gathered(-1), Gathered(-1)
        self._standing: dict[int, tuple[int, int, int]] = {}

    @property
    def norms(self) -> tuple[float, ...]:
        """Of each gradient that is whole."""
        return tuple(one.norm for one in self._whole())

    @property
    def span(self) -> int:
        """Of how many of the last backward passes, kept or not, they are."""
        return self._last.number + 1 - min(one.number for one in self._whole() or [self._last])

    def _whole(self) -> list[Gathered]:
        """Of passes that add up, the last. The very last is not yet whole where fewer passes came
        to it than to others."""
        whole = [one for one in self.kept if one.squares and not one.added_to]
        most = max((one.passes for one in whole), default=0)
        if whole and whole[-1] is self._last and self._last.passes < most:
            whole.pop()
        return whole

    def why_not(self, weights: int) -> str:
        """Why nothing is known of what is clipped; "" where something is. weights: how many there
        are that are watched and take gradients."""
        if self.doubt or not weights:
            return self.doubt or NO_WEIGHTS
        if not any(one.squares for one in self.kept):
            return NOWHERE
        norms = self.norms
        return BETWEEN * (not norms) or NOT_FINITE * (not any(map(math.isfinite, norms)))

    def add(self, task: int, parameter: Any, adds: bool, keep: bool) -> None:
        """Keep what stands in a parameter's .grad after a backward pass has brought its part. adds:
        whether something stood there before, of this pass maybe; keep: whether the pass is one that
        is kept."""
        from torch.linalg import vector_norm

        if parameter.grad is None:  # a step inside the backward pass has taken it
            self.doubt = self.doubt or INSIDE
            return
        if task != self._last.task:
            self._before = self._last
            self._last = Gathered(task, self._before.number + 1)
            if keep:
                self.kept.append(self._last)
        if adds and self._standing.get(id(parameter), (-1,))[0] != task:
            self._before.added_to, self._last.passes = True, self._before.passes + 1
        gradient = parameter.grad.detach()
        self._standing[id(parameter)] = task, gradient.data_ptr(), gradient._version
        if keep:
            self._last.squares[id(parameter)] = vector_norm(gradient.double()) ** 2

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Look for what has changed the gradients, before an optimizer takes them. Clipping does so
        once; a loss scaler leaves no trace in them."""
        from torch.compiler import is_compiling

        if is_compiling():
            return
        ours = [p for group in optimizer.param_groups for p in group["params"]
                if id(p) in self._standing and p.grad is not None]  # fmt: skip
        if ours and _of_scaler():
            self.doubt = SCALED
        elif any(map(self._changed, ours)):
            self.doubt = self.doubt or CHANGED

    def _changed(self, parameter: Any) -> bool:
        """Whether its gradient is another tensor than the last backward pass has left, or was
        changed in place more than once."""
        task, place, version = self._standing[id(parameter)]
        gradient = parameter.grad
        changed = gradient.data_ptr() != place or gradient._version > version + 1
        return bool(changed and task == self._last.task)


def _of_scaler() -> bool:
    """Whether a loss scaler has called what runs now: it tells an optimizer nothing of itself.
    Frames are known by their code: their variables, once looked at, would live on."""
    from torch.amp import GradScaler

    kinds = list(GradScaler.__mro__)
    for kind in kinds:  # those that derive from it, too
        kinds += kind.__subclasses__() if issubclass(kind, GradScaler) else []
    codes = {function.__code__ for of in kinds for function in vars(of).values()
             if hasattr(function, "__code__")}  # fmt: skip
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False
