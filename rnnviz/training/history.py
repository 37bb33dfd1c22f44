"""The records of a training run in bounded memory."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, MutableMapping
from copy import copy
from math import inf, isfinite
from statistics import median
from typing import Any, TypeVar

import numpy as np

from rnnviz.core import checks
from rnnviz.training.curves import SCALARS, Curves, curves_of
from rnnviz.training.records import StepRecord, TrainState

V = TypeVar("V")
LIMIT = 1000
"""Records kept, unless said otherwise."""
CHECKPOINT_BYTES = 8 << 20
MEDIAN_OVER = 51
SPIKE = 10.0
"""A spike is a loss or a gradient norm (before clipping) this many times its running median."""
ENTRY_BYTES, RECORD_BYTES, ARRAY_BYTES = 250, 450, 300
"""About what Python takes to hold a record, around its numbers, and around one array of
parameters."""
COLUMNS = ("step", *SCALARS, "event")
Kept = MutableMapping[int, V]


class History:
    """At most `limit` records: the first, the last, every spike, those with held-out numbers, and
    every `stride`-th other one. Where training ended by itself the one before the last stays, too:
    from there it goes on.

    Should held-out numbers fill more than a quarter of the places, every second one of them goes.
    When they no longer fit the stride doubles. A step is a spike if its loss or its gradient
    norm before clipping is more than `spike` times the median of the 51 steps before it. Should
    spikes fill more than half of the places, `spike` rises until they fill a quarter.

    Checkpoints are whole `TrainState`s: `start`, the latest and some in between, within
    `checkpoint_bytes` (but always those two). The network of any step is computed again from the
    nearest one before it. Raises ValueError for a limit below 8.

        for state, record in train(network, start, make_batch, options):
            history.add(state, record)

    Examples
    --------
    >>> history = History(state, limit=100)
    >>> for _, (reached, record) in zip(range(5), train(network, state, planned.batch_at, options)):
    ...     history.add(reached, record)
    >>> history.curves().steps
    array([0, 1, 2, 3, 4])
    """

    def __init__(
        self, start: TrainState, limit: int = LIMIT, checkpoint_bytes: int = CHECKPOINT_BYTES
    ) -> None:
        self._limit = checks.size("limit", limit, 8)
        self._bytes = checks.size("checkpoint_bytes", checkpoint_bytes, 0)
        self._records: dict[int, StepRecord] = {}
        self._heights: dict[int, float] = {}
        self._judged: dict[int, int] = {}
        self._judgements, self._judged_stride = 0, 1
        self._recent = tuple(deque[float](maxlen=MEDIAN_OVER) for _ in range(2))
        self._states = {start.step: start}
        self._state_stride = 1
        self._first = start.step
        self._clipped = 0
        self._largest = float("nan")
        self.stride = 1
        self.spike = SPIKE

    def add(self, state: TrainState, record: StepRecord) -> None:
        """Keep what `train` yields. Raises ValueError for a step that is not the next one."""
        expected = self.last.step + 1 if self._records else self._first
        if record.step != expected:
            raise ValueError(f"record must be of step {expected}, got step {record.step}")
        before = expected - 1
        self._records[record.step] = record
        self._heights[record.step] = self._height(record)
        if record.held_out_loss is not None:
            self._judged[record.step] = self._judgements
            self._judgements += 1
        self._clipped += record.clipped
        if isfinite(record.norm_before):
            self._largest = float(np.fmax(self._largest, record.norm_before))
        if before in self._records and not self._stays(before):
            self._drop(before)
        while len(self._records) > self._limit:
            self._thin()
        self._keep(state)

    @classmethod
    def resumed(
        cls, state: TrainState, records: Iterable[StepRecord], kept: Mapping[str, Any]
    ) -> History:
        """One that goes on from `state` as if it had never stopped. records, kept: those of the
        history that led there; a last step at which training ended, which made no update, is done
        again. Raises ValueError where they lead elsewhere."""
        history, led = cls(state), list(records)
        ended = led.pop() if led and led[-1].event and led[-1].step == state.step else None
        history._records = {record.step: record for record in led}
        steps = list(history._records)
        if not steps or steps[-1] + 1 != state.step:
            raise ValueError(
                f"records must lead to step {state.step}, got {steps[-1:]} as the last"
            )
        history._first, history.stride, history.spike = kept["first"], kept["stride"], kept["spike"]
        history._heights = dict(zip(steps, kept["heights"], strict=ended is None))
        history._recent = tuple(deque(values, MEDIAN_OVER) for values in kept["recent"])
        judged = zip(steps, kept["judged"], strict=ended is None)
        history._judged = {step: number for step, number in judged if number is not None}
        history._judgements, history._judged_stride = kept["judgements"], kept["judged_stride"]
        history._clipped, history._largest = kept["clipped"], kept["largest"]
        if ended is not None:
            history._clipped -= int(ended.clipped)
        return history

    @property
    def kept(self) -> dict[str, Any]:
        """Beside the records, what says which of them stay as it goes on: see `resumed`."""
        return {
            "first": self._first, "stride": self.stride, "spike": self.spike,
            "heights": list(self._heights.values()), "recent": [list(v) for v in self._recent],
            "judged": [self._judged.get(step) for step in self._records],
            "judgements": self._judgements, "judged_stride": self._judged_stride,
            "clipped": self._clipped, "largest": self._largest,
        }  # fmt: skip

    @property
    def first(self) -> int:
        """The training step it begins with."""
        return self._first

    @property
    def records(self) -> tuple[StepRecord, ...]:
        """The stored records, by training step; thinned, see the class."""
        return tuple(self._records.values())

    @property
    def last(self) -> StepRecord:
        """The latest record. Raises ValueError before the first one."""
        if not self._records:
            raise ValueError("history must have a record, it is empty")
        return self._records[next(reversed(self._records))]

    @property
    def clipped_share(self) -> float:
        """Share of all steps, kept or not, whose gradient was clipped; NaN before the first."""
        steps = self.last.step + 1 - self._first if self._records else 0
        return self._clipped / steps if steps else float("nan")

    @property
    def largest_norm(self) -> float:
        """The largest finite gradient norm before clipping of all steps, kept or not; NaN before
        the first."""
        return self._largest

    @property
    def checkpoints(self) -> tuple[TrainState, ...]:
        """The states kept, in order."""
        return tuple(self._states.values())

    def nearest(self, step: int) -> TrainState:
        """The latest checkpoint at or before `step`: `advance` leads from there to `step`.
        Raises ValueError if there is none."""
        steps = sorted(self._states)
        index = bisect_right(steps, step)
        if not index:
            raise ValueError(f"step must be at or after a checkpoint, got {step} and {steps[:1]}")
        return self._states[steps[index - 1]]

    @property
    def nbytes(self) -> int:
        """The memory that records and checkpoints take, objects around the arrays included."""
        return ENTRY_BYTES * len(self._records) + sum(self.parts.values())

    @property
    def parts(self) -> dict[int, int]:
        """The memory of each record and checkpoint, by its `id`."""
        recorded = {id(record): _record_bytes(record) for record in self.records}
        return recorded | {id(state): state_bytes(state) for state in self.checkpoints}

    def sharing(self, records: Kept[StepRecord], states: Kept[TrainState]) -> History:
        """The same with those records and states, by step, that others have kept of the same
        training, in place of its own; they get what they lack. They never change."""
        twin = self.copy()
        twin._records = {step: records.setdefault(step, r) for step, r in self._records.items()}
        twin._states = {step: states.setdefault(step, s) for step, s in self._states.items()}
        return twin

    def copy(self) -> History:
        """A history that goes on by itself from here. Records and states never change: they are
        shared."""
        twin = copy(self)
        twin._records, twin._heights = dict(self._records), dict(self._heights)
        twin._states, twin._judged = dict(self._states), dict(self._judged)
        twin._recent = tuple(deque(values, MEDIAN_OVER) for values in self._recent)
        return twin

    def is_spike(self, step: int) -> bool:
        return self._heights.get(step, 0.0) > self.spike

    def curves(self) -> Curves:
        """Everything kept as arrays."""
        return curves_of(self.records, [self.is_spike(r.step) for r in self.records])

    def rows(self) -> list[dict[str, Any]]:
        """The scalars of each record by name, for tables; None where not recorded."""
        return [{name: getattr(r, name) for name in COLUMNS} for r in self.records]

    def _height(self, record: StepRecord) -> float:
        """How many times its running median the loss or the norm is, whichever is more; inf of
        what is not finite, which joins no running median. Nor does a step at which training ended:
        if it goes on, that step is done again."""
        height = 0.0
        values = (abs(record.loss), record.norm_before)
        for recent, value in zip(self._recent, values, strict=True):
            if not isfinite(value):
                height = inf
                continue
            usual = median(recent) if recent else value
            height = max(height, value / usual if usual else 0.0)
            if not record.event:
                recent.append(value)
        return height

    def _stays(self, step: int) -> bool:
        ends = (self._first, self.last.step, self.last.step - bool(self.last.event))
        judged = step in self._judged and self._judged[step] % self._judged_stride == 0
        return step in ends or step % self.stride == 0 or judged or self.is_spike(step)

    def _thin(self) -> None:
        spikes = sorted(height for height in self._heights.values() if height > self.spike)
        if len(spikes) > self._limit // 2:
            self.spike = spikes[-(self._limit // 4)]
        elif self._judged_still() > self._limit // 4:
            self._judged_stride *= 2
        else:
            self.stride *= 2
        for step in list(self._records):
            if not self._stays(step):
                self._drop(step)

    def _judged_still(self) -> int:
        """How many records stay for their held-out numbers."""
        return sum(number % self._judged_stride == 0 for number in self._judged.values())

    def _drop(self, step: int) -> None:
        del self._records[step], self._heights[step]
        self._judged.pop(step, None)

    def _keep(self, state: TrainState) -> None:
        latest = next(reversed(self._states))
        if latest != self._first and latest % self._state_stride:
            del self._states[latest]
        self._states[state.step] = state
        places = max(2, self._bytes // max(1, state.nbytes))
        while len(self._states) > places:
            self._state_stride *= 2
            for step in list(self._states):
                if step % self._state_stride and step not in (self._first, state.step):
                    del self._states[step]


def state_bytes(state: TrainState) -> int:
    """The memory of parameters and what the optimizer remembers.

    Examples
    --------
    >>> state_bytes(TrainState(0, {"b_y": np.zeros(4)})) - 4 * 8 == ARRAY_BYTES
    True
    """
    return ARRAY_BYTES * (len(state.params) + len(state.moments)) + state.nbytes


def _record_bytes(record: StepRecord) -> int:
    arrays = (record.log10_state, record.singular_values)
    return RECORD_BYTES + sum(a.nbytes for a in arrays if a is not None)
