"""How much of the error reaches the past in each model, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnviz.analysis.rates import Rate
from rnnviz.analysis.verdicts import Reach
from rnnviz.core.numerics import Status
from rnnviz.wording.lists import clauses, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import factor, fraction, significant, steps
from rnnviz.wording.texts import say as say_of
from rnnviz.wording.texts import texts

GROWN = float(np.log10(1.005))
"""Decades from which on a share of the error is more than all of it."""


def reach_words(fields: Mapping[str, Any]) -> str:
    """What is left of the error in each model: what has travelled, totals where new error enters
    on the way, those whose states have exploded by themselves, and those that get none."""
    models: tuple[Reach, ...] = fields["models"]
    known = [model for model in models if not model.unknown and not model.empty]
    travelled = tuple(model for model in known if not model.refilled)
    totals = tuple(model for model in known if model.refilled)
    said = [_travelled(travelled, fields)] if travelled else []
    said += [_total(totals, fields, bool(travelled))] if totals else []
    said += [_say("exploded", model=display_name(m.label)) for m in models if m.unknown]
    said += [_say("no_error", model=display_name(m.label)) for m in models if m.empty]
    return sentences(said)


def _travelled(models: tuple[Reach, ...], fields: Mapping[str, Any]) -> str:
    detailed = {m.label for m in models if m.kind == "rnn"} or {models[0].label}
    grown = [model.log10 > GROWN for model in models]
    parts = [
        sentences(
            [
                _say(
                    _part(number, grown),
                    share=_share(model),
                    end=fields["to_step"],
                    model=display_name(model.label),
                ),
                *_remarks(model, model.label in detailed, fields["from_step"]),
            ]
        )
        for number, model in enumerate(models)
    ]
    kind = "grows" if grown[0] else "reach"
    if fields["own_ends"]:
        kind = "grows_own_ends" if grown[0] else "reach_own_ends"
    return _say(kind, start=fields["from_step"], end=fields["to_step"],
                models=_list(parts, models))  # fmt: skip


def _share(model: Reach) -> str:
    share = fraction(model.log10, model.status)
    return _say("about", share=share) if model.status == Status.LOST else share


def _part(number: int, grown: Sequence[bool]) -> str:
    """How one model's share is said; they are sorted, the greatest loss first."""
    if grown[0]:
        return "reach_further"
    return "reach_grown" if grown[number] else "reach_further" if number else "reach_first"


def _remarks(model: Reach, detailed: bool, common: int) -> list[str]:
    """In brackets: how fast, where in one step, from where if not from where the others begin."""
    said = []
    if model.drop is not None:
        drop = model.drop
        rest = factor(drop.rest.factor_per_step)
        said.append(_say("lost_at_once", start=drop.start, end=drop.end, rest=rest))
    elif model.exploded:
        said.append(texts("verdicts")["linear_steps"])
    elif detailed and model.rate is not None and np.isfinite(model.log10):
        said.append(_pace(model.rate, model.log10))
    return [*said, *_from(model, common)]


def _pace(rate: Rate, reach: float) -> str:
    """(×0.57 a step, halves every 1.2 steps); the time only where it is a step or more. Where most
    of the sequences go the other way than the mean of all, that is said."""
    count, factor_said = rate.halving_steps, factor(rate.factor_per_step)
    if rate.decades_per_step * reach < 0:
        return _say("pace_apart", factor=factor_said)
    if count is None or count < 0.95:
        return _say("pace", factor=factor_said)
    verb = "halves" if rate.verdict == "vanishes" else "doubles"
    each = "_each" * (significant(count) == "1")
    return _say(f"pace_{verb}{each}", factor=factor_said, steps=steps(count))


def _from(model: Reach, common: int) -> list[str]:
    """In brackets: of which step's error it is, where that is not the others'."""
    return [] if model.from_step == common else [_say("from_step", start=model.from_step)]


def _total(models: Sequence[Reach], fields: Mapping[str, Any], others: bool) -> str:
    """What may be said where every step adds error of its own. others: whether it was said of
    others already what has travelled."""
    start = fields["total_from"]
    parts = [
        sentences(
            [
                _say("total_of", share=_share(m), model=display_name(m.label)),
                texts("verdicts")["linear_total"] * m.exploded,
                *_from(m, start),
            ]
        )
        for m in models
    ]
    kind = "total_others" if others else "total"
    return _say(kind, start=start, end=fields["to_step"], models=_list(parts, models))


def _list(parts: Sequence[str], models: Sequence[Reach]) -> str:
    return clauses(parts, [display_name(model.label) for model in models])


def _say(name: str, **values: object) -> str:
    return say_of("verdicts", name, **values)
