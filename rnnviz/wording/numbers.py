"""How numbers are written, everywhere: the one formatter."""

from __future__ import annotations

import math

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.wording.texts import say

MINUS = "\u2212"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SPECIAL = {
    Status.ZERO: "zero",
    Status.ROUNDED: "rounded",
    Status.NAN: "nan",
    Status.NOT_RECORDED: "not_recorded",
}
"""What is said of a share that is no number."""


def minus(text: str) -> str:
    """A number with a real minus sign in place of each hyphen."""
    return text.replace("-", MINUS)


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign for a label, with a real minus sign; zero has none."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+∞" if value > 0 else f"{MINUS}∞"
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        text = text[1:]
    return minus(text)


def general(value: object, digits: int = 6) -> str:
    """A setting or a number in a table: 0.57, 1e+12, −3; anything but a float as it is."""
    if not isinstance(value, float):
        return str(value)
    return minus(f"{value:.{digits}g}".replace("inf", "∞"))


def short(value: float) -> str:
    """Where something happens on an axis: 0.57, −2.1, 153; two digits, whole from 100 on."""
    return minus(f"{value:.2g}" if abs(value) < 99.5 else f"{value:.0f}")


def loss_words(value: float) -> str:
    """A loss as it is written wherever it stands: 2.08, 0.0022, NaN."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞"
    return minus(f"{value:.2f}" if 0.095 <= abs(value) < 100 else f"{value:.2g}")


def step_factor(value: float) -> str:
    """A factor per step for a label in a figure: ×0.57, ×1.1e+07 where that is too long."""
    return f"×{value:.2f}" if 0.01 <= value < 1000 or value == 0 else f"×{minus(f'{value:.1e}')}"


def fraction(log10: float, status: Status = Status.FINITE) -> str:
    """A share of the error: "40 %", "×2.6", "1 part in 10^24.3", "×10^7", or why there is none."""
    if status in SPECIAL:
        return say("numbers", SPECIAL[status])
    if np.isnan(log10):
        return say("numbers", "nan")
    if np.isinf(log10):
        return say("numbers", "overflow" if log10 > 0 else "zero")
    if -2 <= log10 <= 2:
        value = 10.0**log10
        if value < 1.005:
            return percents(significant(100 * value))
        return f"×{value:.2f}" if value < 1.095 else f"×{significant(value)}"
    power = power_of_ten(abs(log10))
    return say("numbers", "part", number=power) if log10 < 0 else f"×{power}"


def percent(share: float) -> str:
    """A part of 1, wherever one is said: 34 %; "under 1 %" and "over 99 %" of what only rounds to 0
    or 100."""
    number = f"{100 * share:.0f}"
    if number == "0" and share > 0:
        return say("numbers", "under_one")
    if number == "100" and share < 1:
        return say("numbers", "over_most")
    return percents(number)


def percents(number: str) -> str:
    """40 %, or 40% where a language writes it so."""
    return say("numbers", "percent", number=number)


def power_of_ten(decades: float) -> str:
    """10^24.3; a plain number below a thousand."""
    return significant(10.0**decades) if decades < 3 else f"10^{_tenths(decades)}"


def _tenths(decades: float) -> str:
    """One decimal, as two numbers a factor of nine apart are not the same; none where it is 0."""
    return f"{decades:,.1f}".removesuffix(".0")


def factor(value: float) -> str:
    """×0.57, ×1.01, ×10^12: what something is multiplied with."""
    return f"×{plain(value)}"


def plain(value: float) -> str:
    """0.57, 1.01, 93, 10^12: two decimals where they say something."""
    if 0.1 <= value < 10:
        return f"{value:.2f}"
    with np.errstate(divide="ignore", invalid="ignore"):
        return magnitude(float(np.log10(value)))


def near_one(value: float) -> str:
    """0.97, 1.03, 1.0003: with digits that tell it from 1."""
    if value <= 0 or value == 1 or not math.isfinite(value):
        return f"{value:.4g}"
    digits = max(2, 1 - math.floor(math.log10(abs(value - 1))))
    text = f"{value:.{digits}f}" if abs(value - 1) < 0.1 else f"{value:.4g}"
    return text.rstrip("0") if "." in text else text


def significant(value: float) -> str:
    """A positive number with two significant digits and no exponent: 0.017, 2, 2.6, 98, 250."""
    if value == 0 or not np.isfinite(value):
        return f"{value:.0f}"
    rounded = round(value, 1 - int(np.floor(np.log10(value))))
    decimals = max(0, 1 - int(np.floor(np.log10(rounded))))
    text = f"{rounded:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def magnitude(log10: float) -> str:
    """A positive number given as log10: 0.14, 20, 10^−9.2."""
    if np.isnan(log10):
        return "NaN"
    if np.isinf(log10):
        return "∞" if log10 > 0 else "0"
    if -3 <= log10 < 3:
        return significant(10.0**log10)
    return minus(f"10^{_tenths(log10)}")


def counted(count: int | str, things: str) -> str:
    """1 unit, 1,024 units, as names.md calls them; a text is how the number is written."""
    said = count if isinstance(count, str) else f"{count:,}"
    return say("names", f"{things}_{'1' if said == '1' else 'many'}", count=said)


def steps(count: float) -> str:
    """1.2 steps, 16 steps, 1 step."""
    if not np.isfinite(count):
        return say("numbers", "steps_infinite" if count > 0 else "steps_unknown")
    return counted(significant(count), "steps")


def scientific(value: float, nothing: str = "") -> str:
    """7.3·10⁻¹⁶ as "7·10⁻¹⁶"; 0 as it is. nothing: for NaN, which is else called so in words."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return (nothing or say("numbers", "not_a_number")) if math.isnan(value) else "∞"
    digits, power = f"{value:.0e}".split("e")
    return f"{digits}·10{str(int(power)).translate(SUPERSCRIPTS)}"
