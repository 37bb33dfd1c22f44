"""What the losses of a training are compared with: the task's baseline, an n-gram model, a hidden
Markov model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rnnviz.experiment import Plan
from rnnviz.tasks.ngram import MAX_ORDER
from rnnviz.training import METRICS
from rnnviz.wording.library import translated
from rnnviz.wording.texts import caption, texts

HIDDEN_STATES, MOST_STATES = 4, 32
"""Of the hidden Markov model, unless chosen otherwise."""


@dataclass(frozen=True)
class Levels:
    """What the losses are compared with. baseline: loss per answer of the best answer that ignores
    the sequence, None if none is known; words: what that answer is. held_out: what it costs on what
    is held out, None where that is the baseline itself. also: what is drawn beside it, by name, and
    `of` says what. metric: what the task's right answers are counted in."""

    baseline: float | None
    words: str
    metric: str
    also: Mapping[str, float] = field(default_factory=dict)
    of: str = ""
    held_out: float | None = None


def levels(plan: Plan, states: int = HIDDEN_STATES) -> Levels:
    """Of the task of an experiment. An n-gram model of a task of language is fitted for it, and a
    hidden Markov model with so many states, none for 0."""
    e, task = plan.experiment, plan.task
    baseline = task.baseline_at(e.seq_len, e.loss_at)
    words = "" if baseline is None else translated(task.baseline_words(e.seq_len, e.loss_at))
    whole = e.loss_at == "every" and task.is_whole(e.seq_len)
    counting, hidden = (_ngram(plan), _hidden_markov(plan, states)) if whole else ({}, {})
    of = _also_words(bool(counting), bool(hidden), task.unseen == "held_out")
    batch = plan.held_out_batch
    unseen = None if batch is None else task.held_out_baseline(batch)
    also = counting | hidden
    if unseen is not None:
        also, of = {caption("baseline_held_out"): unseen}, texts("train")["also_baseline"]
    return Levels(baseline, words, METRICS[plan.batch.loss], also, of, unseen)


def _also_words(counting: bool, hidden: bool, held_out: bool) -> str:
    """What is drawn beside the baseline, and on which sequences."""
    text = texts("train")
    if counting and hidden:
        return text["also_held_out"]
    if hidden:
        return text["also_hidden" if held_out else "also_all"]
    return text["also_counting"] * counting


def _ngram(plan: Plan) -> dict[str, float]:
    """The loss per answer of the best n-gram model on what the task holds out; nothing of a task
    that is not of language, or holds nothing out."""
    losses = {order + 1: plan.task.ngram_loss(order) for order in range(MAX_ORDER + 1)}
    known = {n: loss for n, loss in losses.items() if loss is not None}
    if not known:
        return {}
    n, loss = min(known.items(), key=lambda item: item[1])
    return {caption("best_ngram", n=n): loss}


def _hidden_markov(plan: Plan, states: int) -> dict[str, float]:
    """The same of a hidden Markov model; of counting, of all sequences that there are."""
    task: Any = plan.task
    loss = _hmm_loss(task, states) if states else None
    return {} if loss is None else {caption("hidden_markov", states=states): loss}


@lru_cache(maxsize=16)
def _hmm_loss(task: Any, states: int) -> float | None:
    """Of a `Task`, fitted once, whatever else of an experiment changes."""
    loss: float | None = task.hmm_loss(states)
    return loss
