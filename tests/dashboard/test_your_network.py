"""Your network: what is opened there, what is refused and why, what is said of it."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from rnnviz.analysis import gradient_flow
from rnnviz.core.cost import Estimate
from rnnviz.dashboard import brought, hosting, jobs, state
from rnnviz.dashboard.brought import Share
from rnnviz.dashboard.pages import your_network
from rnnviz.models import load, read_data, run_of
from rnnviz.models.examples import EXAMPLES
from rnnviz.wording.texts import PSEUDO, texts
from tests.dashboard.support import (
    SCRIPT,
    charts,
    go_to,
    notes,
    press,
    said,
    same,
    verdict,
    visit,
    widget_key,
)
from tests.models.golden import FOLDER
from tests.models.hostile import GOOD, NPZ, SAFETENSORS, npz

ROOT = Path(__file__).parents[2]
TEXT = texts("your_network")
SICK = {
    "vanishes": "vanishes before the lag: of the last loss alone 1 part in 10",
    "explodes": "The error explodes: 99 steps back",
    "closed": "The memory gate f is closed",
}
LSTM = EXAMPLES["closed"].weights()
OF_SAFETENSORS = "safetensors: "


def title(name: str) -> str:
    return TEXT[f"example_{name}"]


def upload(app: AppTest, data: bytes, name: str = "model.npz", door: int = 0) -> AppTest:
    return app.file_uploader[door].upload(name, data, "application/octet-stream").run()


def choose(app: AppTest, what: str, answer: str) -> AppTest:
    return app.selectbox(key=widget_key(app, f"{your_network.SAY}.{what}")).select(answer).run()


def small(app: AppTest) -> str:
    """What is said in small."""
    bodies = [e.proto.body for e in app.get("html") if "rnnviz-how" in e.proto.body]
    return "\n".join(re.sub("<[^>]+>", "", body) for body in bodies)


@pytest.mark.parametrize("name", SICK)
def test_a_network_that_does_not_learn_is_said_to_have_what_it_has(name: str) -> None:
    app = press(visit("your-network"), title(name))
    assert not app.exception
    assert SICK[name] in verdict(app)
    assert set(charts(app)) == {"flow-state", "units"}
    lines = {t["name"] for t in charts(app)["flow-state"]["data"] if t.get("name")}
    kind = EXAMPLES[name].cell.upper()
    assert {kind, f"{kind}, fresh"} <= lines
    assert app.number_input[0].value == 50


def test_every_finding_is_there_with_its_number_threshold_and_change() -> None:
    app = press(visit("your-network"), title("closed"))
    (label,) = (each.label for each in app.expander)
    assert label.startswith("All findings (3 serious, 2 more)")
    app.session_state["open-findings"] = True  # whatever stands on it
    app.run()
    assert "threshold 4.18" in " ".join(e.proto.body for e in app.get("html"))
    assert "rnn.bias_ih_l0[H:2 * H] = 4.3" in app.code[0].value


@pytest.mark.parametrize("figures", ["spectrum", "gates"])
def test_other_figures_are_of_either_network(figures: str) -> None:
    app = press(visit("your-network"), title("closed"))
    app.session_state["your-network.view_figures"] = figures
    first = charts(app.run())
    app.session_state["your-network.view_model"] = "lstm:network=fresh"
    other = charts(app.run())
    assert not app.exception
    assert first.keys() == other.keys()
    assert "flow-state" not in first
    assert not all(same(first[key], other[key]) for key in first)


def test_without_a_lag_only_the_horizon_is_said() -> None:
    app = upload(visit("your-network"), npz(LSTM))
    assert "Steps back until the error is down to 1/e for good" in verdict(app)
    assert "give its lag" in verdict(app)


def test_what_was_understood_is_said() -> None:
    app = upload(visit("your-network"), npz({f"encoder.rnn.{n}": a for n, a in LSTM.items()}))
    assert (
        "model.npz: PyTorch’s weights, gates i, f, g, o. LSTM, 4 inputs, 64 units, 1 layer, one "
        "direction; 17,920 parameters. Run on sequences of 100 steps, 16 of them."
    ) in small(app)
    assert "x is white noise; the loss is the last output in a random direction" in small(app)


def with_nan() -> dict[str, Any]:
    broken = LSTM["weight_hh_l0"].copy()
    broken[3, 4] = np.nan
    return {**LSTM, "weight_hh_l0": broken}


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (npz(with_nan()), "a.npz", "W_hh is not a finite number: NaN at [3, 4]."),
        (npz({n: 0 * a for n, a in LSTM.items()}), "a.npz", "down to 1/e for good: 1."),
        (npz({n: 1e308 * np.sign(a) for n, a in LSTM.items()}), "a.npz", "b_h is not a finite"),
        (npz(GOOD), "a.npz", "down to 1/e for good"),
        ((FOLDER / "models_keras_both.keras").read_bytes(), "a.keras", "down to 1/e for good"),
        ((FOLDER / "models_onnx_gru.onnx").read_bytes(), "a.onnx", "down to 1/e for good"),
        ((FOLDER / "models_torch_bfloat16.safetensors").read_bytes(), "a.safetensors", "1/e"),
    ],
    ids=["NaN", "zeros", "1e308", "one unit", "keras", "onnx", "bfloat16"],
)
def test_what_is_odd_but_whole_is_shown_as_it_is(data: bytes, name: str, sentence: str) -> None:
    app = upload(visit("your-network"), data, name)
    assert not app.exception
    assert sentence in verdict(app)
    assert set(charts(app)) == {"flow-state", "units"}


@pytest.fixture(scope="module")
def opened() -> AppTest:
    """A page on which a network is open."""
    return press(visit("your-network"), title("vanishes"))


REFUSED = ("empty", "random", "pickle", "objects", "bad checksum", "32 GiB declared",
           "deflate bomb", "many names", "outside", "no array", "header of code", "many axes",
           "no weights", "no numbers", "a million layers", "zero size")  # fmt: skip
REFUSED_SAFETENSORS = ("no json", "no utf-8", "overlap", "twice", "huge", "long name",
                       "metadata alone")  # fmt: skip


@pytest.mark.parametrize("name", [*REFUSED, *(OF_SAFETENSORS + n for n in REFUSED_SAFETENSORS)])
def test_a_hostile_file_is_refused_by_name_and_the_rest_stays(opened: AppTest, name: str) -> None:
    """What the page adds to the reader, which refuses all of them in tests/models/test_hostile.py:
    what was open, and what a stranger wrote as it is."""
    case = name.removeprefix(OF_SAFETENSORS)
    make, message = (SAFETENSORS if name != case else NPZ)[case]
    upload(opened, make(), "bad.bin" if name != case else "bad.npz")
    assert not opened.exception
    found = f"{notes(opened)}\n{said(opened)}"
    assert re.search(message, found), found
    if "What was open stays." in found:
        assert SICK["vanishes"] in verdict(opened)
    else:  # a whole file, of which no network is made
        assert not charts(opened)
        press(opened, title("vanishes"))


@pytest.fixture(scope="module")
def closed() -> AppTest:
    """A page on which a network is open that data are brought to, one after the other."""
    return press(visit("your-network"), title("closed"))


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (lambda: b"1,2,3,4\n1,2,nan,4\n", "x.csv", r"line 2, column 'column 3' must be a finite"),
        (lambda: npz({"x": np.full((5, 4), np.nan)}), "x.npz", r"x must be finite, got nan at"),
        (lambda: b"\x80\x04.", "x.npy", "the file is a pickle, which is never loaded"),
        (lambda: npz({"x": np.zeros((9, 7))}), "x.npz", "x must have 4 features .* got 7"),
        (lambda: npz({"y": np.zeros(9)}), "x.npz", "names must be among x, .* got 'y'"),
        (NPZ["32 GiB declared"][0], "x.npz", "brings them to 34,359,738,368"),
        (NPZ["deflate bomb"][0], "x.npz", "brings them to 200,000,000"),
        (lambda: npz({"x": np.zeros((9, 4)), "lengths": np.array([12])}), "x.npz", "lengths must"),
    ],
)
def test_data_that_will_not_do_are_refused_by_name(
    closed: AppTest, make: Callable[[], bytes], name: str, message: str
) -> None:
    app = upload(closed, make(), name, door=1)
    assert not app.exception
    assert re.search(message, said(app)), said(app)
    assert not charts(app)


def test_what_neither_names_nor_file_say_is_asked_for() -> None:
    arrays = {f"arr_{k}": array for k, array in enumerate(LSTM.values())}
    app = upload(visit("your-network"), npz(arrays))
    assert not charts(app)
    assert app.selectbox[0].label == TEXT["say_layout"]
    assert app.selectbox[0].options == ["pytorch", "keras", "onnx", "tensorflow1", "rnnviz"]
    choose(app, "layout", "pytorch")
    assert "PyTorch’s weights, gates i, f, g, o" in small(app)
    assert charts(app)
    upload(app, npz(LSTM))
    assert not app.selectbox, "another file is another question"


def test_a_network_among_several_is_chosen() -> None:
    two = {f"{where}.{n}": a for where in ("encoder", "decoder") for n, a in LSTM.items()}
    app = upload(visit("your-network"), npz(two))
    assert app.selectbox[0].options == ["encoder", "decoder"]
    assert charts(choose(app, "prefix", "decoder"))


def test_the_axes_of_data_are_asked_for() -> None:
    app = press(visit("your-network"), title("closed"))
    x = np.random.default_rng(0).standard_normal((6, 30, 4))
    upload(app, npz({"x": x}), "batch.npz", door=1)
    assert not charts(app)
    choose(app, "axes", "btd")
    assert "Run on sequences of 30 steps, 6 of them, from batch.npz." in small(app)
    assert charts(app)["flow-state"]


def test_data_can_be_taken_away_again() -> None:
    app = press(visit("your-network"), title("closed"))
    before = charts(app)
    upload(app, npz({"x": np.ones((30, 4))}), "one.npz", door=1)
    assert "Run on sequences of 30 steps, 1 of them, from one.npz." in small(app)
    press(app, "Go on without one.npz")
    assert same(charts(app)["flow-state"], before["flow-state"])


def test_files_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is let go: a session may upload 16 MB at once, not in all."""
    removed = []
    kept = MemoryUploadedFileManager.remove_file
    monkeypatch.setattr(
        MemoryUploadedFileManager,
        "remove_file",
        lambda self, *given: removed.append(given) or kept(self, *given),
    )
    app = visit("your-network")
    for count in range(1, 4):
        upload(app, npz(LSTM))
        assert len({file for _, file in removed}) == count
        assert app.file_uploader[0].value is None


