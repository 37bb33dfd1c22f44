"""A word that needs a definition has it where it stands first on a page."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.dashboard import definitions, words_html
from rnnviz.models import load, read_data
from rnnviz.models.brought import FromWeights
from rnnviz.views.your_network import understood
from rnnviz.wording.glossary import definition, first_places
from rnnviz.wording.texts import TERMS, texts
from tests.dashboard.support import change, charts, visit, walk

SMALL = {"hidden_size": "6", "batch_size": "4", "seq_len": "24"}
DEFINED = re.compile(
    r'<dfn class="rnnviz-term" tabindex="0" aria-description="([^"]*)">(.*?)</dfn>'
)
ON_PAGE = {
    "gradient-flow": {"error", "decade", "s", "h", "clue", "rule_of_thumb"},
    "spectrum": {"error"},
    "gates": {"error", "decade", "h", "c"},
    "train": {"error", "gradient", "s"},
    "phase-diagram": {"error", "decade"},
    "claims": {"error", "decade"},
    "by-hand": {"error", "h"},
    "your-network": {"gradient"},
}
"""What stands on each page as it opens."""


def bodies(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html")]


def defined(app: AppTest) -> dict[str, str]:
    """Term -> its definition on the page."""
    found = [pair for body in bodies(app) for pair in DEFINED.findall(body)]
    words = ((html.unescape(re.sub("<sub>", "_", word)), html.unescape(m)) for m, word in found)
    return {first_places(re.sub("<[^>]+>", "", word))[0].term: means for word, means in words}


@pytest.mark.trained
@pytest.mark.usefixtures("_short_slices")
@pytest.mark.parametrize("page", ON_PAGE)
def test_the_words_of_a_page_are_defined_on_it(page: str) -> None:
    app = visit(page, SMALL | {"v": "1"} if page != "gradient-flow" else {})
    found = defined(app)
    assert ON_PAGE[page] <= set(found)
    assert all(means == definition(term) for term, means in found.items())


def test_what_has_no_room_under_a_figure_is_defined_under_the_next() -> None:
    app = visit(query={"view_theory": "True"})
    assert ON_PAGE["gradient-flow"] <= set(defined(app))
    under = [re.sub("<[^>]+>", "", body) for body in bodies(app) if "rnnviz-how" in body]
    assert under[0].endswith("Pascanu&#x27;s bound.")
    assert under[1].endswith("Words: s, clue, h.")


def test_every_definition_is_used() -> None:
    assert set().union(*ON_PAGE.values()) == set(texts(TERMS))


@pytest.mark.parametrize("page", ["gradient-flow", "gates"])
def test_what_is_written_in_sentences_and_figures_is_defined(page: str) -> None:
    app = visit(page)
    said = " ".join(re.sub("<[^>]+>", "", body.replace("<sub>", "_")) for body in bodies(app))
    drawn = " ".join(text for chart in charts(app).values() for text in walk(chart["layout"]))
    drawn = re.sub("<[^>]+>", "", drawn.replace("<sub>", "_"))
    needed = {place.term for place in [*first_places(html.unescape(said)), *first_places(drawn)]}
    assert needed <= set(defined(app))


def test_a_word_is_defined_once_before_the_fold() -> None:
    found = [word for body in bodies(visit()) for _, word in DEFINED.findall(body)]
    assert len(found) == len(set(found)) == 6


def test_definitions_stay_while_a_knob_moves() -> None:
    app = visit(query=SMALL)
    before = defined(app)
    assert before
    assert defined(change(app, gain=1.5)) == before


def test_a_symbol_keeps_its_index_and_a_model_s_name_its_colour() -> None:
    verdict = next(body for body in bodies(visit("gates")) if "rnnviz-verdict" in body)
    assert re.search(r">c<sub>T</sub></dfn>/∂c<sub>0</sub>", verdict)
    assert re.search(r'<span style="color:[^"]*">LSTM</span>', verdict)


def test_names_of_files_have_no_markup_and_no_definitions() -> None:
    arrays = {"weight_ih_l0": np.ones((8, 2)), "weight_hh_l0": np.eye(8, 2)}
    brought = FromWeights(load(arrays), read_data())
    with definitions.afresh():
        said = words_html.marked(understood(brought, "error_t2.npz", "d_1**.csv"))
    assert "<b>error_t2.npz</b>: PyTorch" in said
    assert "<b>d_1**.csv</b>" in said
