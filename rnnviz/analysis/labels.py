"""Names of models for people: "lstm:forget_bias=0" is "LSTM, forget bias 0"."""

from __future__ import annotations

NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
WORDS = {
    "relu": "ReLU",
    "init": "initializer",
    "seq_len": "T",
    "memory_bias": "memory bias",
    "input_scale": "W_xh scale",
}


def display_name(label: str) -> str:
    """What a label ("kind:field=value,field=value") is called on a page."""
    kind, _, overrides = label.partition(":")
    parts = [NAMES.get(kind, kind)]
    for override in filter(None, overrides.split(",")):
        field, _, value = (part.strip() for part in override.partition("="))
        parts.append(f"{_word(field)} {_word(value)}".strip())
    return ", ".join(parts)


def _word(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))
