"""The trust strip's HTML: a line that is always seen, and everything that was checked behind it."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence

from rnnviz.analysis.rounding import MOST, STRICT
from rnnviz.analysis.trust import DETERMINANT, LOSSES, NAMES, STATES, WEIGHTS, Check, Trust
from rnnviz.wording.names import display_name
from rnnviz.wording.numbers import scientific
from rnnviz.wording.texts import fill, texts

SHORT = {STATES: "states", WEIGHTS: "sums", LOSSES: "sums", DETERMINANT: "det J"}
"""Names on the line; those of the same name are one number, the worse one."""
CONVENTION = "J_t = ∂s_t/∂s_{t−1}"
MARKS = {"good": "✓", "bad": "✗", "none": "–"}


def short(run: str, sentence: str) -> str:
    """A strip that has nothing to show but a sentence."""
    return f'<div class="rnnviz-trust" data-run="{run}">{_line(_said("none", sentence))}</div>'


def whole(run: str, found: Sequence[Trust], of: str, about: str) -> str:
    """The line, and behind it the table of all checks and what they mean. of: what was checked,
    in two words; about: in a sentence."""
    return (
        f'<details class="rnnviz-trust" data-run="{run}"><summary>{_line(_summary(found, of))}'
        f'</summary><div class="all"><p>{html.escape(about)}</p>{_table(found)}'
        f"{_facts(found)}</div></details>"
    )


def _line(now: str) -> str:
    then = _said("none", texts("trust")["stale"])
    return (
        f'<span role="status"><span class="now">{now}</span><span class="then">{then}</span></span>'
    )


def _said(state: str, sentence: str) -> str:
    """A narrow window shows the mark alone."""
    return f'{_mark(state)} <span class="said">{html.escape(sentence)}</span>'


def _summary(found: Sequence[Trust], of: str) -> str:
    """The verdict, then the worst of each check over all models."""
    if any(trust.failed for trust in found):
        state, said = "bad", "failed"
    elif all(trust.passed for trust in found):
        state, said = "good", "passed"
    else:
        some = any(check.passed for trust in found for check in trust.checks)
        state, said = "none", "part" if some else "open"
    names = dict.fromkeys(SHORT.get(name, name) for name in NAMES)
    items = [_item(name, [c for t in found for c in t.checks if SHORT.get(c.name, c.name) == name])
             for name in names]  # fmt: skip
    dtypes = ", ".join(dict.fromkeys(trust.dtype for trust in found))
    facts = f"{dtypes} · T = {found[0].seq_len:,} · log₁₀"
    items.append(f'<span class="item">{_marked(CONVENTION)}</span>')
    return (
        f"<b>{_said(state, fill(texts('trust')[said], of=of))}</b>"
        f'<span class="more"> {facts}</span><span class="more">{" · ".join(items)}</span>'
    )


def _item(name: str, checks: Sequence[Check]) -> str:
    """One number for all models: of those that were checked the one nearest to its bound."""
    made = [check for check in checks if not check.reason]
    if not made:
        return f'<span class="item">{name} –</span>'
    worst = max(made, key=_nearness)
    if worst.failed:
        return f'<span class="item bad">✗ {name} {scientific(worst.value)}</span>'
    some = f" ({len(made)}/{len(checks)})" if len(made) < len(checks) else ""
    return f'<span class="item">{name} {scientific(worst.value)}{some}</span>'


def _nearness(check: Check) -> float:
    share = check.value / check.bound
    return math.inf if math.isnan(share) else share


def _table(found: Sequence[Trust]) -> str:
    """A row for each check, a column for each model."""
    head = "".join(f"<th>{html.escape(display_name(trust.label))}</th>" for trust in found)
    rows = zip(*(trust.checks for trust in found), strict=True)
    return f"<table><tr><th></th>{head}</tr>{''.join(map(_row, rows))}</table>"


def _row(checks: Sequence[Check]) -> str:
    name, what = checks[0].name, checks[0].what
    meaning = texts("trust")[name.replace(" ", "_")]
    return (
        f"<tr><th>{name}<span>{_marked(what)}</span></th>"
        f"{''.join(map(_cell, checks))}</tr>"
        f'<tr><td class="means" colspan="{len(checks) + 1}">{_marked(meaning)}</td></tr>'
    )


def _cell(check: Check) -> str:
    if check.reason:
        return f'<td class="none">{_mark("none")} {html.escape(check.reason)}</td>'
    state, sign = ("good", "≤") if check.passed else ("bad", "&gt;")
    if math.isnan(check.value):
        sign = "≰"
    said = f"{_mark(state)} {scientific(check.value)} {sign} {scientific(check.bound)}"
    return f"<td>{said}<span>{html.escape(check.where)}</span></td>"


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
