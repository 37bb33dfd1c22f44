"""What a setting may be. One description serves validation, widgets and the link."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from rnnviz.core import checks

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LARGEST = 2**63 - 1
"""Of whole numbers without a limit of their own: what a run costs is counted with floats."""
INFINITY = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Field:
    """A setting: its default, its kind ("int", "float", "choice", "text", "models") and what is
    allowed: low to high for numbers (for text and models: their number), a name in `choices`.

    That is what mathematics allows; whether a run is affordable, its estimated cost says. least
    and most: what a page's knobs and links ask for at all, low and high unless said otherwise.
    url is its name in a link; a knob moves by `step`, on a logarithmic scale if `log`.

    Examples
    --------
    >>> FIELDS["gain"].allowed
    '0.01 to 16'
    >>> FIELDS["init"].choices
    ('uniform', 'orthogonal', 'gaussian', 'identity', 'glorot', 'delay_line', 'spectral_radius')
    """

    default: Any
    kind: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    log: bool = False
    step: float | None = None
    url: str = ""
    least: float | None = None
    most: float | None = None

    def check(self, name: str, value: object) -> Any:
        """`value` in its own type if it is allowed; else a ValueError with the name."""
        if self.kind == "choice":
            return checks.choice(name, value, self.choices)
        if self.kind == "text":
            return _text(name, value, int(self.high))
        if self.kind == "float":
            number = checks.number(name, value, self.low, self.high)
            return number + 0.0  # −0.0 is 0.0: one value, one name
        if math.isinf(self.high):
            checks.size(name, value, int(self.low))
            return checks.whole(name, value, int(self.low), LARGEST)
        return checks.whole(name, value, int(self.low), int(self.high))

    def read(self, text: str) -> Any:
        """The nearest value that a link may ask for to what `text` says; None if it says nothing
        usable."""
        if self.kind == "choice":
            return text if text in self.choices else None
        number = parse_number(text)
        if number is None:
            return None
        nearest = min(max(number, self.page_low), self.page_high)
        return round(nearest) if self.kind == "int" else nearest + 0.0

    @property
    def page_low(self) -> float:
        """The least that a page asks for."""
        return self.low if self.least is None else self.least

    @property
    def page_high(self) -> float:
        """The most that a page asks for."""
        return self.high if self.most is None else self.most

    @property
    def allowed(self) -> str:
        """What a page may ask for, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        return f"{show(self.page_low)} to {show(self.page_high)}"


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
