"""Experiments: validation, overrides, seeds, parameter matching."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from rnnviz import FIELDS, Experiment, Model, Run, run
from rnnviz.core import GRU, GRU_VARIANTS, LSTM, LSTM_VARIANTS, RNN
from rnnviz.core.network import Network, NetworkTrace
from rnnviz.experiment.runs import params_after

SMALL = Experiment(seq_len=6, hidden_size=5, batch_size=3)


def weights(experiment: Experiment, label: str = "rnn") -> dict[str, np.ndarray]:
    return run(experiment)[label].params


def test_the_default_experiment_is_the_one_of_the_first_screen() -> None:
    e = Experiment()
    assert e.models == ("rnn", "lstm", "gru")
    assert (e.task, e.seq_len, e.hidden_size, e.batch_size) == ("delayed_recall", 100, 64, 16)
    assert (e.init, e.gain, e.memory_bias, e.loss_at, e.seed) == ("uniform", 1.0, 3.0, "last", 0)


def test_an_experiment_is_a_value() -> None:
    assert Experiment(gain=2) == Experiment(gain=2.0)
    assert hash(Experiment(gain=2)) == hash(Experiment(gain=2.0))
    assert Experiment(models=["rnn", Model("lstm", forget_bias=0)]) == Experiment(
        models=("rnn", "lstm:forget_bias=0.0")
    )
    assert pickle.loads(pickle.dumps(SMALL)) == SMALL
    with pytest.raises(FrozenInstanceError):
        SMALL.gain = 2.0  # type: ignore[misc]


def test_every_field_has_a_default_that_is_allowed_and_a_name() -> None:
    for name, field in FIELDS.items():
        assert field.url == name
        assert getattr(Experiment(), name) == field.default


@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if f.kind in ("int", "float")])
def test_the_ends_of_every_range_are_allowed_and_nothing_beyond(name: str) -> None:
    field = FIELDS[name]
    kind = int if field.kind == "int" else float
    ends = [kind(end) for end in (field.low, field.high) if np.isfinite(end)]
    for value in (*ends, kind(field.page_low), kind(field.page_high)):
        assert getattr(Experiment(**{name: value}), name) == value
    beyond = [end + (1 if end == field.high else -1) for end in ends]
    for value in (*beyond, float("nan"), float("inf"), "1", None, True):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            Experiment(**{name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 0}, "hidden_size must be an integer of at least 1, got 0"),
        ({"hidden_size": 3.7}, "hidden_size must be an integer of at least 1, got 3.7"),
        ({"gain": float("nan")}, "gain must be a finite number from 0, got nan"),
        ({"seed": 2**31}, "seed must be a whole number from 0 to 2147483647, got 2147483648"),
        ({"seed": -1}, "seed must be a whole number from 0 to 2147483647, got -1"),
        ({"seed": 1.5}, "seed must be a whole number from 0 to 2147483647, got 1.5"),
        ({"leak": 0}, "leak must be a finite number above 0 and at most 1, got 0"),
        ({"task": "copy"}, "task must be one of delayed_recall, adding, .* got 'copy'"),
        ({"models": ()}, "models must be 1 to 6 labels, got 0"),
        ({"models": ("rnn",) * 2}, "models must be different, got rnn, rnn"),
        ({"models": "rnn"}, "models must be a tuple of labels"),
        ({"models": ("rnn:gain=-1",)}, "gain of rnn must be a finite number from 0, got -1"),
        ({"models": ("mlp",)}, "model must be one of rnn, lstm, gru, got 'mlp'"),
        ({"text": "x" * 100_001}, "text must have at most 100,000 characters, got 100,001"),
        ({"text": "ab\ud800"}, r"text must be valid Unicode, .*U\+D800\) at position 2"),
        ({"text": 5}, "text must be a str, got int"),
    ],
)
def test_bad_values_are_named_with_what_came_and_what_is_allowed(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Experiment(**change)


def test_a_run_maps_labels_to_traces_in_the_order_of_the_models() -> None:
    result = run(replace(SMALL, models=("gru", "lstm:forget_bias=0", "rnn")))
    assert isinstance(result, Run)
    assert list(result) == ["gru", "lstm:forget_bias=0", "rnn"]
    assert all(isinstance(trace, NetworkTrace) for trace in result.values())
    assert result[Model("lstm", forget_bias=0)] is result["lstm:forget_bias=0"]
    assert result["lstm:forget_bias=-0.0"] is result["lstm:forget_bias=0"]
    assert result.experiment.seq_len == 6
    assert result.batch.clue_steps == (1,)


@pytest.mark.parametrize("label", ["lstm", "mlp", "", "rnn:gain=abc"])
def test_a_model_that_was_not_run_is_a_missing_key(label: str) -> None:
    result = run(replace(SMALL, models=("rnn",)))
    assert label not in result
    with pytest.raises(KeyError, match=re.escape(repr(label))):
        result[label]


def test_overrides_reach_the_network_they_are_for() -> None:
    models = ("rnn:activation=relu", "lstm:forget_bias=-1", "gru:update_bias=2,hidden_size=7",
              "rnn:gain=2", "rnn", "lstm")  # fmt: skip
    result = run(replace(SMALL, models=models))
    assert result["rnn:activation=relu"].trace.cell.activation == "relu"
    lstm = result["lstm:forget_bias=-1"].trace
    b_h = lstm.params["b_h"]
    assert (b_h[lstm.cell.gate_rows("f")] == -1).all()
    assert np.count_nonzero(b_h) == 5
    gru = result["gru:update_bias=2,hidden_size=7"].trace
    assert (gru.params["b_h"][gru.cell.gate_rows("z")] == 2).all()
    assert gru.cell.hidden_size == 7
    W_hh = result["rnn"].trace.params["W_hh"]
    assert (result["rnn:gain=2"].trace.params["W_hh"] == 2 * W_hh).all()
    assert (result["lstm"].trace.params["b_h"][lstm.cell.gate_rows("f")] == 3).all()


def test_a_bias_of_its_own_beats_a_shared_chrono() -> None:
    e = replace(SMALL, models=("lstm", "lstm:forget_bias=1"), gate_init="chrono", hidden_size=50)
    result = run(e)
    f = result["lstm"].trace.cell.gate_rows("f")
    drawn = result["lstm"].trace.params["b_h"][f]
    assert 0 <= drawn.min() < drawn.max() <= np.log(5)  # time scales up to T = 6
    assert (result["lstm:forget_bias=1"].trace.params["b_h"][f] == 1).all()


@pytest.mark.parametrize(
    "change",
    [{"seq_len": 9}, {"batch_size": 7}, {"distractor": 3.0}, {"loss_at": "every"},
     {"activation": "relu"}, {"memory_bias": 1.0}, {"models": ("lstm", "rnn")}],
)  # fmt: skip
def test_nothing_but_its_own_settings_and_the_seed_redraws_the_weights(
    change: dict[str, Any],
) -> None:
    before, after = weights(SMALL), weights(replace(SMALL, **change))
    assert all((before[name] == after[name]).all() for name in before)


@pytest.mark.parametrize("task", ["adding", "counting", "stocks"])
def test_weights_between_hidden_units_do_not_depend_on_the_task(task: str) -> None:
    before, after = weights(SMALL), weights(replace(SMALL, task=task))
    assert (before["0.forward.W_hh"] == after["0.forward.W_hh"]).all()


def test_another_seed_is_another_network_and_another_batch() -> None:
    one, two = run(SMALL), run(replace(SMALL, seed=1))
    assert (one["rnn"].params["0.forward.W_hh"] != two["rnn"].params["0.forward.W_hh"]).all()
    assert (one.batch.x[1:] != two.batch.x[1:]).all()


def test_the_same_experiment_gives_the_same_bits_in_any_thread() -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, [replace(SMALL, seed=seed % 4) for seed in range(32)]))
    for i, result in enumerate(results):
        assert result["lstm"].loss == results[i % 4]["lstm"].loss
        assert (result["lstm"].trace.d_h == results[i % 4]["lstm"].trace.d_h).all()
    assert len({result["lstm"].loss for result in results}) == 4


def test_float32_runs_in_float32() -> None:
    result = run(replace(SMALL, dtype="float32"))
    assert {trace.trace.d_h.dtype for trace in result.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("first", ["rnn", "lstm:hidden_size=20", "gru"])
def test_matching_gives_the_nearest_number_of_parameters(first: str) -> None:
    others = [kind for kind in ("rnn", "lstm", "gru") if not first.startswith(kind)]
    e = Experiment(models=(first, *others), match="parameters", seq_len=2, hidden_size=33)
    result = run(e)
    target = result[first].network.param_count()
    for kind in others:
        network = result[kind].network
        off = abs(network.param_count() - target)
        for width in (network.cells[0].hidden_size - 1, network.cells[0].hidden_size + 1):
            cell = replace(network.cells[0], hidden_size=width)
            assert off <= abs(replace(network, cells=(cell,)).param_count() - target)


def test_matching_leaves_a_model_with_a_width_of_its_own_alone() -> None:
    models = ("rnn", "lstm:hidden_size=9")
    result = run(Experiment(models=models, match="parameters", seq_len=2, hidden_size=30))
    assert result["rnn"].trace.cell.hidden_size == 30
    assert result["lstm:hidden_size=9"].trace.cell.hidden_size == 9


def networks(experiment: Experiment) -> dict[str, Network]:
    return {label: trace.network for label, trace in run(experiment).items()}


def test_a_model_may_have_layers_directions_and_a_skip_of_its_own() -> None:
    models = ("rnn", "rnn:layers=3", "gru:bidirectional=yes", "lstm:layers=2,bidirectional=yes",
              "lstm:skip=4", "rnn:leak=0.25,skip=2")  # fmt: skip
    found = networks(replace(SMALL, models=models))
    assert [len(found[m].cells) for m in models] == [1, 3, 1, 2, 1, 1]
    assert [found[m].directions for m in models] == [1, 1, 2, 2, 1, 1]
    assert [found[m].cells[0].skip for m in models] == [0, 0, 0, 0, 4, 2]
    assert found["lstm:layers=2,bidirectional=yes"].cells[1].input_size == 10
    assert found["rnn:leak=0.25,skip=2"].cells[0] == RNN(8, 5, leak=0.25, skip=2)


def test_shared_network_fields_hold_for_every_model_that_does_not_override_them() -> None:
    e = replace(SMALL, layers=2, bidirectional="yes", skip=3, leak=0.5,
                models=("rnn", "gru", "lstm:layers=1,bidirectional=no,skip=0"))  # fmt: skip
    found = networks(e)
    assert {found[m].directions for m in ("rnn", "gru")} == {2}
    assert found["rnn"].cells == (RNN(8, 5, leak=0.5, skip=3), RNN(10, 5, leak=0.5, skip=3))
    assert found["gru"].cells[1] == GRU(10, 5, skip=3)
    assert found["lstm:layers=1,bidirectional=no,skip=0"].cells == (LSTM(8, 5),)


@pytest.mark.parametrize("skip", [0, 1])
def test_a_skip_of_one_step_adds_nothing(skip: int) -> None:
    assert networks(replace(SMALL, skip=skip))["rnn"].cells == (RNN(8, 5),)


@pytest.mark.parametrize(("kind", "variants"), [("lstm", LSTM_VARIANTS), ("gru", GRU_VARIANTS)])
def test_every_variant_has_a_label(kind: str, variants: dict[str, dict[str, Any]]) -> None:
    cls: Any = {"lstm": LSTM, "gru": GRU}[kind]
    for name, options in variants.items():
        label = f"{kind}:variant={name}"
        assert networks(replace(SMALL, models=(label,)))[label].cells == (cls(8, 5, **options),)


def test_a_bidirectional_answer_at_the_end_reads_both_final_states() -> None:
    both = replace(SMALL, bidirectional="yes")
    assert networks(both)["rnn"].readout == "final"
    assert networks(replace(both, loss_at="every"))["rnn"].readout == "aligned"
    assert networks(SMALL)["rnn"].readout == "aligned"


def test_a_task_with_a_context_sets_the_first_state() -> None:
    result = run(replace(SMALL, task="captioning", loss_at="every"))
    trace = result["gru"]
    assert trace.network.context_size == len(result.batch.context)
    assert trace.params["W_vh"].shape == (5, len(result.batch.context))
    assert (trace.trace.h[0] != 0).all()
    assert trace.trace.lengths.tolist() == result.batch.lengths.tolist()


@pytest.mark.trained
def test_trained_models_are_what_training_makes_of_them() -> None:
    e = replace(SMALL, train_steps=3, learning_rate=0.1, optimizer="sgd", clip="norm", window=2)
    result = run(e)
    for label in e.models:
        for name, value in params_after(e, label, 3).items():
            np.testing.assert_array_equal(result[label].params[name], value)
    untrained = run(replace(e, train_steps=0))
    for label in e.models:
        assert (untrained[label].params["W_hy"] != result[label].params["W_hy"]).any()
    np.testing.assert_array_equal(untrained.batch.x, result.batch.x)


@pytest.mark.trained
def test_a_run_ends_where_it_is_told_to() -> None:
    """Forward, backward and while it trains: after each of the first calls, and never later."""
    experiment = Experiment(models=("rnn", "gru"), seq_len=4, hidden_size=2, train_steps=2)
    calls = count(1)
    run(experiment, tell=lambda: next(calls) and None)
    total = next(calls) - 1
    assert total == 2 * 3 * 2
    for stop in range(1, total + 1):
        left = count(stop - 1, -1)

        def tell(left: Iterator[int] = left) -> None:
            if not next(left):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(experiment, tell=tell)
        assert next(left) == -1
