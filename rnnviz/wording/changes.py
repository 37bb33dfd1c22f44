"""What differs between two experiments, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from rnnviz.experiment import Experiment
from rnnviz.wording.lists import listed
from rnnviz.wording.names import field_name
from rnnviz.wording.numbers import general
from rnnviz.wording.texts import say


def changes(before: Experiment, after: Experiment, most: int = 3) -> str:
    """What differs, in words: "Gain 1 → 1.5, Seed 0 → 1"; the first few."""
    names = [f.name for f in fields(Experiment)]
    different = [n for n in names if getattr(before, n) != getattr(after, n)]
    said = [f"{field_name(name)} {_show(getattr(before, name))} → "
            f"{_show(getattr(after, name))}" for name in different if name != "text"]  # fmt: skip
    said += [say("train", "another_text")] * ("text" in different)
    return listed([*said[:most], *(["…"] if len(said) > most else [])])


def _show(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return general(value)
