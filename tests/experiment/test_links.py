"""Links: every experiment survives one, and whatever a link holds, something sensible runs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import FIELDS, PRESETS, Experiment, Model, from_query, to_query
from rnnviz.core import CELLS
from rnnviz.experiment.links import MAX_LINK_TEXT, clean_text, inert, left_out
from rnnviz.experiment.model import override_field, overrides_of

MARKUP = re.compile(r"[<>$`*\[\]{}\\|~#!&'\"@:^\x00-\x1f\x7f-\U0010ffff]")


def values(field: Any) -> st.SearchStrategy[Any]:
    if field.kind == "choice":
        return st.sampled_from(field.choices)
    if field.kind == "int":
        return st.integers(int(field.page_low), int(field.page_high))
    return st.floats(field.page_low, field.page_high)


@st.composite
def models(draw: st.DrawFn) -> Model:
    kind = draw(st.sampled_from(list(CELLS)))
    names = draw(st.lists(st.sampled_from(overrides_of(kind)), unique=True))
    return Model(kind, **{name: draw(values(override_field(name, kind))) for name in names})


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    simple = {n: values(f) for n, f in FIELDS.items() if f.kind not in ("models", "text")}
    names = draw(st.lists(st.sampled_from(list(simple)), unique=True))
    text = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
    chosen = draw(st.lists(models(), min_size=1, max_size=6, unique=True))
    changes = {name: draw(simple[name]) for name in names}
    return Experiment(models=tuple(chosen), text=text, **changes)


@given(experiments())
@settings(max_examples=200, deadline=None)
def test_an_experiment_survives_its_link(experiment: Experiment) -> None:
    link = urlencode(to_query(experiment))
    assert from_query(dict(parse_qsl(link, keep_blank_values=True))) == (experiment, ())


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_its_link(name: str) -> None:
    experiment = PRESETS[name].experiment()
    assert from_query(to_query(experiment)) == (experiment, ())


def test_a_link_names_what_differs_from_the_defaults_alone() -> None:
    assert to_query(Experiment()) == {}
    assert to_query(Experiment(gain=2.0, models=("rnn", "lstm:gain=2,forget_bias=0"))) == {
        "models": "rnn,lstm:forget_bias=0,gain=2",
        "gain": "2",
        "v": "1",
    }


@pytest.mark.parametrize("version", [None, "0", "1"])
def test_an_older_link_opens_as_it_was_meant(version: str | None) -> None:
    query = {"gain": "2"} if version is None else {"gain": "2", "v": version}
    assert from_query(query) == (Experiment(gain=2.0), ())


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (
            "7",
            "The link is of version 7, this page reads version 1; what it does not know is left "
            "out.",
        ),
        ("<b>", "The version ?b? of the link is not one; read as version 1."),
        ("", "The version nothing of the link is not one; read as version 1."),
        ("1.0", "The version 1.0 of the link is not one; read as version 1."),
    ],
)
def test_a_newer_link_opens_and_says_so(version: str, message: str) -> None:
    experiment, messages = from_query({"gain": "2", "v": version, "noise": "3"})
    assert experiment == Experiment(gain=2.0)
    assert messages == (message, "The link names noise, not a setting here; ignored.")


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ("1e9", 512), ("-1", 1), ("0", 1), ("3.7", 4), ("NaN", 64), ("inf", 512), ("-inf", 1),
        ("abc", 64), ("", 64), ("[]", 64), ("1_000", 64), ("0x10", 64), ("١٢", 64), ("½", 64),
        ("9" * 5000, 512), ("1e999", 512), ("<script>alert(1)</script>", 64), ("1,5", 64),
        ("True", 64), ("None", 64), ("1e", 64), ("--1", 64), ("\x00", 64), ("64\n", 64),
    ],
)  # fmt: skip
def test_a_nonsense_number_is_replaced_and_said(asked: str, used: int) -> None:
    experiment, messages = from_query({"hidden_size": asked, "seq_len": "50"})
    assert experiment == Experiment(hidden_size=used, seq_len=50)
    assert len(messages) == 1
    assert messages[0].startswith("The link asked for hidden_size=")
    assert messages[0].endswith(f"; allowed is 1 to 512; using {used}.")


def test_the_message_of_the_design() -> None:
    _, messages = from_query({"hidden_size": "1e9"})
    assert messages == ("The link asked for hidden_size=1e9; allowed is 1 to 512; using 512.",)


@pytest.mark.parametrize("asked", ["64", "64.0", "+64", "6.4e1", "064", " 64"])
def test_another_way_to_write_an_allowed_number_needs_no_message(asked: str) -> None:
    assert from_query({"hidden_size": asked}) == (Experiment(), ())


@pytest.mark.parametrize(
    ("name", "asked", "used"),
    [("gain", "100", 16.0), ("gain", "nan", 1.0), ("gain", "0", 0.01), ("task", "copy", None),
     ("init", "<b>", None), ("dtype", "float16", None), ("memory_bias", "-1e3", -10.0),
     ("seed", "-5", 0), ("loss_at", "LAST", None), ("layers", "9", 4), ("layers", "0", 1),
     ("bidirectional", "true", None), ("leak", "0", 0.01), ("leak", "2", 1.0), ("skip", "-3", 0),
     ("skip", "1e9", 100), ("optimizer", "lion", None), ("learning_rate", "1e9", 10.0),
     ("learning_rate", "fast", None), ("clip", "1", None), ("clip_at", "0", 1e-3),
     ("window", "1e6", 2000), ("stride", "2.5e9", 2000), ("train_steps", "inf", 20_000)],
)  # fmt: skip
def test_each_field_takes_the_nearest_or_its_default(name: str, asked: str, used: Any) -> None:
    experiment, messages = from_query({name: asked})
    assert getattr(experiment, name) == (FIELDS[name].default if used is None else used)
    assert len(messages) == 1


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "text"])
def test_no_field_takes_nonsense(name: str) -> None:
    experiment, messages = from_query({name: "<b>nonsense</b>"})
    assert experiment == Experiment()
    assert messages[0].startswith("The link asked for")


@pytest.mark.parametrize(
    ("asked", "used", "said"),
    [
        ("rnn,mlp,gru", ("rnn", "gru"), "the model mlp; allowed are rnn, lstm, gru; ignored"),
        ("mlp", ("rnn", "lstm", "gru"), "Using rnn, lstm, gru."),
        ("", ("rnn", "lstm", "gru"), "Using rnn, lstm, gru."),
        ("gru,gru", ("gru",), "more than once; using it once"),
        ("lstm:forget_bias=99", ("lstm:forget_bias=10",), "forget_bias=99 of lstm; allowed is"),
        ("lstm:color=red,gain=2", ("lstm:gain=2",), "color=red of lstm; ignored"),
        ("rnn:forget_bias=1", ("rnn",), "forget_bias=1 of rnn; ignored"),
        ("rnn:gain=abc", ("rnn",), "gain=abc of rnn; ignored"),
        ("rnn:hidden_size=1e9,gain=2", ("rnn:hidden_size=512,gain=2",), "using 512"),
        ("lstm:variant=best,layers=2", ("lstm:layers=2",), "variant=best of lstm; ignored"),
        ("gru:variant=cifg", ("gru",), "variant=cifg of gru; ignored"),
        ("rnn:variant=plain", ("rnn",), "variant=plain of rnn; ignored"),
        ("lstm:leak=0.5", ("lstm",), "leak=0.5 of lstm; ignored"),
        ("gru:layers=9", ("gru:layers=4",), "layers=9 of gru; allowed is 1 to 4; using 4"),
    ],
)
def test_nonsense_models_are_replaced_and_said(
    asked: str, used: tuple[str, ...], said: str
) -> None:
    experiment, messages = from_query({"models": asked})
    assert experiment.models == used
    assert len(messages) == 1
    assert said in messages[0]


def test_300_models_become_six() -> None:
    asked = ",".join(f"rnn:hidden_size={h}" for h in range(1, 301))
    experiment, messages = from_query({"models": asked})
    assert len(experiment.models) == 6
    assert messages == ("The link asked for 300 models; allowed is 1 to 6; using the first 6.",)


def test_a_repeated_key_takes_the_last() -> None:
    experiment, messages = from_query({"gain": ["2", "3"], "seed": ["7"], "init": []})
    assert (experiment.gain, experiment.seed) == (3, 7)
    assert len(messages) == 2
    assert "names gain 2 times; using the last" in messages[0] + messages[1]


def test_unknown_keys_are_named_once_and_few_of_them() -> None:
    _, messages = from_query({f"key{i}": "1" for i in range(1000)})
    assert messages == (
        "The link names key0, key1, key2 and 997 more, not a setting here; ignored.",
    )


def test_a_long_text_is_cut_and_the_link_says_so() -> None:
    long = Experiment(task="text", text="ab" * 2500)
    assert left_out(long) == "The link holds the first 2,000 of 5,000 characters of the text."
    experiment, messages = from_query(to_query(long))
    assert experiment.text == long.text[:MAX_LINK_TEXT]
    assert messages == (left_out(long),)
    whole = Experiment(text="é" * MAX_LINK_TEXT)
    assert left_out(whole) == ""
    assert from_query(to_query(whole)) == (whole, ())


@pytest.mark.parametrize(
    "beyond",
    [
        {"gain": 20.0},
        {"seq_len": 3000},
        {"gain": 20.0, "seq_len": 3000},
        {"models": ("lstm:forget_bias=0", "rnn:gain=40")},
        {"task": "text", "text": "ab" * 2500, "gain": 20.0},
    ],
)
def test_what_a_page_does_not_ask_for_is_said_to_be_left_out(beyond: dict[str, Any]) -> None:
    experiment = Experiment(**beyond)
    opened, messages = from_query(to_query(experiment))
    assert opened != experiment
    assert left_out(experiment) == " ".join(messages)
    for name in beyond.keys() - {"models", "task", "text"}:
        assert f"{name}={beyond[name]:g}" in left_out(experiment)


def test_an_address_has_a_short_text_or_none_and_says_so() -> None:
    short, long = Experiment(text="ab" * 100), Experiment(text="ab" * 2500, gain=2)
    assert to_query(short, whole_text=False) == to_query(short)
    query = to_query(long, whole_text=False)
    assert "ab" not in "".join(query.values())
    experiment, messages = from_query(query)
    assert (experiment.text, experiment.gain) == ("", 2)
    assert messages == (
        "The address leaves out a text of 5,000 characters; the address that Link gives holds "
        "the first 2,000.",
    )


def test_text_that_an_experiment_may_not_have_is_cleaned_and_said() -> None:
    assert clean_text("héllo\n") == ("héllo\n", ())
    assert clean_text("a\ud800b") == ("a\ufffdb", ("Broken characters in the text: 1; replaced.",))
    text, messages = clean_text("x" * 200_000)
    assert len(text) == 100_000
    assert messages == ("The text has 200,000 characters; using the first 100,000.",)
    Experiment(text=from_query({"text": "\ud800" * 3})[0].text)


@pytest.mark.parametrize("query", [None, 5, "gain=2", [("gain", "2")], object()])
def test_what_is_no_query_gives_the_defaults(query: object) -> None:
    assert from_query(query)[0] == Experiment()


ANYTHING = st.one_of(
    st.text(), st.integers(), st.floats(), st.none(), st.binary(), st.lists(st.text()),
    st.from_regex(r"\A(rnn|lstm|gru|x)(:[a-z_]{1,12}=[-0-9a-z.]{0,5}(,[a-z_]*=[0-9]*)*)?\Z"),
)  # fmt: skip
KEYS = st.one_of(st.sampled_from([*FIELDS, "text_cut"]), st.text(), st.integers())


@given(st.dictionaries(KEYS, ANYTHING))
@settings(max_examples=400, deadline=None)
def test_no_link_raises_and_no_message_holds_markup(query: dict[Any, Any]) -> None:
    experiment, messages = from_query(query)
    assert from_query(to_query(experiment)) == (experiment, ())
    for message in messages:
        own_labels = message.replace("lstm:", "").replace("gru:", "").replace("rnn:", "")
        assert not MARKUP.search(own_labels), message
        assert len(message) < 3000


@pytest.mark.parametrize(
    "attack",
    ["<script>alert(1)</script>", "![x](http://evil.example)", "$\\href{javascript:x}$", "`rm`",
     "**bold**", "__init__", ":red[x]", ":material/home:", "www.evil.com", "https://evil.com",
     "\u202egnp", "a\nb", "[x](y)", "<a@b.cc>", "|a|b|", "~~x~~"],
)  # fmt: skip
def test_text_from_outside_is_inert(attack: str) -> None:
    shown = inert(attack)
    assert not MARKUP.search(shown)
    assert not re.search(r"__|_\b|\b_|\.[a-z]|://", shown)


def test_inert_text_is_short_and_keeps_what_is_harmless() -> None:
    assert inert("hidden_size") == "hidden_size"
    assert inert("3.7") == "3.7"
    assert inert("x" * 1000) == "x" * 40 + "..."
    assert inert("") == "nothing"
    assert inert(5) == "int"
