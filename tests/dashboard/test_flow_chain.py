"""The chain above the curves: on the page, past the script, and where it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rnnviz.dashboard import compute, frames
from rnnviz.dashboard.asked import Asked, Move, moved
from rnnviz.dashboard.components.flow_chain import KEY, packed
from rnnviz.experiment import Experiment
from rnnviz.lecture import pictures as lecture
from rnnviz.views.flow_chain import LATER
from rnnviz.views.gradient_flow import Choices
from tests.dashboard.support import visit

SMALL = Experiment(("rnn", "lstm"), seq_len=12, hidden_size=4, batch_size=4)
LINK = {"models": "rnn,lstm", "seq_len": "12", "hidden_size": "4", "batch_size": "4"}
PANEL = f"panel:{KEY}"


def sent(app: Any) -> list[dict[str, Any]]:
    """What the script has sent of chains."""
    found = (e.proto for e in app.get("bidi_component"))
    return [json.loads(p.bytes) for p in found if p.component_name == "rnnviz_flow_chain"]


def test_it_stands_above_the_curves_of_the_model_that_is_chosen() -> None:
    (chain,) = sent(visit(query=LINK))
    assert (chain["title"], chain["steps"]) == ("RNN", list(range(1, 13)))
    (chain,) = sent(visit(query=LINK | {"view_chain": "lstm"}))
    assert (chain["title"], chain["kind"]) == ("LSTM", "shares")
    (chain,) = sent(visit(query=LINK | {"view_chain": "gru"}))  # it is not there
    assert chain["title"] == "RNN"
    assert sent(visit(query=LINK | {"view_chain": "none"})) == []


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_what_follows_a_knob_is_what_the_script_sends(model: str) -> None:
    asked = Asked(SMALL, Choices(chain=model))
    shown = moved(asked, Move({"gain": 1.5}, rests=True))
    assert shown is not None
    live = dict(frames.frames(shown))[PANEL]
    (script,) = sent(visit(query=LINK | {"view_chain": model, "gain": "1.5"}))
    assert json.loads(live) == script


def test_while_it_moves_gated_shares_wait_and_no_more_is_computed() -> None:
    held = moved(Asked(SMALL, Choices(chain="lstm")), Move({"gain": 1.5}, held=True))
    assert held is not None
    assert held.choices == Choices(chain="lstm", moving=True)
    said = json.loads(dict(frames.frames(held))[PANEL])
    assert (said["missing"], said["parts"]) == (LATER, [])
    for choices in (Choices(chain="rnn"), Choices(), Choices(chain="lstm", why=True)):
        held = moved(Asked(SMALL, choices), Move({"gain": 1.5}, held=True))
        assert held is not None
        assert held.choices == choices


def test_no_other_page_and_no_scene_has_one() -> None:
    assert PANEL not in dict(frames.frames(Asked(SMALL, Choices())))
    (scene, *_) = (s for s in lecture.SCENES if s.picture == "flow-state")
    assert PANEL not in dict(frames.frames(Asked(SMALL, lecture.Choices(scene.name))))


def test_a_frame_is_small() -> None:
    longest = replace(SMALL, seq_len=2000, models=("lstm",))
    view = compute.flow_view(longest, Choices(chain="lstm", why=True), None)
    assert len(packed(view, "")) < 20_000