def test_a_saved_run_has_its_own_data() -> None:
    app = upload(visit("your-network"), (FOLDER / "watched_packed.npz").read_bytes(), "run.npz")
    assert not app.exception
    assert "run.npz: a saved run" in small(app)
    assert TEXT["own_data"] in small(app)
    assert len(app.file_uploader) == 1
    assert charts(app)


def test_what_is_too_large_is_refused_with_the_estimate_before_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = press(visit("your-network"), title("closed"))
    monkeypatch.setattr(your_network, "own_run", None)
    upload(app, npz({"lengths": np.array([10**9])}), "long.npz", door=1)
    assert not app.exception
    assert re.search(r"was not run: it would take [\d,]+ MiB and about [\d,]+ s", said(app))
    assert not charts(app)


def test_a_file_is_in_no_address_no_log_and_no_other_visit(
    capfd: pytest.CaptureFixture[str],
) -> None:
    app = visit("your-network")
    address = dict(app.query_params)
    upload(app, npz(LSTM), "secret-name.npz")
    upload(app, b"no file", "secret-name.npz")
    assert "secret-name.npz" in said(app)
    assert app.query_params == address
    assert "secret-name" not in "".join(capfd.readouterr())
    other = visit("your-network")
    assert not charts(other)
    assert "secret-name" not in small(other)


