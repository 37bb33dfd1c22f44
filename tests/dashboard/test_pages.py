"""Every page stands whatever the knobs say: no traceback, an answer, no blank chart."""

from __future__ import annotations

from typing import Any

import pytest

from rnnviz import PRESETS, Experiment
from rnnviz.core import CELLS
from rnnviz.core.activations import ACTIVATIONS
from rnnviz.core.initializers import INITIALIZERS
from rnnviz.tasks import TASKS
from tests.dashboard.support import PAGES, assert_sound, change, charts, said, verdict, visit

SIX = ("rnn", "lstm", "gru", "lstm:forget_bias=0", "gru:update_bias=0", "rnn:activation=relu")
RNN = ("rnn",)


def small(**changes: Any) -> Experiment:
    return Experiment(**{"hidden_size": 12, "seq_len": 40, "batch_size": 4, **changes})


SITUATIONS: dict[str, Experiment] = {
    "defaults": Experiment(),
    **{f"preset {name}": preset.experiment() for name, preset in PRESETS.items()},
    **{f"{kind} alone": small(models=(kind,)) for kind in ("rnn", "lstm", "gru")},
    "two LSTMs": small(models=("lstm", "lstm:forget_bias=0")),
    "two RNNs": small(models=("rnn", "rnn:gain=1.5,init=orthogonal")),
    "six models": small(models=SIX),
    "no plain model": small(models=SIX[3:]),
    "models of different sizes": small(models=("rnn:hidden_size=1", "lstm:hidden_size=9")),
    "T = 2": small(seq_len=2),
    "T = 2 and a loss at every step": small(seq_len=2, loss_at="every"),
    "T = 3": small(seq_len=3),
    "T = 1000": small(seq_len=1000),
    "H = 1": small(hidden_size=1),
    "H = 2": small(hidden_size=2),
    "H = 200": Experiment(models=("rnn", "gru"), hidden_size=200, seq_len=20),
    "B = 1": small(batch_size=1),
    "all ones": Experiment(seq_len=2, hidden_size=1, batch_size=1),
    "least gain": small(gain=0.01),
    "greatest gain": small(gain=16.0),
    "no memory": small(memory_bias=-10.0),
    "all memory": small(memory_bias=10.0),
    "no input": small(input_scale=0.0, distractor=0.0),
    "ReLU overflows": small(activation="relu", gain=16.0, seq_len=500, init="identity"),
    "ReLU dies": small(activation="relu", gain=0.01, init="gaussian"),
    "identity overflows": small(activation="identity", gain=16.0, seq_len=500),
    "identity overflows in float32": small(activation="identity", gain=16.0, dtype="float32"),
    "every model overflows": small(
        models=RNN, activation="relu", gain=16.0, seq_len=2000, init="identity"
    ),
    "rounded to zero": small(models=RNN, activation="identity", gain=0.01, seq_len=500),
    "float32": small(dtype="float32"),
    "float32 and a loss at every step": small(dtype="float32", loss_at="every"),
    "loss at every step": small(loss_at="every"),
    "equal parameters": small(match="parameters"),
    "chrono": small(gate_init="chrono"),
    "two layers": small(layers=2),
    "two layers, both directions": small(layers=2, bidirectional="yes"),
    "both directions, loss at every step": small(bidirectional="yes", loss_at="every"),
    "depths and directions of their own": small(
        models=("rnn:layers=3", "rnn:bidirectional=yes", "lstm", "gru:layers=2,bidirectional=yes")
    ),
    "padded, both directions": small(task="sentiment", bidirectional="yes", layers=2),
    "leak": small(leak=0.1),
    "skip": small(skip=10),
    "skip beyond T": small(skip=100),
    "leak and skip": small(models=("rnn:leak=0.5,skip=3", "lstm:skip=5", "gru:skip=2")),
    **{
        f"variant {kind} {name}": small(models=(f"{kind}:variant={name}",), skip=2)
        for kind, cell in CELLS.items()
        for name in [*cell.VARIANTS][1:]
    },
    "all variants of an idea": small(
        models=("lstm", *(f"lstm:variant={name}" for name in ("cifg", "nig", "nfg", "no_gates")))
    ),
    "the last seed": small(seed=2**31 - 1),
    **{f"task {name}": small(task=name, text="to be or not to be") for name in TASKS},
    **{
        f"task {name}, loss at every step": small(task=name, text="abc", loss_at="every")
        for name in TASKS
    },
    **{f"init {name}": small(init=name) for name in INITIALIZERS},
    **{f"activation {name}": small(activation=name) for name in ACTIVATIONS},
}

TEXTS = {
    "nothing": "",
    "one character": "a",
    "two characters": "ab",
    "one character many times": "a" * 500,
    "only spaces": " " * 50,
    "emoji": "🙂🙃👩‍👩‍👧‍👦" * 30,
    "right to left, zero width, combining": "שלום\u200b\u202e e\u0301" * 20,
    "markup": "<script>alert(1)</script> ![x](http://evil.example) $\\href{javascript:x}{y}$" * 9,
    "very long": "the quick brown fox\n" * 5000,
    "many different characters": "".join(map(chr, range(0x4E00, 0x4E00 + 3000))),
}


@pytest.mark.parametrize("tab", PAGES)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_page_stands(situation: str, tab: str) -> None:
    app = visit(tab, SITUATIONS[situation])
    assert_sound(app)
    assert charts(app)
    assert not app.error


@pytest.mark.parametrize("tab", PAGES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_page_stands_on_any_text(text: str, tab: str) -> None:
    app = visit(tab)
    change(app, task="text", text=TEXTS[text], hidden_size=12, seq_len=40)
    assert_sound(app)


@pytest.mark.parametrize("text", ["", "a"])
@pytest.mark.parametrize("tab", PAGES)
def test_a_text_without_a_next_character_is_refused_with_the_reason(tab: str, text: str) -> None:
    app = change(visit(tab), task="text", text=text)
    assert not charts(app)
    assert "This cannot be run" in said(app)
    assert "text" in said(app)
    assert "2" in said(app)


def test_text_is_inert_on_the_page() -> None:
    app = change(visit(), task="text", text=TEXTS["markup"])
    assert "script" not in verdict(app)
    assert not any("<script>alert" in element.proto.body for element in app.get("html"))
    assert not any("evil" in box.value for box in app.markdown)


@pytest.mark.parametrize("tab", PAGES)
def test_a_loss_at_every_step_is_no_proof_of_memory(tab: str) -> None:
    app = visit(tab, Experiment(models=("rnn", "lstm"), loss_at="every"))
    if tab == "gradient-flow":
        assert "no proof of memory" in said(app)
    assert "survives" not in verdict(app)


def test_what_has_no_number_is_said() -> None:
    app = visit(query=SITUATIONS["every model overflows"])
    assert "no number (NaN) reaches step 1" in " ".join(verdict(app).split())
