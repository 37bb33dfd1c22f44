"""An experiment as the query of a link, and back from whatever a link says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rnnviz.core import CELLS
from rnnviz.experiment.config import FIELDS, MAX_MODELS, Experiment
from rnnviz.experiment.fields import Field, parse_number, show
from rnnviz.experiment.model import Model, override_field, overrides_of

MAX_LINK_TEXT, SHORT_TEXT = 2000, 200
TEXT_CUT = "text_cut"  # how long the text was that the link holds the beginning of
VERSION, VERSION_KEY = 1, "v"
"""Of the names and values in a link. Links without one are older than the first."""
SHOWN = 40
MAX_NAMED = 3
MAX_OVERRIDES = 20
# What could be markup or a web address: all but plain characters, underscores at the edge of a
# word, dots that are not in a number.
INERT = re.compile(r"[^\w .,;=+\-/()%]|(?<![^\W_])_|_(?![^\W_])|(?<!\d)\.|\.(?!\d)", re.ASCII)
DEFAULT = Experiment()


def to_query(experiment: Experiment, whole_text: bool = True) -> dict[str, str]:
    """Field name -> text, for every field that differs from its default, and the version of this
    format, if there is any.

    A text longer than 2,000 characters is cut there; `text_cut` then says how long it was.
    whole_text: False leaves out one longer than 200, and `text_cut` says how long that was.

    Examples
    --------
    >>> to_query(Experiment(gain=1.5))
    {'gain': '1.5', 'v': '1'}
    """
    query = {}
    for name, known in FIELDS.items():
        value = getattr(experiment, name)
        if value != known.default:
            query[known.url] = ",".join(value) if known.kind == "models" else show(value)
    length = len(experiment.text)
    if length > (MAX_LINK_TEXT if whole_text else SHORT_TEXT):
        query["text"] = experiment.text[:MAX_LINK_TEXT] * whole_text
        query[TEXT_CUT] = str(length)
    return {**query, VERSION_KEY: str(VERSION)} if query else {}


def left_out(experiment: Experiment) -> str:
    """What a link to this experiment does not hold, as whoever opens it is told: the rest of a long
    text, and values beyond what a page asks for; "" if nothing.

    Examples
    --------
    >>> left_out(Experiment(gain=20.0))
    'The link asked for gain=20; allowed is 0.01 to 16; using 16.'
    """
    return " ".join(from_query(to_query(experiment))[1])


def from_query(query: Any) -> tuple[Experiment, tuple[str, ...]]:
    """The experiment that a link asks for, and one message for each field it did not get.

    What is not allowed is replaced by the nearest allowed or the default value; the rest of the
    link is honoured. Values may be strings or lists of them (repeated keys). Never raises. The
    messages hold letters, digits and plain punctuation only, whatever the link held.

    Examples
    --------
    >>> made, messages = from_query({"gain": "1.5", "seq_len": "many"})
    >>> made.gain, made.seq_len
    (1.5, 100)
    >>> messages
    ('The link asked for seq_len=many; allowed is 2 to 2000; using 100.',)
    """
    if not isinstance(query, Mapping):
        return DEFAULT, ("The link could not be read; using the defaults.",)
    messages: list[str] = []
    values: dict[str, Any] = {}
    for name in FIELDS:
        if name in query:
            notes: list[str] = []
            values[name] = _read(name, _one(name, query[name], notes), notes)
            messages.append(" ".join(notes))
    if TEXT_CUT in query:
        said = _cut if query.get("text") else _missing
        messages.append(said(_one(TEXT_CUT, query[TEXT_CUT], [])))
    if VERSION_KEY in query:
        messages.append(_version(_one(VERSION_KEY, query[VERSION_KEY], [])))
    known = (*FIELDS, TEXT_CUT, VERSION_KEY)
    messages.append(_unknown([key for key in query if key not in known]))
    return replace(DEFAULT, **values), tuple(filter(None, messages))


def clean_text(text: str) -> tuple[str, tuple[str, ...]]:
    """The nearest text that an experiment may have, and what was changed. For pasted text."""
    longest = int(FIELDS["text"].high)
    messages = []
    if len(text) > longest:
        messages.append(f"The text has {len(text):,} characters; using the first {longest:,}.")
    clean = re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text[:longest])
    changed = sum(a != b for a, b in zip(clean, text, strict=False))
    if changed:
        messages.append(f"Broken characters in the text: {changed:,}; replaced.")
    return clean, tuple(messages)


def inert(value: object) -> str:
    """Text from outside for a message: plain ASCII, short, no markup. Else a question mark."""
    text = value if isinstance(value, str) else type(value).__name__
    shown = INERT.sub("?", text[:SHOWN])
    return (shown + "..." if len(text) > SHOWN else shown) or "nothing"


def _version(text: str) -> str:
    """What is said of a link's version; "" of this one and of older ones, which are read as they
    were meant: no name has changed its meaning yet."""
    if not re.fullmatch("[0-9]{1,4}", text):
        return f"The version {inert(text)} of the link is not one; read as version {VERSION}."
    if int(text) <= VERSION:
        return ""
    return (f"The link is of version {int(text)}, this page reads version {VERSION}; what it does "
            "not know is left out.")  # fmt: skip


def _unknown(keys: list[Any]) -> str:
    if not keys:
        return ""
    named = ", ".join(inert(key) for key in keys[:MAX_NAMED])
    more = f" and {len(keys) - MAX_NAMED:,} more" if len(keys) > MAX_NAMED else ""
    return f"The link names {named}{more}, not a setting here; ignored."


def _one(key: str, given: object, notes: list[str]) -> str:
    """The last value of a key, as text."""
    values = given if isinstance(given, list | tuple) else [given]
    if len(values) > 1:
        notes.append(f"The link names {key} {len(values):,} times; using the last.")
    last = values[-1] if values else ""
    return last if isinstance(last, str) else show(last) if isinstance(last, int | float) else ""


def _read(name: str, text: str, notes: list[str]) -> Any:
    """An allowed value for the field; says so if it is not what the link asked for."""
    known = FIELDS[name]
    if known.kind == "models":
        return _read_models(text, notes)
    if known.kind == "text":
        value, changes = clean_text(text)
        notes.extend(changes)
        return value
    value = known.read(text)
    used = known.default if value is None else value
    if not _says(known, text, used):
        notes.append(_replaced(known, f"{name}={inert(text)}", used))
    return used


def _says(known: Field, text: str, value: Any) -> bool:
    """Whether `value` is what `text` asks for, not a replacement."""
    return text == value if known.kind == "choice" else parse_number(text) == value


def _replaced(known: Field, asked: str, used: Any) -> str:
    return f"The link asked for {asked}; allowed is {known.allowed}; using {show(used)}."


def _read_models(text: str, notes: list[str]) -> tuple[Model, ...]:
    """ "rnn,lstm:forget_bias=0,gain=2" as two models: a part without a kind belongs to the model
    before it."""
    labels: list[str] = []
    for part in text.split(","):
        if labels and "=" in part and ":" not in part:
            labels[-1] += ("," if ":" in labels[-1] else ":") + part
        else:
            labels.append(part)
    if len(labels) > MAX_MODELS:
        notes.append(
            f"The link asked for {len(labels):,} models; allowed is 1 to {MAX_MODELS}; "
            f"using the first {MAX_MODELS}."
        )
    models = [_read_model(label, notes) for label in labels[:MAX_MODELS]]
    known = tuple(dict.fromkeys(model for model in models if model is not None))
    if len(known) < sum(model is not None for model in models):
        notes.append("The link names a model more than once; using it once.")
    if not known:
        notes.append(f"Using {', '.join(DEFAULT.models)}.")
    return known or DEFAULT.models


def _read_model(label: str, notes: list[str]) -> Model | None:
    """The model that a label means, without what it may not have; None for an unknown kind."""
    kind, _, rest = label.partition(":")
    if kind not in CELLS:
        notes.append(
            f"The link asked for the model {inert(label)}; allowed are {', '.join(CELLS)}; ignored."
        )
        return None
    overrides = {}
    for part in filter(None, rest.split(",")[:MAX_OVERRIDES]):
        key, _, given = part.partition("=")
        known = override_field(key, kind) if key in overrides_of(kind) else None
        value = None if known is None else known.read(given)
        if known is None or value is None:
            notes.append(f"The link asked for {inert(part)} of {kind}; ignored.")
            continue
        if not _says(known, given, value):
            notes.append(_replaced(known, f"{key}={inert(given)} of {kind}", value))
        overrides[key] = value
    return Model(kind, **overrides)


def _cut(length: str) -> str:
    return f"The link holds the first {MAX_LINK_TEXT:,} of {_total(length)} characters of the text."


def _missing(length: str) -> str:
    return (f"The address leaves out a text of {_total(length)} characters; the address that Link "
            f"gives holds the first {MAX_LINK_TEXT:,}.")  # fmt: skip


def _total(length: str) -> str:
    return f"{int(length):,}" if re.fullmatch("[0-9]{1,9}", length) else "more"
