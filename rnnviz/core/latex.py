"""A cell's equations as a page prints them, in Markdown with LaTeX."""

from __future__ import annotations

import inspect
from typing import NamedTuple

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
    return str(int(value)) if float(value).is_integer() else repr(value)


def preactivation(gate: str, skip: int, more: str = "") -> str:
    """W_x x_t + W_h h_{t-1} + b of a gate; of a cell's only one with `gate` empty."""
    x, h = (f"W_{{x{gate}}}", f"W_{{h{gate}}}") if gate else ("W_{xh}", "W_{hh}")
    skipped = skip_term(gate, skip)
    return f"{x}\\,x_t + {h}\\,h_{{t-1}}{skipped}{more} + b_{gate or 'h'}"


def skip_term(gate: str, skip: int) -> str:
    """What W_skip adds to a pre-activation; "" without a skip."""
    place = f"{{\\mathrm{{skip}}{',' + gate if gate else ''}}}"
    return f" + W_{place}\\,h_{{t-{skip}}}" if skip else ""
