"""The claims of a visit: which results each has so far. No threads: who calls `advance` does the
work, slice by slice."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import streamlit as st

from rnnviz.claims.growth import draw
from rnnviz.claims.highway import carry_draw
from rnnviz.claims.influence import EXACT, influence_curve
from rnnviz.claims.reduction import reduction
from rnnviz.claims.stability import CORRELATIONS, LAMBDAS, sensitivity
from rnnviz.claims.truncation import agreement
from rnnviz.dashboard.claims_runs import clipped_run, own_agreement
from rnnviz.dashboard.turning import Turning
from rnnviz.experiment import Experiment
from rnnviz.plots import claims as plots
from rnnviz.plots import claims_cells, claims_theory, claims_training
from rnnviz.plots.drawing import Drawing
from rnnviz.wording import claims as words
from rnnviz.wording.claims import MEASURING, Said

SLICE = 0.2
"""Seconds of work in one slice at most, unless a single result takes longer."""
DRAW_EVERY = 0.8
"""Seconds between two pictures while results come in."""
Clock = Callable[[], float]
Results = Sequence[Any]


@dataclass(frozen=True)
class Asked:
    """What a visitor wants measured: another seed redraws everything. experiment: whose networks
    are measured too."""

    seed: int
    hidden_size: int
    experiment: Experiment


@dataclass(frozen=True)
class Claim:
    """How a sentence is put to the test. count: of random draws; measure(seed, H, k): result k.
    unit: what one result is, in the plural. own: whether the visitor's networks are measured too,
    after the draws."""

    count: int
    measure: Callable[[int, int, int], Any]
    words: Callable[[Results], Said]
    figure: Callable[..., Drawing]
    own: bool = False
    unit: str = "draws"

    def total(self, asked: Asked) -> int:
        return self.count + (len(asked.experiment.models) if self.own else 0)


def _truncation_words(found: Results) -> Said:
    first = influence_curve().first_right
    return words.truncation_words(found, (first or 1) - 1)


def _truncation_figure(found: Results, *, height: int) -> Drawing:
    return claims_training.truncation_figure.plain(found, influence_curve(), EXACT, height=height)


CLAIMS: dict[str, Claim] = {
    "sigma": Claim(300, draw, words.growth_words, plots.growth_figure.plain),
    "reduction": Claim(40, reduction, words.reduction_words, claims_cells.reduction_figure.plain),
    "highway": Claim(80, carry_draw, words.carry_words, claims_cells.carry_figure.plain),
    "clipping": Claim(12, clipped_run, words.clipping_words, claims_training.clipping_figure.plain,
                      unit="runs"),
    "truncation": Claim(80, agreement, _truncation_words, _truncation_figure, own=True),
    "stability": Claim(len(LAMBDAS) * len(CORRELATIONS), lambda seed, _, k: sensitivity(seed, k),
                       words.stability_words, claims_theory.stability_figure.plain, unit="units"),
}  # fmt: skip
"""In the order of the page; the sentences are in `claims_words`."""


@st.cache_resource(max_entries=10_000, show_spinner=False)
def _drawn(name: str, seed: int, hidden_size: int, number: int) -> Any:
    """One result, for all visitors."""
    return CLAIMS[name].measure(seed, hidden_size, number)


@st.cache_resource(max_entries=100, show_spinner=False, hash_funcs={Experiment: repr})
def _of_own(experiment: Experiment, label: str) -> Any:
    return own_agreement(experiment, label)


@dataclass(eq=False)
class Work:
    """One claim's results so far, in the order of their numbers."""

    name: str
    asked: Asked
    found: list[Any] = field(default_factory=list)
    drawn: tuple[float, tuple[Hashable, int] | None, Any] = (0.0, None, None)
    _said: tuple[int, Said] = (0, MEASURING)

    @property
    def claim(self) -> Claim:
        return CLAIMS[self.name]

    @property
    def total(self) -> int:
        return self.claim.total(self.asked)

    @property
    def finished(self) -> bool:
        return len(self.found) >= self.total

    def advance(self, end: float, clock: Clock) -> None:
        """Measure until the time is up or nothing is left; at least one."""
        while not self.finished:
            self.found.append(self._measure(len(self.found)))
            if clock() >= end:
                return

    def so_far(self, count: int) -> str:
        """How far it is with `count` results: "280 of 300 draws"."""
        most, unit = self.claim.count, self.claim.unit
        said = f"{min(count, most):,} of {most:,} {unit}"
        return (
            said if count <= most else f"{said}, {count - most} of your {self.total - most} models"
        )

    def _measure(self, number: int) -> Any:
        if number < self.claim.count:
            return _drawn(self.name, self.asked.seed, self.asked.hidden_size, number)
        experiment = self.asked.experiment
        return _of_own(experiment, str(experiment.models[number - self.claim.count]))

    def said(self) -> Said:
        """The verdict on the results so far."""
        if self._said[0] != len(self.found):
            self._said = len(self.found), self.claim.words(self.found)
        return self._said[1]

    def picture(self, of: Hashable, make: Callable[[], Any], clock: Clock = time.monotonic) -> Any:
        """What `make` makes of the results; while they grow, one some tenths of a second old."""
        now, count = clock(), len(self.found)
        at, shown, before = self.drawn
        growing = not self.finished and now - at < DRAW_EVERY
        if shown is not None and (shown == (of, count) or (shown[0] == of and growing)):
            return before
        self.drawn = now, (of, count), make()
        return self.drawn[2]


@dataclass(eq=False)
class Visit:
    """What a visit has measured of every claim, and what it wants next.

    Streamlit starts a script before the one that it replaces has ended: they take turns.
    """

    works: dict[str, Work] = field(default_factory=dict)
    slices: int = 0
    """How often the page was drawn, which tells the browser that its tick was answered."""
    turning: Turning = field(default_factory=Turning)
    _turn: Lock = field(default_factory=Lock)

    def follow(self, asked: Asked) -> None:
        """Keep what was measured for these settings, begin anew what was not."""
        for name, claim in CLAIMS.items():
            now = self.works.get(name)
            if now is None or _key(claim, now.asked) != _key(claim, asked):
                self.works[name] = Work(name, asked)

    def advance(
        self, chosen: str, seconds: float = SLICE, clock: Clock = time.perf_counter
    ) -> None:
        """A slice of work: on the chosen claim first, then on the others, one after the other."""
        with self._turn:
            end = clock() + seconds
            if name := self.current(chosen):
                self.works[name].advance(end, clock)

    def current(self, chosen: str) -> str:
        """The claim that is being measured; "" if all are."""
        order = [chosen, *(name for name in CLAIMS if name != chosen)]
        return next((name for name in order if not self.works[name].finished), "")

    @property
    def finished(self) -> bool:
        return all(work.finished for work in self.works.values())


def _key(claim: Claim, asked: Asked) -> Hashable:
    own = repr(asked.experiment) if claim.own else ""
    return asked.seed, asked.hidden_size, own


def visit() -> Visit:
    """What this visit has measured; it ends with the visit."""
    if "claims" not in st.session_state:
        st.session_state["claims"] = Visit()
    found: Visit = st.session_state["claims"]
    return found
