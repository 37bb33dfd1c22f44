"""What a setting may be. One description serves validation, widgets and the link."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from rnnviz.core import checks

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
INFINITY = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Field:
    """A setting: its default, its kind ("int", "float", "choice", "text", "models") and what is
    allowed: low to high for numbers (for text and models: their number), a name in `choices`.

    url is its name in a link; a knob moves by `step`, on a logarithmic scale if `log`.
    """

    default: Any
    kind: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    log: bool = False
    step: float | None = None
    url: str = ""

    def check(self, name: str, value: object) -> Any:
        """`value` in its own type if it is allowed; else a ValueError with the name."""
        if self.kind == "choice":
            return checks.choice(name, value, self.choices)
        if self.kind == "text":
            return _text(name, value, int(self.high))
        number = checks.number(name, value, self.low, self.high)
        if self.kind == "float":
            return number + 0.0  # −0.0 is 0.0: one value, one name
        if not isinstance(value, float):
            return checks.size(name, value, int(self.low))
        raise ValueError(f"{name} must be an integer {self.allowed}, got {value!r}")

    def read(self, text: str) -> Any:
        """The nearest allowed value to what `text` says; None if it says nothing usable."""
        if self.kind == "choice":
            return text if text in self.choices else None
        number = parse_number(text)
        if number is None:
            return None
        nearest = min(max(number, self.low), self.high)
        return round(nearest) if self.kind == "int" else nearest + 0.0

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        return f"{show(self.low)} to {show(self.high)}"


def knob(default: Any, kind: str, **options: Any) -> Any:
    """A dataclass field that carries its `Field`."""
    return field(default=default, metadata={"field": Field(default, kind, **options)})


def parse_number(text: str) -> float | None:
    """A decimal number in ASCII digits, or inf; None for anything else (NaN, 0x10, 1_000)."""
    stripped = text.strip(" ")
    return float(stripped) if NUMBER.fullmatch(stripped) or INFINITY.fullmatch(stripped) else None


def show(value: object) -> str:
    """A value as links and labels write it: no .0 on whole numbers, every digit of others."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def _text(name: str, value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a str, got {type(value).__name__}")
    if len(value) > longest:
        raise ValueError(f"{name} must have at most {longest:,} characters, got {len(value):,}")
    for position, character in enumerate(value):
        if "\ud800" <= character <= "\udfff":
            raise ValueError(f"{name} must be valid Unicode, got half a character "
                             f"(U+{ord(character):04X}) at position {position}")  # fmt: skip
    return value
