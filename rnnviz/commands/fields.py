"""The fields of an experiment as options of a command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rnnviz.experiment import FIELDS, Experiment, Field
from rnnviz.experiment.effects import idle, value_words, why_idle
from rnnviz.wording.names import field_name


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Every field of an experiment as an option."""
    for name, known in FIELDS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, help=field_name(name), **_option(known))


def fields_of(given: argparse.Namespace) -> dict[str, Any]:
    """The fields of an experiment that were given as options."""
    return {name: getattr(given, name) for name in FIELDS if hasattr(given, name)}


def tell_idle(experiment: Experiment, over: Mapping[str, Sequence[Any]]) -> None:
    """Name the settings that act on no model, whatever the swept fields are."""
    models = ", ".join(experiment.models)
    for name in idle(experiment, over):
        said = f"{name} {value_words(experiment, name)} acts on none of {models}"
        sys.stderr.write(f"note: {said}: {why_idle(experiment, name)}\n")


def _option(known: Field) -> dict[str, Any]:
    """A field as an option; its range is checked by the experiment itself."""
    given: dict[str, Any] = {"default": argparse.SUPPRESS}
    if known.kind == "models":
        return {**given, "nargs": "+", "metavar": "MODEL"}
    if known.kind == "choice":
        return {**given, "choices": known.choices}
    return {**given, "type": {"int": int, "float": float}.get(known.kind, str)}
