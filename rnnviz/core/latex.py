"""A cell's equations as a page prints them, in Markdown with LaTeX."""

from __future__ import annotations

import inspect
from decimal import Decimal
from typing import NamedTuple

MOST_DIGITS = 6
"""Of 1 − share written out; what needs more is written as a difference."""

D_H = r"\frac{\partial L}{\partial h_t}"
D_H_BEFORE = r"\frac{\partial L}{\partial h_{t-1}}"
D_C = r"\frac{\partial L}{\partial c_t}"


class Equations(NamedTuple):
    """One step forward, and one step back ("" where it is not written down)."""

    forward: str
    backward: str = ""


def literal(docstring: str) -> Equations:
    """What a docstring says, as it stands."""
    return Equations(f"```text\n{inspect.cleandoc(docstring)}\n```")


def aligned(*lines: str) -> str:
    """A block of display mathematics: lines under each other, aligned where they have an &."""
    return r"$$\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}$$"


def number(value: float) -> str:
    """A number with every digit that it has and none besides."""
    if float(value).is_integer():
        return str(int(value))
    digits, _, power = repr(float(value)).partition("e")
    return f"{digits} \\cdot 10^{{{int(power)}}}" if power else digits


def rest_of(share: float) -> str:
    """What a share leaves of 1, as a number where that has few digits."""
    exact = Decimal(1) - Decimal(repr(float(share)))
    return f"{exact:f}" if len(exact.as_tuple().digits) <= MOST_DIGITS else f"(1 - {number(share)})"


def preactivation(gate: str, skip: int, more: str = "") -> str:
    """W_x x_t + W_h h_{t-1} + b of a gate; of a cell's only one with `gate` empty."""
    x, h = (f"W_{{x{gate}}}", f"W_{{h{gate}}}") if gate else ("W_{xh}", "W_{hh}")
    skipped = skip_term(gate, skip)
    return f"{x}\\,x_t + {h}\\,h_{{t-1}}{skipped}{more} + b_{gate or 'h'}"


def skip_term(gate: str, skip: int) -> str:
    """What W_skip adds to a pre-activation; "" without a skip."""
    place = f"{{\\mathrm{{skip}}{',' + gate if gate else ''}}}"
    return f" + W_{place}\\,h_{{t-{skip}}}" if skip else ""
