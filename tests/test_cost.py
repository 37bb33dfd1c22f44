"""What a run takes is known before it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, check_size, estimate, run
from rnnviz.core.network import NetworkTrace

SMALL = Experiment(seq_len=6, hidden_size=5, batch_size=3)


def recorded_bytes(trace: NetworkTrace) -> int:
    """Memory of everything that the trace holds; views of another array count once."""
    inner = trace.trace
    assert inner.d_x.size > 0  # computed when first asked for, and held from then on
    arrays = [value for value in (*vars(trace).values(), *vars(inner).values())
              if isinstance(value, np.ndarray)]  # fmt: skip
    owners = {id(a if a.base is None else a.base): a if a.base is None else a.base for a in arrays}
    named = (*trace.params.values(), *inner.params.values(), *trace.grads.values())
    return sum(a.nbytes for a in owners.values()) + sum(a.nbytes for a in named)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"seq_len": 2, "batch_size": 1, "hidden_size": 1},
        {"dtype": "float32", "seq_len": 31},
        {"task": "text", "text": "hello world"},
        {"task": "stocks", "seq_len": 300},
        {"models": ("gru", "lstm:hidden_size=3"), "match": "parameters"},
    ],
)
def test_the_estimate_of_memory_is_exact(change: dict[str, Any]) -> None:
    e = replace(SMALL, **change)
    assert estimate(e).bytes == sum(map(recorded_bytes, run(e).values()))


def test_time_grows_with_everything_that_costs_time() -> None:
    base = estimate(Experiment()).seconds
    assert 0 < base < 1
    for change in ({"seq_len": 200}, {"hidden_size": 128}, {"batch_size": 32}):
        assert estimate(Experiment(**change)).seconds > 1.3 * base


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
