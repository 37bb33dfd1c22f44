"""The trust strip's HTML: a line that is always seen, and everything that was checked behind it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from rnnviz.analysis.selfcheck.checks import NAMES, Check, Trust
from rnnviz.wording import selfcheck
from rnnviz.wording.lists import apart, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.remarks import remark_words
from rnnviz.wording.texts import texts

MARKS = {"good": "✓", "bad": "✗", "none": "–"}


def said(state: str, sentence: str) -> str:
    """A line that has nothing to show but a sentence."""
    return f"{_mark(state)} {html.escape(sentence)}"


def line(found: Sequence[Trust], done: int | None, models: int, elsewhere: bool) -> str:
    """The summary of what was checked, its verdict in bold."""
    state, verdict, more = selfcheck.summary(found, done, models, elsewhere)
    if not verdict:
        return said(state, more)
    return f"{_mark(state)} <b>{html.escape(verdict)}</b>{html.escape(more)}"


def panel(found: Sequence[Trust], labels: Sequence[str], about: str) -> str:
    """The table of all checks and what they mean. about: what was checked, in a sentence."""
    known = {trust.label: trust for trust in found}
    conventions = selfcheck.conventions(found) if found else []
    return (
        f"<p>{_marked(sentences([about, texts('trust')['groups']]))}</p>"
        f"{_table([known.get(label) for label in labels], labels)}"
        f"{''.join(f'<p>{_marked(row)}</p>' for row in conventions)}"
    )


def _table(found: Sequence[Trust | None], labels: Sequence[str]) -> str:
    """A row for each check, a column for each model."""
    head = "".join(f"<th>{html.escape(display_name(label))}</th>" for label in labels)
    rows = (_row(name, [t.by_name.get(name) if t else None for t in found]) for name in NAMES)
    return f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _row(name: str, checks: Sequence[Check | None]) -> str:
    text, key = texts("trust"), name.replace(" ", "_")
    return (
        f"<tr><th>{selfcheck.check_name(name)}<span>{_marked(text[f'equation_{key}'])}</span></th>"
        f"{''.join(map(_cell, checks))}</tr>"
        f'<tr><td class="means" colspan="{len(checks) + 1}">{_marked(text[key])}</td></tr>'
    )


def _cell(check: Check | None) -> str:
    if check is None:
        return f'<td class="none">{said("none", texts("trust")["not_checked"])}</td>'
    if check.reason:
        return f'<td class="none">{said("none", remark_words(check.reason))}</td>'
    where = apart(map(remark_words, check.where))
    words = said("good" if check.passed else "bad", selfcheck.comparison(check))
    return f"<td>{words}<span>{html.escape(where)}</span></td>"


def _marked(text: str) -> str:
    """Bold and indices (J_t, s_{t−1}) as HTML; anything else as it is."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(text))
    return re.sub(r"(?<=\w)_(?:\{(.+?)\}|([a-z]{1,2})(?![a-z]))", _index, text)


def _index(found: re.Match[str]) -> str:
    return f"<sub>{found[1] or found[2]}</sub>"


def _mark(state: str) -> str:
    return f'<span class="{state}">{MARKS[state]}</span>'
