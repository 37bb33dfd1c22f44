"""Every language has every text, with the same values, formulas and numbers, in its own words."""

from __future__ import annotations

import re

import pytest

from rnnviz.wording.lists import cut, names, names_and, sentences, shortened, text_width
from rnnviz.wording.texts import ENGLISH, FOLDER, OFFERED, SAMPLES, own_name, preferred, speak_in

PAGES = sorted({path.stem for path in (FOLDER / ENGLISH).glob("*.md")} - {SAMPLES})
OTHERS = [name for name in OFFERED if name != ENGLISH]
VALUE = re.compile(r"\[\[\w+\]\]|%\{[^}]*\}")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
ONE_IN = "1 part in "
"""How a fraction begins in English."""
NO_WORDS = re.compile(rf"{VALUE.pattern}|{FORMULA.pattern}|<[^>]*>|:material/\w+:", re.DOTALL)
WORD = re.compile(r"[A-Za-z]{3,}")
KEPT = frozenset(
    re.findall(
        r"\w+",
        """
    LSTM GRU RNN BPTT CIFG NFG NIAF NIG NOAF NOG SGD Adam Chrono chrono ReLU tanh logistic sigmoid
    hard
    log max det NaN float skip len seq lag gram end output
    Pascanu Fuss Catalan Frobenius Henrici Baum Welch IEEE PyTorch JavaScript Latin UTF MiB
    CSV JSON PNG SVG npy npz csv onnx keras safetensors pickle pkl unpickle target lengths mask
    context
    rnnviz torch watch run tests diagnosis server address localhost healthz https moodle
    example org ulimit
    Content Length Shift Page Down hello
    ONNX Python bfloat proj size weight recurrent activation merge mode concat
    from import save file model state dict
    HDF Keras NumPy Unicode protobuf pip install None True False complex deflate transpose forward
    dtype shape data offsets activations after backwards before bias bidirectional candidate cell
    direction embedding experiment forget gain gates hidden kernel label layers layout loss lstm
    models modules params parts prefix readout reads reference replay reset rnn source steps
    backward Cell compile dropout eval grad norm spectral with
    """,
    )
)
"""Names, signs of formulas, keys, files and what stands in the code: the same in every language."""


def own(name: str, page: str) -> dict[str, str]:
    """What stands in the language's own folder."""
    content = (FOLDER / name / f"{page}.md").read_text("utf-8")
    parts = re.split(r"^# (\w+)\n", content, flags=re.MULTILINE)[1:]
    return {key: body.strip() for key, body in zip(parts[::2], parts[1::2], strict=True)}


def numbers(text: str) -> list[str]:
    """Those that are written in digits."""
    return sorted(NUMBER.findall(text.replace(ONE_IN, "")))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", OTHERS)
def test_a_language_has_every_text_with_its_values_formulas_and_numbers(
    name: str, page: str
) -> None:
    english, other = own(ENGLISH, page), own(name, page)
    assert list(other) == list(english)
    for key, text in english.items():
        said = other[key]
        assert said, key
        assert sorted(VALUE.findall(said)) == sorted(VALUE.findall(text)), key
        assert sorted(FORMULA.findall(said)) == sorted(FORMULA.findall(text)), key
        bare = (VALUE.sub("", one) for one in (said, text))
        assert len({frozenset(numbers(one)) for one in bare}) == 1, key


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_is_left_in_english_but_names_and_signs(name: str) -> None:
    left = {
        (page, key, word)
        for page in PAGES
        for key, text in own(name, page).items()
        for word in WORD.findall(NO_WORDS.sub(" ", text))
        if word not in KEPT
    }
    assert left == set()


def test_between_chinese_and_latin_stands_a_space_and_none_at_full_width_signs() -> None:
    signs = "，。：；、？！（）“”"
    glued = re.compile(rf"[一-鿿][A-Za-z0-9]|[A-Za-z0-9][一-鿿]|[{signs}] | [{signs}]")
    wrong = [
        (page, key, found[0])
        for page in PAGES
        for key, text in own("zh", page).items()
        if (found := glued.search(re.sub(r"[*]|<[^>]*>", "", text.replace("<br>", "\n"))))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("accepted", "name"),
    [
        ("", ENGLISH),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("de-DE,de;q=0.9,zh;q=0.5,en;q=0.4", "zh"),
        ("de, fr;q=0.9", ENGLISH),
        ("en;q=0.7, ZH-Hans;q=0.8", "zh"),
        ("zh;q=0, en", ENGLISH),
        ("zh;q=nonsense", "zh"),
        (";;,,q=1;zh" * 200, ENGLISH),
    ],
)
def test_the_language_that_a_browser_likes_best(accepted: str, name: str) -> None:
    assert preferred(accepted) == name


def test_every_language_has_its_own_name() -> None:
    assert [own_name(name) for name in OFFERED] == ["English", "中文"]


def test_lists_and_sentences_follow_the_language() -> None:
    models = ["RNN", "LSTM", "GRU"]

    def said() -> list[str]:
        return [
            names(models),
            names(["RNN", "LSTM, b"]),
            names_and(models),
            sentences(["A", "", "B"]),
        ]

    assert said() == ["RNN, LSTM, GRU", "RNN; LSTM, b", "RNN, LSTM and GRU", "A B"]
    assert speak_in("zh", said) == ["RNN、LSTM、GRU", "RNN；LSTM, b", "RNN、LSTM 和 GRU", "AB"]


def test_a_name_that_is_too_long_keeps_its_end() -> None:
    assert shortened("forget bias 0", 13) == "forget bias 0"
    assert shortened("forget bias 0.25", 10) == "forge…0.25"
    assert shortened("隐藏单元数 3", 9) == "隐藏…数 3"
    assert [shortened("forget", most) for most in (2, 1, 0)] == ["f…", "…", "…"]


def test_a_chinese_character_has_the_room_of_two_letters() -> None:
    assert (text_width("LSTM"), text_width("遗忘门")) == (4, 6)
    assert (cut("遗忘偏置", 8), cut("遗忘偏置", 7), cut("forget", 5)) == (
        "遗忘偏置",
        "遗忘偏…",
        "forg…",
    )
