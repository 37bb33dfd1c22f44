"""What is said of a run's checks: the summary in one line, a check's numbers, the conventions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rnnviz.analysis.selfcheck.checks import (
    GRADIENT,
    NAMES,
    Check,
    Trust,
)
from rnnviz.analysis.selfcheck.noise import MOST, STRICT
from rnnviz.wording.lists import names as listed
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import percent, scientific
from rnnviz.wording.texts import fill, texts


def check_name(name: str) -> str:
    """What a check is called in the table."""
    return texts("trust")[f"name_{name.replace(' ', '_')}"]


def _short(name: str) -> str:
    """In the summary."""
    return texts("trust").get(f"short_{name.replace(' ', '_')}") or check_name(name)


class Summary(NamedTuple):
    """state: good, bad or none. verdict: what was checked by name, or what failed, and of which
    models; "" if nothing was checked. more: whether there is more to ask for."""

    state: str
    verdict: str
    more: str


def summary(found: Sequence[Trust], done: int | None, models: int, elsewhere: bool) -> Summary:
    """done: how many models have the thorough checks, None if nobody asked for them.
    elsewhere: whether the page shows other runs."""
    text = texts("trust")
    if not found and done is None:
        return Summary("none", "", text["unchecked_sidebar" if elsewhere else "unchecked"])
    if failed := [trust for trust in found if trust.failed]:
        state, verdict = "bad", _what_failed(failed)
    elif named := [_named(found, name) for name in _of_all(found, models)]:
        state = "good" if all(trust.passed for trust in found) else "none"
        verdict = fill(text["passed"], names=listed(named))
    else:
        state, verdict = "none", text["open" if len(found) == models else "working"]
    if elsewhere:
        verdict = fill(text["of_sidebar"], said=verdict)
    return Summary(state, verdict, _more(found, done, models))


def _what_failed(failed: Sequence[Trust]) -> str:
    names = [_short(name) for name in NAMES
             if any(check.failed for check in _made(failed, name))]  # fmt: skip
    of = [display_name(trust.label) for trust in failed]
    return fill(texts("trust")["failed"], names=listed(names), models=listed(of))


def _more(found: Sequence[Trust], done: int | None, models: int) -> str:
    """Of the complex step, if that is not among what was checked."""
    text = texts("trust")
    if done is None:
        return " · " + text["to_ask"]
    if done < models:
        return " · " + fill(text["going"], done=done + 1, models=models)
    return "" if _made(found, GRADIENT) else " · " + text["no_answer"]


def _of_all(found: Sequence[Trust], models: int) -> list[str]:
    """The checks that were looked at in every model, and made in some."""
    every = [name for name in NAMES if all(name in trust.by_name for trust in found)]
    return [name for name in every if len(found) == models and _made(found, name)]


def _made(found: Sequence[Trust], name: str) -> list[Check]:
    return [check for check in _applied(found, name) if not check.reason]


def _applied(found: Sequence[Trust], name: str) -> list[Check]:
    """The checks of this name, of all models that have such an equation."""
    checks = [trust.by_name[name] for trust in found if name in trust.by_name]
    return [check for check in checks if check.applies]


def _named(found: Sequence[Trust], name: str) -> str:
    """With how many models it is of, where it could be made of some alone."""
    made, applied = len(_made(found, name)), len(_applied(found, name))
    if made == applied:
        return _short(name)
    return fill(texts("trust")["of_some"], name=_short(name), made=made, applied=applied)


def comparison(check: Check) -> str:
    """A check's number against its bound: "7·10⁻¹⁶ ≤ 1·10⁻¹²"."""
    sign = "≰" if math.isnan(check.value) else "≤" if check.passed else ">"
    return f"{scientific(check.value)} {sign} {scientific(check.bound)}"


def conventions(found: Sequence[Trust]) -> list[str]:
    """In which precision the runs are, and what the bounds are."""
    text, said = texts("trust"), []
    for dtype in dict.fromkeys(trust.dtype for trust in found):
        share = max(trust.rescaled for trust in found if trust.dtype == dtype)
        name = "rescaled" if share else "in_range"
        rescaled = fill(text[name], share=percent(share), dtype=dtype)
        said.append(fill(text["conventions"], dtype=dtype, seq_len=f"{found[0].seq_len:,}",
                         rescaled=rescaled))  # fmt: skip
    said.append(fill(text["bounds"], strict=f"{STRICT:g}", most=f"{100 * MOST:g}"))
    return said
