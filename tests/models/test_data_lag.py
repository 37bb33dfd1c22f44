"""The lag that the data have: sequences of which it is known."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.__main__ import main
from rnnviz.core import LSTM
from rnnviz.core.network import Network, run_network
from rnnviz.diagnosis import diagnose
from rnnviz.experiment import Run
from rnnviz.models.diagnosis import data_lag
from rnnviz.models.diagnosis.data_lag import DataLag
from rnnviz.tasks import CopyMemory, DelayedRecall
from rnnviz.tasks.batch import Batch, lengths_mask
from tests.models.golden import FOLDER
from tests.models.test_diagnosis import kinds, weights_file

T, B = 40, 60


def made(x: Any, target: Any, at: str = "last", lengths: Any = None, loss: str = "") -> Batch:
    """A batch of x (T, D, B); targets are numbers (T, O, B), or classes (T, B)."""
    ends = np.full(x.shape[2], len(x)) if lengths is None else lengths
    kind = loss or ("squared_error" if target.ndim == 3 else "softmax_cross_entropy")
    width = target.shape[1] if target.ndim == 3 else int(target.max()) + 1
    mask = lengths_mask(ends, len(x), at).astype(float)
    return Batch(x, target, mask, kind, x.shape[1], width, ends)


def noise(seed: int = 0, width: int = 1) -> Any:
    return np.random.default_rng(seed).standard_normal((T, width, B))


def delayed(x: Any, lag: int) -> Any:
    return np.concatenate([np.zeros_like(x[:lag]), x[:-lag]]) if lag else x.copy()


@pytest.mark.parametrize("lag", [1, 7, 39])
def test_the_input_so_far_back_is_found(lag: int) -> None:
    x = noise()
    found = data_lag(made(x, delayed(x, lag)))
    assert found.lag == lag
    assert found.r2 > 0.95
    assert found.null < 0.5
    assert (found.sequences, found.most) == (B, T - 1)


@pytest.mark.parametrize("at", ["last", "every"])
def test_inputs_that_resemble_their_past_do_not_make_it_longer(at: str) -> None:
    """x_t = 0.9 x_{t−1} + noise: the inputs before the lag predict as well, but add nothing."""
    x = noise()
    for t in range(1, T):
        x[t] += 0.9 * x[t - 1]
    assert data_lag(made(x, delayed(x, 5), at)).lag == 5


def resembling(seed: int, past: float, width: int = 32) -> Any:
    """x_t = past · x_{t−1} + noise, of variance 1, or a random walk."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((T, 1, width)) * np.sqrt(1 - past**2 if past < 1 else 1)
    for t in range(1, T):
        steps[t] += past * steps[t - 1]
    return steps


@pytest.mark.parametrize("seed", range(6))
def test_a_mean_of_neighbours_needs_no_more_than_these(seed: int) -> None:
    """Of inputs that resemble their past, one alone leaves a rest that far ones resemble too."""
    x = resembling(seed, 0.98)
    lag = data_lag(made(x, (x + delayed(x, 1) + delayed(x, 2)) / 3, "every")).lag
    assert lag in (1, 2)  # each of which leaves less than 1 %


@pytest.mark.parametrize("seed", range(6))
def test_a_step_of_a_random_walk_needs_one_step(seed: int) -> None:
    x = resembling(seed, 1.0, 200)
    assert data_lag(made(x, x - delayed(x, 1), "every")).lag in (1, None)


def test_a_far_input_that_says_what_nearer_ones_say_together_is_dropped() -> None:
    """It says more than each of them, and so is found before them."""
    x = noise(width=3)
    target = delayed(x[:, :1], 2) + delayed(x[:, 1:2], 3)
    x[:-12, 2:] = target[12:] + 0.3 * noise(4)[:-12]
    found = data_lag(made(x, target, "every"))
    assert (found.lag, found.nearer) == (3, (2,))


def test_of_two_lags_the_longer_is_said_also_where_it_tells_less() -> None:
    x = noise()
    assert data_lag(made(x, delayed(x, 3) + 0.5 * delayed(x, 25))).lag == 25


