"""Sizes are bounded by what is affordable, not by the ranges of knobs."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, Model, check_size, estimate, from_query, run, sweep
from rnnviz.__main__ import main
from rnnviz.experiment import plan

LARGE: list[dict[str, Any]] = [
    {"seq_len": 5000, "hidden_size": 4, "batch_size": 2},
    {"seq_len": 4, "hidden_size": 520, "batch_size": 1},
    {"seq_len": 20, "hidden_size": 8, "batch_size": 2, "layers": 8},
]


@pytest.mark.parametrize("sizes", LARGE)
def test_they_run_from_python_and_from_the_command_line(
    sizes: dict[str, Any], tmp_path: Path
) -> None:
    experiment = Experiment(("lstm",), **sizes)  # type: ignore[arg-type]
    assert check_size(experiment) == ""
    trace = run(experiment)["lstm"]
    assert len(trace.layers) == experiment.layers
    assert trace.trace.h.shape == (sizes["seq_len"] + 1, sizes["hidden_size"], sizes["batch_size"])
    assert np.isfinite(trace.loss)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in sizes.items()]
    assert main(["sweep", "--models", "lstm", *options, "--over", "gain=1", "--out",
                 str(tmp_path / "a.csv"), "--workers", "1"]) == 0  # fmt: skip


@pytest.mark.trained
@pytest.mark.parametrize("sizes", [
    ("--layers", "8", "--seq-len", "20"), ("--seq-len", "2500", "--window", "2100"),
])  # fmt: skip
def test_they_train_from_the_command_line(sizes: tuple[str, ...], tmp_path: Path) -> None:
    assert main(["train", "--models", "rnn", *sizes, "--hidden-size", "4", "--batch-size", "1",
                 "--steps", "1", "--out", str(tmp_path)]) == 0  # fmt: skip


@pytest.mark.parametrize(
    "sizes",
    [{"seq_len": 10**12}, {"hidden_size": 10**12}, {"batch_size": 10**12}, {"layers": 100},
     {"train_steps": 10**12}],
)  # fmt: skip
def test_what_nobody_can_afford_is_refused_before_anything_is_made(
    sizes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = Experiment(("rnn", "lstm:variant=peepholes", "gru"), **sizes)  # type: ignore[arg-type]
    tracemalloc.start()
    said = check_size(experiment)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "This run would take" in said
    assert peak < 64 << 20
    if "train_steps" in sizes:
        return
    ((name, value),) = sizes.items()
    with pytest.raises(SystemExit):
        main(["train", f"--{name.replace('_', '-')}={10 * value}", "--out", str(tmp_path)])
    assert "training this needs" in capsys.readouterr().err


@pytest.mark.parametrize("given", [
    {"models": ("rnn",), "layers": 20_000}, {"models": ("rnn", "lstm:layers=20000")},
])  # fmt: skip
def test_so_many_layers_are_refused_before_they_are_made(
    given: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment, said = Experiment(**given), "layers must be a finite number from 1 to 1000, got"
    tracemalloc.start()
    assert check_size(experiment) == f"This cannot be run: {said} 20000."
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    for refused in (estimate, run, lambda base: sweep(base, {"gain": [1.0, 2.0]})):
        with pytest.raises(ValueError, match=said):
            refused(experiment)
    layers = ["--layers", str(experiment.layers)]
    with pytest.raises(SystemExit):
        main(["train", "--models", *given["models"], *layers, "--out", str(tmp_path)])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["seq_len", "hidden_size", "batch_size", "layers", "skip",
                                  "window", "stride", "train_steps"])  # fmt: skip
def test_a_number_that_no_float_holds_is_refused_by_its_name(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = f"{name} must be a whole number from [012] to 9223372036854775807, got 1000"
    with pytest.raises(ValueError, match=said):
        Experiment(**{name: 10**400})
    option = "--steps" if name == "train_steps" else f"--{name.replace('_', '-')}"
    with pytest.raises(SystemExit):
        main(["train", option, "1" + 400 * "0"])
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_bytes_are_those_of_one_unit_times_the_units(size: int) -> None:
    base = Experiment(("rnn:leak=0.5", "lstm", "gru"), seq_len=5, batch_size=2)  # type: ignore[arg-type]
    planned = plan(Experiment(base.models, seq_len=5, batch_size=2, hidden_size=size))
    held = sum(
        array.nbytes
        for trace in run(planned.experiment).values()
        for array in (trace.trace.gate_values, trace.trace.h)
    )
    assert planned.recorded_bytes > held
    assert estimate(planned.experiment).bytes >= planned.recorded_bytes


def test_values_beyond_the_knobs_are_mathematics_too() -> None:
    wide = Experiment(("rnn", "lstm"), gain=0.0, memory_bias=-40.0, input_scale=1e4, leak=1e-4,
                      distractor=50.0, seq_len=20, hidden_size=4, clip_at=1e9)  # type: ignore[arg-type]  # fmt: skip
    found = run(wide)
    assert not found["rnn"].params["0.forward.W_hh"].any()
    assert np.isfinite(found["lstm"].loss)


def test_matching_finds_a_size_of_any_width() -> None:
    wide = Experiment(("lstm:hidden_size=3000", "rnn"), match="parameters")  # type: ignore[arg-type]
    lstm, rnn = (network.param_count() for network in plan(wide).networks.values())
    assert abs(lstm - rnn) < 1e-3 * lstm


def test_pages_ask_for_no_more_than_before() -> None:
    asked = {"seq_len": "5000", "hidden_size": "1024", "layers": "8", "gain": "0"}
    experiment, messages = from_query({**asked, "models": "lstm:hidden_size=1024"})
    assert (experiment.seq_len, experiment.hidden_size, experiment.layers) == (2000, 512, 4)
    assert experiment.gain == 0.01
    assert experiment.models == (Model("lstm", hidden_size=512),)
    assert len(messages) == 5