def test_names_of_strangers_are_inert() -> None:
    app = upload(visit("your-network"), npz(LSTM), "<img src=x onerror=y>.npz")
    assert not [e for e in app.get("html") if "<img" in e.proto.body]
    assert "&lt;img src=x" in small(app)


def test_words_stand_in_their_language() -> None:
    app = visit("your-network", {"lang": PSEUDO})
    app.button(key="example-closed").click().run()
    assert verdict(app).startswith("⟦The error vanishes")


def test_others_have_their_turn_between_two_slices() -> None:
    """Whoever waits is let in before the work goes on."""
    shares = []

    def told(share: float) -> None:
        shares.append(share)
        with jobs.turns().slice(_busy):
            pass

    times = itertools.count(0.0, 1.0)  # of each look at the clock
    work = Share(4.0, told, pace=0.5, clock=lambda: next(times))
    with work.at_work():
        with pytest.raises(Busy), jobs.turns().slice(_busy):
            pass
        for _ in range(5):
            work.tell()
    assert shares == [0.25, 0.5, 0.75, 1.0, 1.0]
    with jobs.turns().slice(_busy):
        pass


class Busy(Exception):
    """Somebody else has the turn."""


def _busy() -> None:
    raise Busy


def test_long_work_is_in_slices_and_its_end_gives_the_turn_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def counted(self: Share, *given: Any) -> None:
        calls.append(1)
        raise ValueError("stopped on its way")

    monkeypatch.setattr(brought.Share, "tell", counted)
    app = press(visit("your-network"), title("closed"))
    assert "stopped on its way" in said(app)
    assert calls == [1]
    with jobs.turns().slice(_busy):
        pass


