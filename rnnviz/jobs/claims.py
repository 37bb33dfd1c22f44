"""The popular sentences put to the test: which results each has so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from rnnviz.claims.growth import draw
from rnnviz.claims.highway import carry_draw
from rnnviz.claims.reduction import reduction
from rnnviz.claims.stability import CORRELATIONS, LAMBDAS, sensitivity
from rnnviz.claims.truncation import agreement
from rnnviz.experiment import Experiment, estimate, run
from rnnviz.jobs.claims_networks import MOST_SECONDS, clipped_run, not_measured, own_agreement

Clock = Callable[[], float]
Results = tuple[Any, ...]


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
    own: bool = False
    unit: str = "draws"

    def key(self, asked: Asked) -> Hashable:
        """What its results depend on."""
        return asked.seed, asked.hidden_size, repr(asked.experiment) if self.own else ""


CLAIMS: dict[str, Claim] = {
    "sigma": Claim(300, draw),
    "reduction": Claim(40, reduction),
    "highway": Claim(80, carry_draw),
    "clipping": Claim(12, clipped_run, unit="runs"),
    "truncation": Claim(80, agreement, own=True),
    "stability": Claim(
        len(LAMBDAS) * len(CORRELATIONS), lambda seed, _, k: sensitivity(seed, k), unit="units"
    ),
}
"""In the order of the page; the sentences are in `rnnviz.wording.claims`."""


@dataclass(frozen=True, eq=False)
class Claims:
    """What is measured of every claim, in the order of its numbers. first: the claim that comes
    before the others."""

    asked: Asked
    first: str = next(iter(CLAIMS))
    results: dict[str, Results] = field(default_factory=lambda: dict.fromkeys(CLAIMS, ()))

    def total(self, name: str) -> int:
        """Results that a claim will have."""
        return CLAIMS[name].count + CLAIMS[name].own * len(self.asked.experiment.models)

    def is_finished(self, name: str) -> bool:
        return len(self.results[name]) >= self.total(name)

    @property
    def finished(self) -> bool:
        return not self.current

    @property
    def current(self) -> str:
        """The claim that is being measured; "" if all are."""
        order = [self.first, *(name for name in CLAIMS if name != self.first)]
        return next((name for name in order if not self.is_finished(name)), "")


def follow(now: Claims | None, asked: Asked, first: str) -> Claims:
    """What was measured for these settings, and nothing yet of what was not; `first` comes
    first."""
    if now is None:
        return Claims(asked, first)
    if (now.asked, now.first) == (asked, first):
        return now
    same = {name: claim.key(now.asked) == claim.key(asked) for name, claim in CLAIMS.items()}
    return Claims(asked, first, {name: now.results[name] if same[name] else () for name in CLAIMS})


Measure = Callable[[Asked, str, int], Any]


def measure(asked: Asked, name: str, number: int) -> Any:
    """Result `number` of a claim: of a random draw, then of the visitor's own networks."""
    claim = CLAIMS[name]
    if number < claim.count:
        return claim.measure(asked.seed, asked.hidden_size, number)
    experiment, label = asked.experiment, own_label(asked, name, number)
    if estimate(experiment).seconds > MOST_SECONDS:
        return not_measured(experiment, label)
    return own_agreement(run(experiment), label)


def own_label(asked: Asked, name: str, number: int) -> str:
    """Which of the visitor's networks a result is of; "" for a draw."""
    own = number - CLAIMS[name].count
    return str(asked.experiment.models[own]) if own >= 0 else ""


def advance(
    claims: Claims, seconds: float, measure: Measure = measure, clock: Clock = time.perf_counter
) -> tuple[Claims, Results]:
    """Measure one claim until the time is up or it is finished; at least one result, if any is
    missing."""
    end, name, found = clock() + seconds, claims.current, list[Any]()
    if not name:
        return claims, ()
    known = claims.results[name]
    while len(known) + len(found) < claims.total(name):
        found.append(measure(claims.asked, name, len(known) + len(found)))
        if clock() >= end:
            break
    return replace(claims, results={**claims.results, name: (*known, *found)}), tuple(found)
