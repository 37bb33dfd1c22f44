"""What a diagnosis finds, in words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnnviz.core.numerics import Status
from rnnviz.models.diagnosis.changes import makes_module
from rnnviz.models.diagnosis.finding import LEFT_LOG10, Finding
from rnnviz.wording.library import translated
from rnnviz.wording.lists import apart, names, sentences
from rnnviz.wording.numbers import counted, fraction, general, percent
from rnnviz.wording.texts import fill, say, texts

DECADES = ("vanishing", "exploding")
"""Kinds whose number is a log10."""
SHARES = ("saturated", "dead", "padded")
"""Kinds whose number is a share."""


class FindingWords(NamedTuple):
    """What is said of a finding. facts: where, how sure, the number and its threshold."""

    mark: str
    sentence: str
    facts: str
    definition: str
    change: str


def finding_words(finding: Finding) -> FindingWords:
    """A finding in words."""
    text, values = texts("diagnosis"), _values(finding)
    definition = fill(text[f"definition_{finding.kind}"], **values)
    return FindingWords(
        text["mark_serious" if finding.serious else "mark_other"],
        fill(text[_sentence(finding)], **values),
        apart(_facts(finding, values)),
        sentences((definition, text["new_module"] * makes_module(finding.change))),
        finding.change,
    )


def _sentence(finding: Finding) -> str:
    """Which text says a finding."""
    of_rest = "_rest" * bool(finding.values.get("nearer"))
    if not finding.values.get("known", True):
        return f"kind_{finding.kind}_unknown"
    if finding.kind == "too_short" and "steps" in finding.values:
        return "kind_too_short_early"
    if finding.kind == "no_data_lag" and np.isnan(finding.values["r2"]):
        return "kind_no_data_lag_constant"
    if finding.values.get("no_bias"):
        return f"kind_{finding.kind}_none"
    if finding.kind == "clipped" and "passes" in finding.values:
        return "kind_clipped_some"
    closed_by = "_by" * (finding.kind == "closed_memory" and "cause" in finding.values)
    return f"kind_{finding.kind}{of_rest}{closed_by}"


def _values(finding: Finding) -> dict[str, Any]:
    """Every number as it is written."""
    given = {name: general(v, 3) for name, v in finding.values.items()}
    if "side" in finding.values:
        given["side"] = texts("diagnosis")[f"side_{finding.values['side']}"]
    if "nearer" in finding.values:
        given["nearer"] = names(map(str, sorted(finding.values["nearer"])))
    if "log10" in finding.values:
        given["over"] = fraction(finding.values["log10"], _status(finding))
    if "acts" in finding.values:
        given["acts"] = percent(finding.values["acts"] / 100)
    if finding.kind == "biases":
        given["bias"] = say("diagnosis", _bias(finding), **given)
    if "cause" in finding.values:
        given["cause"] = texts("diagnosis")[f"cause_{finding.values['cause']}"]
    share = fraction(finding.number, _status(finding))
    written = share if finding.kind in DECADES else _plain(finding.number)
    line = fraction(finding.threshold) if finding.kind in DECADES else _plain(finding.threshold)
    part = percent(finding.number) if finding.kind in SHARES else ""
    said = {"lag": line, "left": fraction(LEFT_LOG10), **given, "number": written,
            "share": written, "value": written, "threshold": line, "percent": part}  # fmt: skip
    return said | {f"{name}_steps": counted(said[name], "steps") for name in ("lag", "number")}


def _status(finding: Finding) -> Status:
    """Whether a share of which nothing is left is so by rounding alone."""
    return Status.ROUNDED if finding.values.get("rounded") else Status.FINITE


def _bias(finding: Finding) -> str:
    """Which text says what the biases are."""
    low, high = finding.values["low"], finding.values["high"]
    return "bias_range" if low < high else "bias_one"


def _plain(number: float) -> str:
    """A number of steps, a half-life, or what is none."""
    if np.isnan(number):
        return "NaN"
    whole = np.isfinite(number) and number == round(number)
    return str(round(number)) if whole else general(number, 3)


def _facts(finding: Finding, values: dict[str, Any]) -> list[str]:
    facts = []
    if finding.layer is not None:
        place = "place_back" if finding.direction else "place"
        facts.append(say("diagnosis", place, layer=finding.layer + 1))
    facts.append(texts("diagnosis")[f"sure_{finding.sure}"])
    if np.isfinite(finding.number):
        facts.append(say("diagnosis", "measured", number=values["number"]))
    name = "threshold" if np.isfinite(finding.threshold) else "no_threshold"
    facts.append(
        say("diagnosis", name, threshold=values["threshold"], source=translated(finding.source))
    )
    return facts
