"""The trust strip's HTML: a line that is always seen, and everything that was checked behind it."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence

from rnnviz.analysis.selfcheck.checks import (
    EQUATIONS,
    GRADIENT,
    LOSSES,
    NAMES,
    STATES,
    WEIGHTS,
    Check,
    Trust,
)
from rnnviz.analysis.selfcheck.noise import MOST, STRICT
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import scientific
from rnnviz.wording.texts import fill, texts

SHORT = {WEIGHTS: "sums", STATES: "states", LOSSES: "losses"}
"""Names on the line."""
MARKS = {"good": "✓", "bad": "✗", "none": "–"}


def said(state: str, sentence: str) -> str:
    """A line that has nothing to show but a sentence."""
    return f"{_mark(state)} {html.escape(sentence)}"


def line(found: Sequence[Trust], done: int | None, models: int, elsewhere: bool) -> str:
    """What was checked by name, or what failed, and of which models; then whether there is more to
    ask for. done: how many models have the thorough checks, None if nobody asked for them.
    elsewhere: whether the page shows other runs."""
    text = texts("trust")
    if not found and done is None:
        return said("none", text["unchecked_sidebar" if elsewhere else "unchecked"])
    if failed := [trust for trust in found if trust.failed]:
        names = [SHORT.get(name, name) for name in NAMES
                 if any(check.failed for check in _made(failed, name))]  # fmt: skip
        of = [display_name(trust.label) for trust in failed]
        state = "bad"
        verdict = fill(text["failed"], names=", ".join(names), models=", ".join(of))
    elif named := [_named(found, name) for name in _of_all(found, models)]:
        state = "good" if all(trust.passed for trust in found) else "none"
        verdict = fill(text["passed"], names=", ".join(named))
    else:
        state, verdict = "none", text["open" if len(found) == models else "working"]
    if elsewhere:
        verdict = fill(text["of_sidebar"], said=verdict)
    more = _more(found, done, models)
    return f"{_mark(state)} <b>{html.escape(verdict)}</b>{html.escape(more)}"


def _more(found: Sequence[Trust], done: int | None, models: int) -> str:
    """What the line says of the complex step, if that is not among what was checked."""
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
    return SHORT.get(name, name) + (f" ({made} of {applied})" if made < applied else "")


def panel(found: Sequence[Trust], labels: Sequence[str], about: str) -> str:
    """The table of all checks and what they mean. about: what was checked, in a sentence."""
    text = texts("trust")
    known = {trust.label: trust for trust in found}
    facts = _facts(found) if found else ""
    return (
        f"<p>{_marked(about)} {_marked(text['groups'])}</p>"
        f"{_table([known.get(label) for label in labels], labels)}{facts}"
    )


def _table(found: Sequence[Trust | None], labels: Sequence[str]) -> str:
    """A row for each check, a column for each model."""
    head = "".join(f"<th>{html.escape(display_name(label))}</th>" for label in labels)
    rows = (_row(name, [t.by_name.get(name) if t else None for t in found]) for name in NAMES)
    return f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _row(name: str, checks: Sequence[Check | None]) -> str:
    meaning = texts("trust")[name.replace(" ", "_")]
    return (
        f"<tr><th>{name}<span>{_marked(EQUATIONS[name])}</span></th>"
        f"{''.join(map(_cell, checks))}</tr>"
        f'<tr><td class="means" colspan="{len(checks) + 1}">{_marked(meaning)}</td></tr>'
    )


def _cell(check: Check | None) -> str:
    if check is None:
        return f'<td class="none">{said("none", texts("trust")["not_checked"])}</td>'
    if check.reason:
        return f'<td class="none">{said("none", check.reason)}</td>'
    state, sign = ("good", "≤") if check.passed else ("bad", "&gt;")
    if math.isnan(check.value):
        sign = "≰"
    words = f"{_mark(state)} {scientific(check.value)} {sign} {scientific(check.bound)}"
    return f"<td>{words}<span>{html.escape(check.where)}</span></td>"


def _facts(found: Sequence[Trust]) -> str:
    text, rows = texts("trust"), []
    for dtype in dict.fromkeys(trust.dtype for trust in found):
        share = max(trust.rescaled for trust in found if trust.dtype == dtype)
        name = "rescaled" if share else "in_range"
        rescaled = fill(text[name], share=f"{share:.0%}", dtype=dtype)
        rows.append(fill(text["conventions"], dtype=dtype, seq_len=f"{found[0].seq_len:,}",
                         rescaled=rescaled))  # fmt: skip
    rows.append(fill(text["bounds"], strict=f"{STRICT:g}", most=f"{100 * MOST:g}"))
    return "".join(f"<p>{_marked(row)}</p>" for row in rows)


def _marked(text: str) -> str:
    """Bold and indices (J_t, s_{t−1}) as HTML; anything else as it is."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(text))
    return re.sub(r"(?<=\w)_(?:\{(.+?)\}|([a-z]{1,2})(?![a-z]))", _index, text)


def _index(found: re.Match[str]) -> str:
    return f"<sub>{found[1] or found[2]}</sub>"


def _mark(state: str) -> str:
    return f'<span class="{state}">{MARKS[state]}</span>'
