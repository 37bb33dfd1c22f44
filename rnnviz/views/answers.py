"""What a page says of an experiment that nobody has run yet, in one piece: a worker makes it, and
its run, which is large, stays there."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from rnnviz.analysis.selfcheck.checks import QUICK, Trust, trust
from rnnviz.experiment import Experiment, Run, run
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.wording.texts import speak

Choices = gradient_flow.Choices | spectrum.Choices | gates.Choices
View = gradient_flow.View | spectrum.View | gates.View
VIEWS: dict[type[Any], Callable[[Run, Any], View]] = {
    gradient_flow.Choices: gradient_flow.view,
    spectrum.Choices: spectrum.view,
    gates.Choices: gates.view,
}


@dataclass(frozen=True, eq=False)
class Answer:
    """A view, and the quick checks of each model's run, if they were asked for."""

    view: View
    checks: tuple[Trust, ...] | None


def answer(experiment: Experiment, choices: Choices, spoken: str, checked: bool) -> Answer:
    """Run the experiment, and say in the language `spoken` what the page of these choices shows.

    Examples
    --------
    >>> small = Experiment(models=("rnn",), seq_len=5, hidden_size=3, batch_size=2)
    >>> answer(small, gradient_flow.Choices(), "en", checked=False).view.flows[0].label
    'rnn'
    """
    return copy_context().run(_answer, experiment, choices, spoken, checked)


def _answer(experiment: Experiment, choices: Choices, spoken: str, checked: bool) -> Answer:
    speak(spoken)
    made = run(experiment)
    return Answer(VIEWS[type(choices)](made, choices), quick_checks(made) if checked else None)


def quick_checks(made: Run) -> tuple[Trust, ...]:
    """What a few milliseconds can check of each model's run."""
    return tuple(trust(made[label], made.batch, label, QUICK) for label in made)
