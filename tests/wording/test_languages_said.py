"""What is said of a run, a claim or a training has the same numbers in every language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rnnviz.claims.growth import draws
from rnnviz.diagnosis import diagnose
from rnnviz.experiment import Experiment, run
from rnnviz.views import gates, gradient_flow, spectrum
from rnnviz.views.picture import Picture, Words
from rnnviz.wording.claims import (
    carry_words,
    clipping_words,
    growth_words,
    reduction_words,
    truncation_words,
)
from rnnviz.wording.texts import ENGLISH, speak_in
from rnnviz.wording.training import Unseen, clip_words, course_words
from tests.claims.support import agreeing, carried, clipped, drawn, reduced
from tests.plots.courses import course
from tests.wording.test_languages import OTHERS, WORD, numbers

SMALL: dict[str, Any] = {"hidden_size": 8, "batch_size": 4}
RUNS = (
    Experiment(seq_len=24, **SMALL),
    Experiment(models=("rnn", "gru"), seq_len=60, gain=1.2, seed=1, **SMALL),
    Experiment(models=("rnn", "lstm:forget_bias=0"), seq_len=40, gain=3, **SMALL),
    Experiment(models=("lstm", "gru"), seq_len=12, loss_at="every", **SMALL),
    Experiment(models=("rnn",), seq_len=30, init="delay_line", activation="identity", **SMALL),
    Experiment(models=("rnn",), seq_len=500, activation="relu", gain=16, **SMALL),
)


def said_of(experiment: Experiment) -> Iterator[str]:
    """All sentences of three pages on a run, and its diagnosis."""
    made = run(experiment)
    for module in (gradient_flow, spectrum, gates):
        for item in module.pictures(module.view(made)):  # type: ignore[attr-defined]
            if isinstance(item, Words):
                yield from item.lines
            elif isinstance(item, Picture):
                yield from (item.alt, item.how)
    yield str(diagnose(made, lag=10))


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("experiment", RUNS, ids=lambda each: f"{each.models[0]}-{each.seq_len}")
def test_what_is_said_of_a_run_has_the_same_numbers(experiment: Experiment, name: str) -> None:
    english = speak_in(ENGLISH, lambda: list(said_of(experiment)))
    other = speak_in(name, lambda: list(said_of(experiment)))
    assert len(other) == len(english)
    for text, said in zip(english, other, strict=True):
        assert numbers(said) == numbers(text), (text, said)
        assert said != text or not WORD.findall(text)


COURSES = [course("rnn"), course("lstm:forget_bias=0", loss_per_answer=[0.3] * 30)]
SPOKEN: dict[str, Callable[[], tuple[str, ...]]] = {
    "growth": lambda: growth_words(list(draws(0, 6, 8))).lines,
    "growth made up": lambda: growth_words([drawn(0.2, -0.1), drawn(-0.2, -0.3)]).lines,
    "reduction": lambda: reduction_words([reduced(0.2, 0.1), reduced(0.4)]).lines,
    "highway": lambda: carry_words([carried(-2.0, -1.0), carried(-0.1, 0.3, 4.0)]).lines,
    "clipping": lambda: clipping_words([clipped([2.0, 0.5], [1.0, 0.5])]).lines,
    "truncation": lambda: truncation_words([agreeing(0.5), agreeing(0.99)], 40).lines,
    "training": lambda: course_words(COURSES, 1.5, "", "accuracy", [Unseen("rnn", 1.2, 0.5)]),
    "clipped": lambda: (clip_words(COURSES, 1.0), clip_words(COURSES, None)),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("what", SPOKEN)
def test_claims_and_training_have_the_same_numbers(what: str, name: str) -> None:
    english, other = speak_in(ENGLISH, SPOKEN[what]), speak_in(name, SPOKEN[what])
    assert [numbers(line) for line in other] == [numbers(line) for line in english]
    assert set(other).isdisjoint(english)
