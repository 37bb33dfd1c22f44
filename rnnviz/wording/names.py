"""Names of models for people: "lstm:forget_bias=0" is "LSTM, forget bias 0"."""

from __future__ import annotations

from rnnviz.analysis.layers import SEPARATOR
from rnnviz.core import CELLS

# Where a setting and its value have a better name than "setting value".
PHRASES = {
    ("bidirectional", "yes"): "both directions",
    ("bidirectional", "no"): "one direction",
    ("layers", "1"): "1 layer",
    ("variant", "cifg"): "coupled gates",
    ("variant", "nig"): "no input gate",
    ("variant", "nfg"): "no forget gate",
    ("variant", "nog"): "no output gate",
    ("variant", "niaf"): "linear candidate",
    ("variant", "noaf"): "linear output",
    ("variant", "no_gates_noaf"): "no gates, linear output",
}
WORDS = {
    "relu": "ReLU",
    "init": "initializer",
    "seq_len": "T",
    "memory_bias": "memory bias",
    "input_scale": "W_xh scale",
}


def display_name(label: str) -> str:
    """What a label ("kind:field=value,field=value"), with or without the " · layer 2 ←" of
    `layer_traces`, is called on a page."""
    model, dot, where = label.partition(SEPARATOR)
    kind, _, overrides = model.partition(":")
    parts = [cell_name(kind)]
    for override in filter(None, overrides.split(",")):
        field, _, value = (part.strip() for part in override.partition("="))
        parts.append(_phrase(field, value))
    return ", ".join(parts) + dot + where


def cell_name(kind: str) -> str:
    """What the cells of a kind are called: "LSTM" for "lstm"; other words as they are."""
    return CELLS[kind].__name__ if kind in CELLS else kind


def _phrase(field: str, value: str) -> str:
    if field == "variant":
        return PHRASES.get((field, value), setting_name(value))
    if field == "layers" and value != "1":
        return f"{value} layers"
    return PHRASES.get((field, value)) or f"{setting_name(field)} {setting_name(value)}".strip()


def setting_name(name: str) -> str:
    """What a setting or its value is called within a sentence."""
    return WORDS.get(name, name.replace("_", " "))