@pytest.fixture
def started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that `rnnviz app FILE` was given."""
    path = tmp_path / "mine.npz"
    path.write_bytes(npz(LSTM))
    monkeypatch.setenv(hosting.OPEN, str(path))
    return path


def test_a_server_that_was_started_with_a_file_opens_it_first(started_with: Path) -> None:
    app = AppTest.from_file(SCRIPT, default_timeout=60).run()
    assert not app.exception
    assert "mine.npz: PyTorch’s weights" in small(app)
    assert app.session_state[state.PATH] == "your-network"
    turned = go_to(app, "gradient-flow")
    assert set(charts(turned)) >= {"flow-state", "units"}


def test_a_link_opens_what_it_says_there_too(started_with: Path) -> None:
    app = visit("gradient-flow", {"gain": "1.2"})
    assert app.session_state[state.PATH] == "gradient-flow"


def test_a_file_that_has_gone_since_is_said(started_with: Path) -> None:
    started_with.unlink()
    app = visit("your-network")
    assert not app.exception
    assert "mine.npz was not opened" in said(app)


def test_the_command_reads_the_file_before_it_starts_anything(tmp_path: Path) -> None:
    bad = tmp_path / "model.pt"
    bad.write_bytes(b"\x80\x02}q\x00.")
    done = subprocess.run(
        [sys.executable, "-m", "rnnviz", "app", str(bad)], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "the file is a pickle, which is never loaded" in done.stderr


TARGETS = {
    "softmax_cross_entropy": np.array([0, 1, 2]),
    "squared_error": np.random.default_rng(6).standard_normal((3, 64)),
}


def loss_box(app: AppTest) -> Any:
    key = state.view_key(your_network.LOSS, "your-network")
    return app.selectbox(key=widget_key(app, key))


@pytest.mark.parametrize("kind", TARGETS)
def test_the_loss_is_that_of_the_targets_until_another_is_chosen(kind: str) -> None:
    x = np.random.default_rng(5).standard_normal((3, 20, 4))
    data = {"x": x, "target": TARGETS[kind]}
    file = npz({**data, "layout": np.array("btd")})
    app = upload(press(visit("your-network"), title("closed")), file, "batch.npz", door=1)
    names = (kind, "projection")
    assert loss_box(app).options == [TEXT[f"loss_{name}"] for name in names]
    for name in names:
        app = loss_box(app).select(name).run()
        run = run_of(load(LSTM), read_data(data, layout="btd"), name)
        log10 = gradient_flow(run["lstm"].trace, "lstm").state.log10
        (line,) = (t for t in charts(app)["flow-state"]["data"] if t.get("name") == "LSTM")
        np.testing.assert_allclose(line["y"], (log10 - log10[-1])[1:], atol=1e-5)
    app = upload(app, file, "again.npz", door=1)
    assert loss_box(app).value == kind


def test_without_targets_there_is_no_loss_to_choose() -> None:
    app = press(visit("your-network"), title("closed"))
    assert not [box for box in app.selectbox if "Loss" in box.label]


@pytest.mark.parametrize(("value", "said_as"), [(np.nan, "NaN"), (-np.inf, "−∞")])
@pytest.mark.parametrize("name", EXAMPLES)
def test_weights_that_are_no_numbers_are_named_by_place_and_drawn(
    name: str, value: float, said_as: str
) -> None:
    weights = {key: np.array(array) for key, array in EXAMPLES[name].weights().items()}
    weights[next(key for key in weights if "weight_hh" in key)][2, 5] = value
    app = upload(visit("your-network"), npz(weights))
    assert not app.exception
    assert f"W_hh is not a finite number: {said_as} at [2, 5]." in verdict(app)
    assert set(charts(app)) == {"flow-state", "units"}


@pytest.mark.trained
def test_it_is_trained_on_from_its_weights() -> None:
    app = upload(visit("your-network"), npz(MORE), "mine.npz")
    assert TEXT["figures_train"] not in figures_offered(app)
    rng = np.random.default_rng(2)
    data = {"x": rng.standard_normal((6, 9, 4)), "target": rng.integers(0, 2, 6)}
    app = upload(app, npz({**data, "layout": np.array("btd")}), "batch.npz", door=1)
    assert TEXT["figures_train"] in figures_offered(app)
    key = widget_key(app, state.view_key(your_network.FIGURES_KEY, "your-network"))
    app.button_group(key=key).set_value("train").run()
    assert not app.exception
    assert set(charts(app)) == {"loss", "state-maps"}
    found = small(app)
    assert re.search(r"from \d\S* to \d\S* in 199 updates in the LSTM; from", found)
    assert "Nothing is held out" in found


@pytest.mark.trained
def test_training_that_would_take_too_long_is_refused_and_other_figures_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = upload(visit("your-network"), npz(MORE), "mine.npz")
    data = {"x": np.zeros((6, 9, 4)), "target": np.zeros(6, int), "layout": np.array("btd")}
    app = upload(app, npz(data), "batch.npz", door=1)
    endless = Estimate(python=1e6)
    monkeypatch.setattr(your_network.training, "estimate", lambda network: endless)
    key = widget_key(app, state.view_key(your_network.FIGURES_KEY, "your-network"))
    app.button_group(key=key).set_value("train").run()
    assert "was not run: it would take" in said(app)
    assert verdict(app)
    assert not charts(app)
    app.button_group(key=key).set_value(your_network.FIGURES[0]).run()
    assert "was not run" not in said(app)
    assert "flow-state" in charts(app)


MORE = {**LSTM, "fc.weight": np.eye(2, 64), "fc.bias": np.zeros(2)}


def figures_offered(app: AppTest) -> list[str]:
    key = widget_key(app, state.view_key(your_network.FIGURES_KEY, "your-network"))
    return list(app.button_group(key=key).options)


def test_a_file_whose_callback_is_lost_is_opened_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take, calls = your_network._take, []

    def lost_at_first(kind: str, key: str) -> None:
        calls.append(kind)
        if len(calls) > 1:
            take(kind, key)

    monkeypatch.setattr(your_network, "_take", lost_at_first)
    app = upload(visit("your-network"), npz(LSTM), "mine.npz")
    assert not app.exception
    assert calls == ["weights", "weights"]
    assert "mine.npz: PyTorch’s weights" in small(app)