def test_what_a_lag_explains_is_told_of_the_whole_target_and_of_what_nearer_ones_leave(
    tmp_path: Path,
) -> None:
    """Of a variance of 1 + 0.18² the further input makes 0.031, and nearly all of the rest."""
    x = noise(width=2)
    target = delayed(x[:, :1], 3) + 0.18 * delayed(x[:, 1:], 20)
    report = diagnose(two_runs(made(x, target))[1], "data")
    report.json(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text("utf-8"))["findings"]
    (told,) = (one for one in written if one["kind"] == "data_lag")
    values = told["values"]
    part = 0.18 * delayed(x[:, 1:], 20)[-1]
    share = float((part**2).sum() / ((target[-1] - target[-1].mean()) ** 2).sum())
    assert (told["number"], values["nearer"]) == (20, [3])
    assert values["r2"] == pytest.approx(share, rel=0.3)
    assert values["r2"] < 0.05
    assert values["r2_rest"] > 0.8
    said = told["sentence"]
    assert "what nearer ones (3 steps back), fitted together, leave of the target, R² = 0." in said
    assert f"which is {values['r2']:.3g} of the whole target" in said
    first = data_lag(made(x, delayed(x[:, :1], 3)))
    assert (first.nearer, first.r2) == ((), first.r2_rest)


def test_lags_are_counted_from_each_sequences_own_end() -> None:
    lengths = np.random.default_rng(1).integers(12, T + 1, B)
    x = noise() * (np.arange(T)[:, None, None] < lengths)
    target = np.where(np.arange(T)[:, None, None] == lengths - 1, delayed(x, 9), noise(3))
    assert data_lag(made(x, target, lengths=lengths)).lag == 9


@pytest.mark.parametrize("seed", range(8))
def test_targets_that_have_nothing_to_do_with_inputs_have_no_lag(seed: int) -> None:
    found = data_lag(made(noise(seed), noise(seed + 100)))
    assert found.lag is None
    assert found.r2 <= found.null


def test_what_always_happens_at_the_same_step_is_no_lag() -> None:
    """The clock tells the target as well as x does, without x."""
    clock = np.tile(np.arange(T)[:, None, None] / T, (1, 1, B))
    assert data_lag(made(noise() + clock, clock, "every")).lag is None
    found = data_lag(made(noise(), delayed(noise(), 5) + 10 * clock, "every"))
    assert found.lag == 5
    assert found.r2 > 0.9  # of what the clock leaves


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -3e150])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_targets_that_do_not_vary_nothing_is_predicted(
    value: float, dtype: type, tmp_path: Path
) -> None:
    if dtype is np.float32 and abs(value) > 1e30:
        value = -3e30
    steps = np.arange(1, T + 1)[:, None, None]
    target = np.broadcast_to(steps * np.full((T, 1, B), value), (T, 1, B)).astype(dtype)
    for at in ("last", "every"):
        found = data_lag(made(noise(), target.copy(), at))
        assert found.lag is None
        assert np.isnan([found.r2, found.r2_rest, found.null]).all()
    report = diagnose(two_runs(made(noise(), np.ones((T, 1, B))))[0], "data")
    assert "No lag found in the data: the targets do not vary" in str(report)
    assert "R² =" not in str(report)
    report.json(tmp_path / "report.json")
    assert '"r2": null' in (tmp_path / "report.json").read_text("utf-8")


def in_units(of_input: float, of_target: float) -> DataLag:
    x = noise(width=2)
    target = delayed(x[:, :1], 3) + 0.3 * delayed(x[:, 1:], 20)
    return data_lag(made(of_input * x, of_target * target))


@pytest.fixture(scope="module")
def first() -> DataLag:
    """In units in which both are of size 1."""
    return in_units(1.0, 1.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("of_input", "of_target"),
    [*product((1e-200, 1e306), (1e-300, 1e307)), *product((1e-200, 1e200, 1e306), (1.0,)),
     *product((1.0,), (1e-300, 1e-200, 1e200, 1e307))],
)  # fmt: skip
def test_a_lag_does_not_depend_on_the_units_of_inputs_and_targets(
    first: DataLag, of_input: float, of_target: float
) -> None:
    """Each of them alone, and both at their ends."""
    other = in_units(of_input, of_target)
    assert (other.lag, other.nearer, other.most) == (20, (3,), first.most)
    for name in ("r2", "r2_rest", "null"):
        assert getattr(other, name) == pytest.approx(getattr(first, name), rel=1e-9)


