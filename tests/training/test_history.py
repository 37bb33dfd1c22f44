"""History: bounded, and the first, the last and every spike stay."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import numpy as np
import pytest

from rnnviz.training import History, StepRecord, TrainOptions, TrainState, advance, train
from rnnviz.training.export import from_json, to_csv, to_json
from tests.training.support import equal, recall, small_lstm

START = TrainState(0, {"W": np.zeros(4)})


def record(step: int, loss: float = 1.0, norm: float = 1.0, **values: Any) -> StepRecord:
    base = {"loss_per_answer": loss, "metric": 0.5, "norm_after": norm, "clipped": False,
            "update_ratio": 0.1, "log10_state": np.full(4, -float(step), np.float32)}  # fmt: skip
    return StepRecord(step=step, loss=loss, norm_before=norm, **(base | values))


def state(step: int) -> TrainState:
    return TrainState(step, {"W": np.full(4, float(step))})


def filled(records: list[StepRecord], **options: Any) -> History:
    history = History(START, **options)
    for one in records:
        history.add(state(one.step + 1), one)
    return history


def kept(history: History) -> list[int]:
    return [r.step for r in history.records]


def test_the_first_the_last_and_every_spike_stay() -> None:
    losses, norms = {101: 40.0, 777: 11.0}, {333: 12.0, 903: np.inf}
    records = [record(n, losses.get(n, 1.0), norms.get(n, 1.0)) for n in range(1000)]
    history = filled(records, limit=32)
    assert len(kept(history)) <= 32
    assert {0, 101, 333, 777, 903, 999} <= set(kept(history))
    others = set(kept(history)) - {101, 333, 777, 903, 999}
    assert others == set(range(0, 1000, history.stride))
    assert history.spike == 10.0


def test_at_every_moment_it_is_bounded_and_the_latest_is_there() -> None:
    history = History(START, limit=8)
    for n in range(300):
        history.add(state(n + 1), record(n, loss=50.0 if n % 40 == 39 else 1.0))
        assert len(history.records) <= 8
        assert (history.records[0].step, history.last.step) == (0, n)


def test_held_out_numbers_stay_and_are_bounded_too() -> None:
    def some(n: int) -> StepRecord:
        judged = n % 25 == 0 and n > 0
        numbers = {"held_out_loss": 1.5 + n, "held_out_metric": 0.5} if judged else {}
        return record(n, **numbers)

    few = filled([some(n) for n in range(200)], limit=32)
    curves = few.curves()
    asked = np.isfinite(curves.held_out_loss)
    assert curves.steps[asked].tolist() == list(range(25, 200, 25))
    assert (curves.held_out_loss[asked] == 1.5 + curves.steps[asked]).all()
    many = History(START, limit=32)
    for n in range(4000):
        many.add(state(n + 1), some(n))
        assert len(many.records) <= 32
    curves = many.curves()
    left = curves.steps[np.isfinite(curves.held_out_loss)]
    assert len(left) >= 5
    assert left.max() > 3000
    twin = many.copy()
    twin.add(state(4001), some(4000))
    assert many.last.step == 3999


def test_ten_times_the_usual_is_a_spike_and_nine_times_is_none() -> None:
    records = [record(n, {60: 9.0, 70: 10.5}.get(n, 1.0)) for n in range(100)]
    spikes = filled(records).curves()
    assert spikes.steps[spikes.spike].tolist() == [70]


def test_a_level_that_lasts_is_no_spike_for_ever() -> None:
    history = filled([record(n, norm=1.0 if n < 100 else 100.0) for n in range(200)])
    curves = history.curves()
    spikes = curves.steps[curves.spike]
    assert 100 in spikes
    assert spikes.max() < 100 + 51


@pytest.mark.parametrize("height", [1e3, np.inf])
def test_spikes_without_end_are_bounded_too(height: float) -> None:
    rng = np.random.default_rng(0)
    norms = np.where(rng.random(2000) < 0.3, height * rng.random(2000), 1.0)
    norms[:60] = 1.0
    norms[1234] = 1e9
    history = filled([record(n, norm=norms[n]) for n in range(2000)], limit=64)
    assert len(kept(history)) <= 64
    assert {0, 1999} <= set(kept(history))
    if np.isfinite(height):
        assert 1234 in kept(history)


def test_the_event_is_kept_whatever_it_is() -> None:
    records = [record(n) for n in range(100)] + [record(100, np.nan, np.nan, event="the loss")]
    history = filled(records, limit=16)
    assert history.last.sentence == "the loss at training step 100"
    assert history.is_spike(100)


def test_curves_are_aligned_and_what_is_missing_is_nan() -> None:
    records = [
        record(n, loss=float(n), singular_values=np.array([2.0, 1.0]) if n % 2 == 0 else None,
               spectral_radius=1.5 if n % 2 == 0 else None, clipped=n == 1)
        for n in range(3)
    ]  # fmt: skip
    records[2] = record(2, 2.0, log10_state=np.zeros(2, np.float32))
    history = filled(records)
    curves = history.curves()
    np.testing.assert_array_equal(curves.steps, [0, 1, 2])
    np.testing.assert_array_equal(curves.loss, [0, 1, 2])
    np.testing.assert_array_equal(curves.clipped, [False, True, False])
    nan = np.nan
    np.testing.assert_array_equal(curves.singular_values, [[2, 1], [nan, nan], [nan, nan]])
    np.testing.assert_array_equal(curves.spectral_radius, [1.5, nan, nan])
    np.testing.assert_array_equal(
        curves.log10_state, [[0, 0, 0, 0], [-1, -1, -1, -1], [0, 0, nan, nan]]
    )
    assert curves.log10_state.dtype == np.float32
    assert history.clipped_share == pytest.approx(1 / 3)
    assert history.rows()[1]["spectral_radius"] is None


def test_the_largest_norm_is_of_all_steps_kept_or_not() -> None:
    """A norm that is no spike may fall between the steps that are kept."""
    norms = [1.0 + 0.5 * (n == 37) for n in range(100)]
    history = filled([record(n, norm=norm) for n, norm in enumerate(norms)], limit=8)
    assert history.curves().norm_before.max() == 1.0
    assert history.largest_norm == 1.5


def test_an_empty_history_has_empty_curves() -> None:
    history = History(START)
    assert history.curves().log10_state.shape == (0, 0)
    assert np.isnan(history.clipped_share)
    with pytest.raises(ValueError, match="history must have a record"):
        _ = history.last


@pytest.mark.trained
def test_every_network_can_be_computed_again_from_the_nearest_checkpoint() -> None:
    network, start = small_lstm()
    options = TrainOptions(learning_rate=0.01)
    states = [start]
    history = History(start, limit=8, checkpoint_bytes=40_000)
    for after, one in islice(train(network, start, recall, options), 60):
        history.add(after, one)
        states.append(after)
    checkpoints = [s.step for s in history.checkpoints]
    assert checkpoints[0] == 0
    assert checkpoints[-1] == 60
    assert 3 <= len(checkpoints) <= 8
    for step in (*kept(history), 37, 60):
        near = history.nearest(step)
        assert near.step <= step
        again = advance(network, near, recall, options, step)
        assert equal(again.params, states[step].params)


def test_without_room_the_first_and_the_latest_checkpoint_stay() -> None:
    history = filled([record(n) for n in range(20)], checkpoint_bytes=0)
    assert [s.step for s in history.checkpoints] == [0, 20]


def test_a_history_may_begin_anywhere() -> None:
    history = History(state(5), limit=8, checkpoint_bytes=100)
    for n in range(5, 60):
        history.add(state(n + 1), record(n))
    assert [history.records[0].step, history.last.step] == [5, 59]
    assert [history.checkpoints[0].step, history.checkpoints[-1].step] == [5, 60]


def test_steps_come_in_order() -> None:
    history = filled([record(0), record(1)])
    with pytest.raises(ValueError, match="record must be of step 2, got step 5"):
        history.add(state(6), record(5))
    with pytest.raises(ValueError, match="limit must be an integer of at least 8"):
        History(START, limit=7)
    with pytest.raises(ValueError, match="at or after a checkpoint"):
        history.nearest(-1)


def test_a_copy_goes_on_by_itself_as_the_whole_would() -> None:
    losses = {20: 60.0, 50: 60.0, 95: 60.0}
    records = [record(n, losses.get(n, 1.0 + n % 7)) for n in range(100)]
    first = filled(records[:50], limit=32)
    twin = first.copy()
    for one in records[50:]:
        twin.add(state(one.step + 1), one)
    whole = filled(records, limit=32)
    assert (kept(first)[-1], first.checkpoints[-1].step) == (49, 50)
    assert kept(twin) == kept(whole)
    assert {20, 50, 95} <= set(kept(whole))
    assert twin.curves().spike.tolist() == whole.curves().spike.tolist()
    assert [s.step for s in twin.checkpoints] == [s.step for s in whole.checkpoints]
    assert twin.clipped_share == whole.clipped_share


def test_one_that_was_thinned_goes_on_from_its_json_as_if_it_had_never_stopped() -> None:
    """With spikes, held-out numbers and a stride of its own, after several thinnings."""
    rng = np.random.default_rng(0)
    spiky = np.exp(3 * rng.standard_normal(4000) * (rng.random(4000) < 0.2))
    judged = [{"held_out_loss": 1.0 + n, "held_out_metric": 0.5} if n % 10 == 0 else {}
              for n in range(4000)]  # fmt: skip
    records = [record(n, loss, 1 / loss, **judged[n]) for n, loss in enumerate(spiky.tolist())]
    whole, stopped = filled(records), filled(records[:2801])
    again = from_json(json.loads(to_json(stopped)), state(2801))
    for one in records[2801:]:
        again.add(state(one.step + 1), one)
    assert whole.stride > 1 < len(kept(whole))
    assert to_csv(again) == to_csv(whole)
    assert to_json(again) == to_json(whole)
    assert (again.clipped_share, again.first) == (whole.clipped_share, 0)


@pytest.mark.parametrize("steps", [60, 1101, 1102])
def test_a_step_at_which_training_ended_counts_once_however_often_it_is_done(steps: int) -> None:
    """Its loss may be finite, and the records before it be thinned."""
    event = record(steps, 50.0, 60.0, event="W after the update is inf", clipped=True)
    ended = filled([*(record(n, 1.0 + n % 7, 2.0 + n % 5) for n in range(steps)), event])
    again = from_json(json.loads(to_json(ended)), state(steps))
    again.add(state(steps), event)
    assert again.kept == ended.kept
    assert to_csv(again) == to_csv(ended)
    assert again.is_spike(steps)
    assert len(kept(ended)) <= 1000


def test_records_that_lead_elsewhere_are_refused() -> None:
    told = json.loads(to_json(filled([record(0), record(1)])))
    with pytest.raises(ValueError, match="records must lead to step 5"):
        from_json(told, state(5))
    with pytest.raises(ValueError, match="a history must have its records"):
        from_json({"step": [0]}, state(1))
