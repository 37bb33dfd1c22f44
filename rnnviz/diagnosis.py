"""A run's gradients, diagnosed: what is wrong, how that is known, and what to change.

Examples
--------
>>> import rnnviz
>>> from rnnviz.diagnosis import diagnose
>>> run = rnnviz.run(rnnviz.Experiment(models=("rnn",), hidden_size=8, seq_len=60))
>>> report = diagnose(run, lag=50)
>>> report.serious
True
>>> [finding.kind for finding in report.findings]
['vanishing', 'recent_only', 'precision']
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rnnviz.core import checks
from rnnviz.experiment.runs import Run
from rnnviz.experiment.targets import check_target, replacing
from rnnviz.models.diagnosis import Finding, data_lag, find, find_in
from rnnviz.models.watched import Passage
from rnnviz.wording.diagnosis import FindingWords, finding_words
from rnnviz.wording.library import note_words
from rnnviz.wording.numbers import counted
from rnnviz.wording.texts import say, texts

VERSION = 1
"""Of the JSON file."""
DATA = "data"
"""The lag that the data have themselves."""
WHOLE = "model"
"""The name of a module that is the whole model."""


def called(name: str) -> str:
    """What a module is called in a report and its notes: "" is the whole model's name."""
    return name or WHOLE


@dataclass(frozen=True)
class Report:
    """What was found in a run. It prints itself, in a terminal and in a notebook.

    labels: of its networks. lag: what the caller asked for, or the data have. notes: of the run
    itself. runs: what it was found in, by the module's name, "" for a run of none; `html` draws it,
    and a report keeps it: `replace(report, runs={})` lets go of it.
    """

    labels: tuple[str, ...]
    lag: int | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    runs: Mapping[str, Run | Passage] = field(default_factory=dict, repr=False, compare=False)

    @property
    def serious(self) -> bool:
        """Whether something stands in the way of learning."""
        return any(finding.serious for finding in self.findings)

    def of(self, label: str) -> tuple[Finding, ...]:
        """The findings of one network."""
        return tuple(finding for finding in self.findings if finding.label == label)

    def scalars(self) -> dict[str, float]:
        """Numbers by name, as TensorBoard and others take them: "lstm/vanishing"."""
        return {f"{one.label}/{one.kind}": one.number for one in reversed(self.findings)
                if math.isfinite(one.number)}  # fmt: skip

    def __str__(self) -> str:
        lines: list[str] = []
        for label in self.labels:
            lines += [self._heading(label), *self._lines(label), ""]
        return "\n".join([*lines, *map(note_words, self.notes)]).rstrip()

    def _heading(self, label: str) -> str:
        serious = sum(one.serious for one in self.of(label))
        other = len(self.of(label)) - serious
        lag = say("diagnosis", "lag", lag=self.lag) if self.lag else texts("diagnosis")["no_lag"]
        heading = say("diagnosis", "heading", label=label, serious=serious, other=other)
        return f"{heading} ({lag})"

    def _lines(self, label: str) -> list[str]:
        found = [line for one in self.of(label) for line in _printed(finding_words(one))]
        return found + [f"  {text}" for text in self._nothing(label)]

    def _nothing(self, label: str) -> list[str]:
        """That nothing is wrong, which is said only of a lag."""
        if self.lag is None or any(one.hinders for one in self.of(label)):
            return []
        return [say("diagnosis", "nothing", lag_steps=counted(self.lag, "steps"))]

    def _repr_html_(self) -> str:
        """The same as a notebook shows it."""
        parts = []
        for label in self.labels:
            words = [finding_words(one) for one in self.of(label)]
            items = "".join(_item(one) for one in words)
            items += "".join(f"<li>{html.escape(text)}</li>" for text in self._nothing(label))
            parts.append(f"<p><b>{html.escape(self._heading(label))}</b></p><ul>{items}</ul>")
        notes = "".join(f"<p>{html.escape(note_words(note))}</p>" for note in self.notes)
        return "".join(parts) + notes

    def json(self, path: str | Path) -> None:
        """Write everything, words and numbers, as a JSON file; what is no number is null."""
        found = [{**_numbers(one), **finding_words(one)._asdict()} for one in self.findings]
        content = {"version": VERSION, "lag": self.lag, "serious": self.serious,
                   "networks": list(self.labels), "notes": list(map(note_words, self.notes)),
                   "findings": found}  # fmt: skip
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        with replacing(Path(path)) as file:
            file.write(text.encode("utf-8"))

    def html(self, path: str | Path, with_weights: bool = False) -> None:
        """Write one HTML file that needs no network: the findings, then the figures of Gradient
        flow, Spectrum and Gates of what was diagnosed.

        with_weights: whether maps of the weights are among them; without, no weight is in the file.
        Inputs and targets never are. Raises OSError where there is no such folder.
        """
        from rnnviz.report import Section, diagnosis_page  # they take plotly

        target = Path(path)
        check_target(target)
        sections = [
            Section(
                self._heading(label),
                tuple(finding_words(one) for one in self.of(label)),
                tuple(self._nothing(label)),
            )
            for label in self.labels
        ]
        page = diagnosis_page(sections, self.runs, self.notes, with_weights)
        with replacing(target) as file:
            file.write(page.encode("utf-8"))


