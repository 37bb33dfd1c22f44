"""What a run takes is known before it runs."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, check_size, estimate, run
from rnnviz.core.network import NetworkTrace

SMALL = Experiment(seq_len=6, hidden_size=5, batch_size=3)


def recorded_bytes(trace: NetworkTrace) -> int:
    """Memory of everything that the trace holds; views of another array count once. The batch's
    lengths are not part of it."""
    named = {id(a): a for a in (*trace.params.values(), *trace.grads.values())}
    held = [*vars(trace).values()]
    for inner in itertools.chain(*trace.layers):
        assert inner.d_x.size > 0  # computed when first asked for, and held from then on
        assert (inner.d_h_before is None) == (inner.cell.skip == 0)
        held += [v for name, v in vars(inner).items() if name != "lengths"]
        assert all(id(a) in named for a in (*inner.params.values(), *inner.grads.values()))
    arrays = [a for a in held if isinstance(a, np.ndarray)]
    owners = {id(a if a.base is None else a.base): a if a.base is None else a.base for a in arrays}
    return sum(a.nbytes for a in (*owners.values(), *named.values()))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"seq_len": 2, "batch_size": 1, "hidden_size": 1},
        {"dtype": "float32", "seq_len": 31},
        {"task": "text", "text": "hello world"},
        {"task": "stocks", "seq_len": 300},
        {"models": ("gru", "lstm:hidden_size=3"), "match": "parameters"},
        {"layers": 3},
        {"bidirectional": "yes", "layers": 2},
        {"skip": 4, "bidirectional": "yes"},
        {"models": ("rnn:leak=0.5", "lstm:variant=cifg", "lstm:variant=no_gates")},
        {"models": ("lstm:variant=peepholes", "gru:variant=reset_before")},
        {"task": "captioning"},
    ],
)
def test_the_estimate_of_memory_is_exact(change: dict[str, Any]) -> None:
    e = replace(SMALL, **change)
    assert estimate(e).bytes == sum(map(recorded_bytes, run(e).values()))


def test_time_grows_with_everything_that_costs_time() -> None:
    base = estimate(Experiment()).seconds
    assert 0 < base < 1
    for change in (
        {"seq_len": 200},
        {"hidden_size": 128},
        {"batch_size": 32},
        {"layers": 2},
        {"bidirectional": "yes"},
        {"skip": 2},
    ):
        assert estimate(Experiment(**change)).seconds > 1.3 * base


def test_training_takes_its_time() -> None:
    once, trained = estimate(SMALL), estimate(replace(SMALL, train_steps=99))
    assert trained.seconds == pytest.approx(100 * once.seconds)
    assert trained.bytes == once.bytes
    windows = replace(SMALL, train_steps=99, window=4, stride=1)
    assert estimate(windows).seconds == pytest.approx(397 * once.seconds)
    assert "train for fewer steps" in check_size(replace(SMALL, train_steps=20_000))


def test_a_run_that_is_too_large_is_refused_with_the_numbers() -> None:
    assert check_size(Experiment()) == ""
    e = Experiment(seq_len=2000, hidden_size=512, batch_size=256)
    message = check_size(e)
    assert f"{estimate(e).bytes / 2**20:,.0f} MiB" in message
    assert f"{estimate(e).seconds:,.1f} s" in message
    assert "1,024 MiB and 10 s" in message


def test_either_limit_alone_refuses() -> None:
    assert "MiB" in check_size(SMALL, max_bytes=1)
    assert "MiB" in check_size(SMALL, max_seconds=1e-9)
    assert check_size(SMALL, max_bytes=estimate(SMALL).bytes) == ""


@pytest.mark.parametrize("text", ["", "x"])
def test_a_task_that_cannot_be_made_says_why(text: str) -> None:
    e = Experiment(task="text", text=text)
    assert "text must have 2 to 100,000 characters" in check_size(e)
    with pytest.raises(ValueError, match="text must have 2 to 100,000 characters"):
        run(e)
