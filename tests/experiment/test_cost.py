"""What a run takes is known before it runs."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, check_size, estimate, run
from rnnviz.core import CELLS
from rnnviz.core.cost import Estimate, Speed, measure_speed
from rnnviz.core.network import NetworkTrace
from rnnviz.experiment import plan, run_plan
from rnnviz.experiment.cost import PER_MODEL

SMALL = Experiment(seq_len=6, hidden_size=5, batch_size=3)


def held_bytes(trace: NetworkTrace) -> int:
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
def test_what_a_run_holds_is_known_exactly(change: dict[str, Any]) -> None:
    e = replace(SMALL, **change)
    assert plan(e).recorded_bytes == sum(map(held_bytes, run(e).values()))


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


def peak_bytes(work: Callable[[], Any]) -> int:
    """Of what is taken beside what was there before."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


LARGE: list[dict[str, Any]] = [
    {"models": ("rnn",), "hidden_size": 128, "batch_size": 64, "train_steps": 1},
    {"models": ("lstm",), "hidden_size": 64, "batch_size": 64},
    {"models": ("gru",), "hidden_size": 64, "batch_size": 64, "train_steps": 2},
    {"models": ("lstm",), "hidden_size": 384, "batch_size": 1, "train_steps": 2},
    {"models": ("gru",), "hidden_size": 2, "batch_size": 256, "seq_len": 400},
    {"models": ("rnn",), "gain": 0.01, "seq_len": 500, "train_steps": 1},
    {"models": ("lstm",), "gain": 0.01, "memory_bias": -6.0, "seq_len": 500},
    {"models": ("lstm",), "gain": 0.01, "memory_bias": -6.0, "seq_len": 500, "dtype": "float32"},
    {"models": ("gru",), "init": "delay_line", "memory_bias": -10.0, "seq_len": 100},
    {"models": ("lstm",), "init": "delay_line", "memory_bias": -10.0, "seq_len": 200,
     "dtype": "float32", "batch_size": 24},
    {"layers": 3, "bidirectional": "yes", "seq_len": 60},
    {"models": ("lstm",), "skip": 5, "seq_len": 250, "train_steps": 1},
    {"models": ("rnn",), "skip": 50, "seq_len": 700},
    {"models": ("gru:variant=reset_before", "lstm:variant=peepholes"), "seq_len": 200},
    {"models": ("rnn",), "seq_len": 150, "window": 20, "stride": 1, "train_steps": 1},
    {"task": "text", "text": "the quick brown fox jumps over the lazy dog " * 20,
     "loss_at": "every", "hidden_size": 32, "batch_size": 64, "train_steps": 1},
    {"models": ("lstm", "gru"), "task": "captioning", "batch_size": 128},
    {},
]  # fmt: skip


@pytest.mark.parametrize("change", LARGE, ids=str)
@pytest.mark.trained
def test_memory_is_never_underestimated(change: dict[str, Any]) -> None:
    """Gradients that leave the range of their numbers, and are sent back twice, among them."""
    e = Experiment(**change)

    def work(experiment: Experiment) -> list[Any]:
        result = run(experiment)
        return [result, *(trace.grads for trace in result.values())]

    work(replace(e, hidden_size=3, batch_size=2, seq_len=40, window=0, stride=0))  # imports
    peak, expected = peak_bytes(partial(work, e)), estimate(e).bytes
    assert peak <= expected
    assert expected <= 2 * max(peak, 16 << 20)


SATURATED: dict[str, Any] = {"gain": 30.0, "dtype": "float32", "seq_len": 300, "batch_size": 8}
OTHER: list[dict[str, Any]] = [
    *({"models": (kind,), "hidden_size": 1, "batch_size": 1, "seq_len": 1000, "gain": 0.05,
       "memory_bias": -6.0} for kind in CELLS),
    {"models": ("lstm",), "loss_at": "every", "hidden_size": 24, **SATURATED},
    {"models": ("lstm",), "input_scale": 30.0, "layers": 2, **SATURATED},
    {"models": ("gru",), "bidirectional": "yes", "layers": 2, "hidden_size": 24, **SATURATED},
    {"models": ("lstm", "lstm:gain=31", "lstm:gain=32"), "loss_at": "every", "hidden_size": 24,
     **SATURATED},
]  # fmt: skip


@pytest.mark.parametrize("change", OTHER, ids=str)
def test_memory_of_one_unit_or_of_saturated_ones_is_about_the_estimate(
    change: dict[str, Any],
) -> None:
    """Python's own objects count there, or an exponent for each entry."""
    e = Experiment(**change)
    run(replace(e, hidden_size=2, batch_size=1, seq_len=4))  # imports

    def work() -> list[Any]:
        result = run(e)
        return [result, *(trace.grads for trace in result.values())]

    peak = peak_bytes(work)
    assert peak <= estimate(e).bytes <= 2 * peak


@pytest.mark.parametrize("change", [OTHER[3], {"models": ("lstm",)}], ids=str)
def test_what_a_run_does_hold_has_its_exponents(change: dict[str, Any]) -> None:
    planned = plan(Experiment(**change))
    result = run_plan(planned)
    held = sum(map(held_bytes, result.values()))
    assert held <= planned.held_bytes(result.values()) <= 1.01 * held
    some = planned.held_bytes(result.values()) > planned.recorded_bytes
    assert some == ("gain" in change)


def test_training_takes_its_time() -> None:
    once, trained = estimate(SMALL), estimate(replace(SMALL, train_steps=99))
    assert trained.seconds == pytest.approx(100 * once.seconds)
    windows = replace(SMALL, train_steps=99, window=4, stride=1)
    assert estimate(windows).seconds > 397 * once.seconds
    assert "train for fewer steps" in check_size(replace(SMALL, train_steps=20_000))


def test_the_smallest_training_step_has_its_fixed_cost() -> None:
    tiny = Experiment(models=("rnn", "gru"), seq_len=2, hidden_size=1, batch_size=1)
    assert estimate(replace(tiny, train_steps=20_000)).seconds > 2 * 20_000 * PER_MODEL
    every_step = replace(tiny, seq_len=2000, window=1, stride=1, train_steps=10)
    one_window = replace(every_step, window=0, stride=0)
    assert estimate(every_step).seconds > 4 * estimate(one_window).seconds


def test_seconds_are_those_of_the_machine() -> None:
    cost = Estimate(bytes=5, python=1.0, products=2.0, elements=4.0)
    slow = cost.on(Speed(python=2.0, products=3.0, elements=5.0))
    assert (cost.seconds, slow.seconds, slow.bytes) == (7.0, 28.0, 5)
    assert check_size(SMALL) == ""
    assert "10 s" in check_size(SMALL, speed=Speed(python=10_000))


def test_the_speed_of_a_machine_is_that_of_its_fastest_rounds() -> None:
    """By a clock that stands still but for a benchmark's second round, or takes ten seconds."""

    def clock(seconds: float) -> Callable[[], float]:
        ticks = (
            tick for start in itertools.count() for tick in (100.0 * start, 100.0 * start + seconds)
        )
        return lambda: next(ticks)

    one, ten = measure_speed(clock(1.0)), measure_speed(clock(10.0))
    assert ten == Speed(*(pytest.approx(10 * v) for v in vars(one).values()))
    rounds = itertools.cycle([9.0, 1.0, 7.0])
    ticks = (
        tick
        for start in itertools.count()
        for tick in (100.0 * start, 100.0 * start + next(rounds))
    )
    assert measure_speed(lambda: next(ticks)) == one


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
