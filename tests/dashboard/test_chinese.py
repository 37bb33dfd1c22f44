"""A page in Chinese says nothing in English but names, signs and what the visitor brings; the
language is the link's, the visitor's choice or the browser's."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from rnnviz.wording.texts import ENGLISH, speak
from tests.dashboard.reading import NO_WORDS, read
from tests.dashboard.support import change, go_to, said, verdict, visit
from tests.dashboard.test_words import PAGES, opened
from tests.dashboard.training_support import choose, tick

CHINESE = {"lang": "zh", "hidden_size": "6", "batch_size": "4", "seq_len": "24"}
TINY = {"seq_len": "12", "hidden_size": "4", "batch_size": "2"}
FILE = re.compile(r"(?<=数据：)[\w-]+(?=（)")
"""What a download is called."""
WORD = re.compile(r"[A-Za-z]{3,}")
KEPT = frozenset(
    re.findall(
        r"\w+",
        """
    LSTM GRU RNN BPTT CIFG NFG NIAF NIG NOAF NOG NaN ReLU SGD gram tanh
    logistic sigmoid hard log max det     relu lstm gru rnn
    PyTorch Henrici Frobenius Pascanu Mikolov Bengio Tallec Ollivier Karpathy Johnson Fei arXiv IEEE
    lag Fuss Catalan Baum Welch float bfloat MiB CSV
    adam sgd momentum rmsprop adagrad chrono Chrono glorot hello
    Shift Page Down rnnviz torch watch run npz npy csv onnx keras safetensors pickle pkl unpickle
    target lengths mask output context English Adam tests diagnosis
    """,
    )
)
"""Names, signs of formulas, keys, files, the visitor's own text."""


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """AppTest names the options of a list in this thread, as the page does in its own."""
    yield
    speak(ENGLISH)


@pytest.fixture
def chinese() -> None:
    speak("zh")


def english(app: AppTest) -> list[str]:
    """What is said in English words."""
    assert not app.exception
    said = [html.unescape(NO_WORDS.sub(" ", FILE.sub("", text))) for text in read(app)]
    return [text for text in said if set(WORD.findall(text)) - KEPT]


@pytest.mark.usefixtures("chinese", "_short_slices")
@pytest.mark.trained
@pytest.mark.parametrize("page", [*PAGES, "lecture"])
def test_a_page_is_all_in_chinese(page: str) -> None:
    assert english(opened(visit(page, CHINESE))) == []


@pytest.mark.usefixtures("chinese")
@pytest.mark.trained
@pytest.mark.parametrize("page", ["gradient-flow", "spectrum", "gates", "train"])
def test_so_it_is_with_layers_directions_theory_and_a_text(page: str) -> None:
    query = {**CHINESE, "task": "text", "text": "hello hello hello hello", "loss_at": "every",
             "models": "rnn,lstm:forget_bias=0", "layers": "2", "bidirectional": "yes",
             "view_theory": "True", "view_why": "True", "view_states": "True"}  # fmt: skip
    assert english(opened(visit(page, query))) == []


@pytest.mark.usefixtures("chinese")
def test_so_is_what_the_lecture_says_of_its_link() -> None:
    app = visit("lecture", {**CHINESE, "scene": "99", "gain": "99"})
    said = "现在显示第 1 幕。链接要求 gain=99；允许的是 0.01 到 16；改用 16。"
    assert any(said in text for text in read(app))


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("name", ["vanishes", "closed"])
def test_so_is_what_is_said_of_a_network_that_was_brought(name: str) -> None:
    app = visit("your-network", {"lang": "zh"})
    app.button(key=f"example-{name}").click().run()
    assert english(opened(app)) == []


@pytest.mark.usefixtures("chinese", "_short_slices")
@pytest.mark.trained
@pytest.mark.parametrize("lesson", ["clipping", "influence"])
def test_so_it_is_in_a_lesson(lesson: str) -> None:
    assert english(opened(tick(tick(choose(visit("train", CHINESE), lesson))))) == []


def test_what_a_link_did_not_get_is_said_in_chinese() -> None:
    assert said(visit(query=TINY | {"lang": "zh", "gain": "many"})) == (
        "链接要求 gain=many；允许的是 0.01 到 16；改用 1。"
    )


def chosen(app: AppTest, name: str) -> AppTest:
    """After a click on the button of a language."""
    app.button(key=f"speak_{name}").click().run()
    speak(name)
    return app


def test_the_language_is_chosen_on_the_page_and_stays_in_the_address() -> None:
    app = visit(query=TINY | {"gain": "1.5"})
    assert "lang" not in app.query_params
    app = chosen(app, "zh")
    assert "到达第 1 步" in verdict(app)
    assert app.query_params == TINY | {"gain": "1.5", "v": "1", "lang": "zh"}
    app.query_params.clear()  # as a click on a tab does
    assert go_to(app, "spectrum").query_params["lang"] == "zh"
    app = chosen(app, "en")
    assert app.query_params["lang"] == "en"
    assert [button.label for button in app.button if (button.key or "").startswith("speak_")] == [
        "中文"
    ]
    assert change(app, gain=2.0).query_params["lang"] == "en"


@pytest.fixture
def chinese_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = property(lambda _: {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    monkeypatch.setattr(ContextProxy, "headers", headers)


@pytest.mark.usefixtures("chinese_browser")
def test_a_link_that_names_no_language_speaks_the_browser_s_and_stays_as_it_is() -> None:
    app = visit(query=TINY)
    speak("zh")
    assert "到达第 1 步" in verdict(app)
    assert "lang" not in change(app, gain=1.5).query_params
    assert "reaches step 1" in verdict(visit(query=TINY | {"lang": "en"}))
    assert said(visit(query=TINY | {"lang": "tlh"})) == (
        "链接要求语言 tlh；允许：en, zh；改用 中文。"
    )