def diagnose(run: Run, lag: int | str | None = None, notes: tuple[str, ...] = ()) -> Report:
    """What is wrong with the gradients of a run.

    Parameters
    ----------
    run
        Of an experiment, of weights and data, or of a model that was watched.
    lag
        Over how many steps back the task must remember. Only who knows the task knows it: without
        one neither "vanishes before the lag" nor "nothing is wrong" is said, but the horizon is.
        "data": the longest lag at which the run's inputs predict linearly what nearer ones leave of
        its targets, if there is one; see `rnnviz.models.diagnosis.data_lag`.
    notes
        What else is to be said, such as what was assumed of the weights.

    Raises
    ------
    ValueError
        For a lag below 1, and for "data" without targets or with fewer than 20 sequences.
    """
    runs = {"": run}
    if not isinstance(lag, str):
        lag = _steps(lag)
        return Report(tuple(run), lag, find(run, lag), notes, runs)
    checks.choice("lag", lag, [DATA])
    own = data_lag(run.batch)
    asked = own.lag or None  # what only the present step tells asks for no memory
    told = (own.finding(label) for label in run)
    return Report(tuple(run), asked, (*find(run, asked), *told), notes, runs)


def diagnose_passages(
    passages: Mapping[str, Passage],
    lag: int | None = None,
    notes: tuple[str, ...] = (),
    more: tuple[Finding, ...] = (),
) -> Report:
    """The same of modules that were watched, each under its own name; more: findings of the whole
    model. Of a module that does not run as others of its kind a note says so."""
    lag, found, runs = _steps(lag), list[Finding](), dict[str, Run | Passage]()
    for name, passage in passages.items():
        try:
            own = find_in(passage, name, lag)
        except ValueError as error:
            notes = tuple(dict.fromkeys((*notes, f"{called(name)}: {error}")))
            continue
        runs[called(name)] = passage
        found += (replace(one, label=called(name)) for one in own)
    labels = tuple(dict.fromkeys((*runs, *(one.label for one in more))))
    return Report(labels, lag, (*found, *more), notes, runs)


def _steps(lag: int | None) -> int | None:
    """A lag as an integer of Python's, which a JSON file takes. Raises ValueError for none of at
    least 1."""
    return None if lag is None else checks.size("lag", lag)


def _printed(words: FindingWords) -> list[str]:
    change = [f"      {line}" for line in words.change.splitlines()]
    if change:
        change.insert(0, f"    {texts('diagnosis')['change']}:")
    return [f"  {words.mark}: {words.sentence}", f"    {words.facts}", f"    {words.definition}",
            *change]  # fmt: skip


def _item(words: FindingWords) -> str:
    mark, sentence, facts, definition, change = map(html.escape, words)
    code = f"<pre>{change}</pre>" if change else ""
    return (f"<li><b>{mark}</b>: {sentence}<br><small>{facts}<br>{definition}</small>"
            f"{code}</li>")  # fmt: skip


def _numbers(finding: Finding) -> dict[str, Any]:
    """A finding's own fields, as JSON has them."""
    named = {name: getattr(finding, name) for name in
             ("kind", "label", "layer", "direction", "number", "threshold", "source", "sure",
              "serious")}  # fmt: skip
    named |= {"values": dict(finding.values)}
    return {name: _number(value) for name, value in named.items()}


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _number(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
