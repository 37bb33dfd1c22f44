"""Names of models and settings for people: "lstm:forget_bias=0" is "LSTM, forget bias 0"."""

from __future__ import annotations

from rnnviz.analysis.layers import SEPARATOR
from rnnviz.core import CELLS
from rnnviz.wording.lists import listed
from rnnviz.wording.numbers import counted, minus
from rnnviz.wording.texts import say, texts


def display_name(label: str) -> str:
    """What a label ("kind:field=value,field=value"), with or without the " · layer 2 ←" of
    `layer_traces`, is called on a page."""
    model, dot, where = label.partition(SEPARATOR)
    return model_name(*name_parts(model)) + dot + place_name(where)


def name_parts(model: str) -> list[str]:
    """A cell and its settings, of a label without a layer: ["LSTM", "forget bias 0"]."""
    kind, _, overrides = model.partition(":")
    parts = [cell_name(kind)]
    for override in filter(None, overrides.split(",")):
        field, _, value = (part.strip() for part in override.partition("="))
        parts.append(_phrase(field, value))
    return parts


def model_name(cell: str, *settings: str) -> str:
    """A cell and what sets it apart: "LSTM, forget bias 0"."""
    return listed([cell, *settings])


def place_name(where: str) -> str:
    """What a layer and a direction are called: "layer 2 ←", or "←" alone."""
    word, _, number = where.partition(" ")
    return say("names", word, number=number) if word == "layer" else where


def cell_name(kind: str) -> str:
    """What the cells of a kind are called: "LSTM" for "lstm"; other words as they are."""
    return CELLS[kind].__name__ if kind in CELLS else kind


def _phrase(field: str, value: str) -> str:
    known = texts("names")
    if field == "layers":
        return counted(value, "layers")
    if (said := known.get(f"{field}_{value}")) is not None:
        return said
    if field == "variant":
        return setting_name(value)
    return f"{setting_name(field)} {minus(setting_name(value))}".strip()


def setting_name(name: str) -> str:
    """What a setting or its value is called within a sentence."""
    return texts("names").get(name, name.replace("_", " "))


def field_name(name: str) -> str:
    """What a setting is called on its knob and on an axis."""
    return texts("fields").get(name, name)