def test_inputs_of_different_units_count_alike() -> None:
    x = noise(width=2)
    units = np.array([1e200, 1e-200])[:, None]
    for k, lag in ((0, 5), (1, 9)):
        target = delayed(x[:, k : k + 1], lag)
        one, other = data_lag(made(units * x, target)), data_lag(made(x, target))
        assert one.lag == other.lag == lag
        assert one.r2 == pytest.approx(other.r2, rel=1e-9)


def test_a_far_step_at_which_answers_are_alike_hides_no_nearer_lag() -> None:
    """Where one lag leaves nothing to predict, its R² is 0 and not 1, in permutations as well."""
    x = noise()
    target = delayed(x, 5)
    target[35:] = 0
    assert data_lag(made(x, target, "every")).lag == 5


def test_tasks_whose_lag_is_known() -> None:
    assert data_lag(DelayedRecall(1.0).batch(0, 30, 32, "last")).lag == 29
    assert data_lag(CopyMemory().batch(0, 25, 24, "every")).lag == 15


def test_tokens_of_a_large_vocabulary() -> None:
    tokens = np.random.default_rng(0).integers(0, 60, (T, 400))
    like = made(np.zeros((T, 1, 400)), delayed(tokens // 30, 6))
    assert data_lag(replace(like, x=tokens)).lag == 6


def two_runs(batch: Batch) -> list[Run]:
    network = Network((LSTM(batch.input_size, 4),), batch.output_size)
    params = [network.init_params(np.random.default_rng(s), memory_bias=b)
              for s, b in ((0, -5.0), (1, 5.0))]  # fmt: skip
    return [Run({"lstm": run_network(network, p, batch)}, batch) for p in params]


def test_the_report_judges_by_the_lag_of_the_data_whatever_the_network_keeps() -> None:
    x = noise()
    closed, open_ = (diagnose(run, "data") for run in two_runs(made(x, delayed(x, 30))))
    assert closed.lag == open_.lag == 30
    assert "vanishing" in kinds(closed)
    assert "vanishing" not in kinds(open_)
    told = [next(f for f in each.findings if f.kind == "data_lag") for each in (closed, open_)]
    assert told[0] == told[1]
    assert "The data alone ask for a memory of 30 steps at least" in str(open_)
    assert "Nothing is wrong with the gradient over 30 steps" in str(open_)


def test_without_one_the_report_says_so_and_that_nothing_vanishes_is_not_said() -> None:
    report = diagnose(two_runs(made(noise(), noise(5)))[0], "data")
    assert report.lag is None
    assert "No lag found in the data: at none from 0 to 39" in str(report)
    assert "Nothing is wrong" not in str(report)
    assert "horizon" in kinds(report)
    now = noise()
    report = diagnose(two_runs(made(now, now))[0], "data")
    assert (report.lag, [f.number for f in report.findings if f.kind == "data_lag"]) == (None, [0])


def test_what_has_no_targets_or_few_sequences_is_refused() -> None:
    x = noise()
    with pytest.raises(ValueError, match="lag must be a number where the data have no targets"):
        data_lag(made(x, x, loss="projection"))
    few = made(x[..., :19], x[..., :19])
    with pytest.raises(ValueError, match="fewer than 20 sequences, got 'data' for 19"):
        data_lag(few)
    silent = replace(made(x, x), mask=np.zeros((T, B)))
    with pytest.raises(ValueError, match="where a sequence has no answer"):
        data_lag(silent)
    with pytest.raises(ValueError, match="lag must be one of data, got 'soon'"):
        diagnose(two_runs(made(x, x))[0], "soon")


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.random.default_rng(1).standard_normal((B, T, 2))
    np.savez(tmp_path / "batch.npz", x=x, target=x[:, -31, :1])
    weights, data = str(weights_file(tmp_path, 0.0)), str(tmp_path / "batch.npz")
    asked = ["diagnose", weights, "--data", data, "--layout", "btd", "--lag"]
    assert main([*asked, "data"]) == 1
    said = capsys.readouterr().out
    assert "(lag 30)" in said
    assert "The error vanishes before the lag" in said
    with pytest.raises(SystemExit):
        main([*asked, "soon"])
    assert "must be an integer or data, got 'soon'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["diagnose", str(FOLDER / "watched_cells.npz"), "--lag", "data"])
    assert "lag must be a number for saved runs" in capsys.readouterr().err
