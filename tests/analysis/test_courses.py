"""What a training course has come to, in words."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.tasks import Adding
from rnnviz.wording.training import clip_words, course_words
from tests.plots.courses import course

TEXT = "a guess among 8 symbols: ln 8 = 2.079 nats"


def flat(label: str, loss: float, right: float = 0.125, **more: object) -> object:
    return course(label, loss_per_answer=np.full(30, loss), metric=np.full(30, right), **more)


def test_the_best_model_comes_first_with_its_numbers() -> None:
    said, against = course_words([flat("rnn", 2.08), flat("gru", 0.034, 0.99)], 2.079, TEXT)
    assert said == (
        "After **29** steps: training loss GRU **0.034** (99 % right), RNN **2.08** (12 %), "
        "over the last 10 recorded (median loss)."
    )
    assert against.startswith("Below the baseline: GRU; not, or not yet: RNN.")
    assert against.endswith(f"Baseline: {TEXT}.")


def test_a_loss_at_the_baseline_is_not_below_it() -> None:
    lines = course_words([flat("rnn", 2.07)], 2.079, TEXT)
    assert lines[1].startswith("No loss is clearly below the baseline yet.")
    assert "Below the baseline." in course_words([flat("rnn", 0.5)], 2.079, TEXT)[1]
    assert "All are below" in course_words([flat("rnn", 0.5), flat("gru", 0.4)], 2.079)[1]


def test_a_share_of_right_answers_is_not_rounded_to_none_or_all() -> None:
    said = course_words([flat("rnn", 2.0, 0.001), flat("gru", 0.01, 0.999)], None)[0]
    assert "GRU **0.01** (over 99 % right), RNN **2.00** (under 1 %)" in said


def test_one_lucky_batch_is_no_success() -> None:
    loss = np.full(30, 2.1)
    loss[-1] = 0.5
    assert "No loss" in course_words([course("rnn", loss_per_answer=loss)], 2.079)[1]


@pytest.mark.parametrize("batch_size", [4, 16])
def test_who_always_gives_the_answer_of_the_baseline_is_not_said_to_be_below_it(
    batch_size: int,
) -> None:
    """Half the squared error of the answer 1 is skewed: most batches lie below its mean."""
    steps, moments = 60, 50
    batch = Adding().batch(0, 20, batch_size * steps * moments, "last")
    squares = 0.5 * (batch.target[-1, 0] - 1) ** 2
    losses = squares.reshape(moments, steps, batch_size).mean(axis=2)
    baseline = Adding().baseline_at(20, "last")
    said = [course("rnn", steps=steps, loss_per_answer=each).beats(baseline) for each in losses]
    assert np.mean(np.median(losses[:, -10:], axis=1) < 0.95 * baseline) > 0.3
    assert np.mean(said) < 0.05
    better = [course("rnn", steps=steps, loss_per_answer=each / 2) for each in losses]
    assert np.mean([one.beats(baseline) for one in better]) > 0.9


def test_a_baseline_of_zero_cannot_be_beaten() -> None:
    (_, against) = course_words([flat("rnn", 0.0)], 0.0, "the answer is always the same")
    assert against.startswith("No loss can be below the baseline.")


def test_without_a_baseline_none_is_claimed() -> None:
    assert len(course_words([flat("rnn", 1.0)], None)) == 1


def test_before_training_it_says_so() -> None:
    assert course_words([course(steps=1)], 2.079)[0].startswith("Before training: loss RNN")


def test_a_squared_error_has_no_share_of_right_answers() -> None:
    said = course_words([flat("rnn", 0.17)], None, metric_name="mean squared error")[0]
    assert said == (
        "After **29** steps: training loss RNN **0.17**, over the last 10 recorded (median loss)."
    )


def test_what_diverged_is_named_first() -> None:
    event = "the loss is NaN at training step 312"
    first, second = course_words([flat("lstm", np.nan, event=event)], 2.079, TEXT)
    assert first.startswith(f"LSTM: **{event}**.")
    infinite = "the state h of layer 1 is -inf (from time step 8 on) at training step 1"
    first, *_ = course_words([flat("lstm", np.nan, event=infinite)], 2.079, TEXT)
    assert first.startswith("LSTM: **the state h of layer 1 is −∞ (from time step 8 on)")
    assert "kept" in first
    assert second == "Stopped: LSTM at step 29."


def losses(label: str, values: list[float], **more: object) -> object:
    return course(label, len(values), loss_per_answer=np.array(values), **more)


def standing(*courses: object) -> str:
    return course_words(courses, None, metric_name="mean squared error")[-1]


def test_after_one_step_the_loss_is_that_step_s() -> None:
    assert standing(losses("rnn", [2.23, 2.06])) == "After **1** step: training loss RNN **2.06**."
    assert (
        standing(losses("rnn", [9.0, 5.0, 2.0])) == "After **2** steps: training loss RNN **2.00**."
    )


def test_the_sentence_says_over_how_many_steps_the_median_is() -> None:
    """Of a short training only the second half is recent."""
    said = standing(losses("rnn", [9.0, 8.0, 7.0, 3.0, 2.0, 1.0]))
    assert (
        said
        == "After **5** steps: training loss RNN **2.00**, over the last 3 recorded (median loss)."
    )


def test_of_a_model_that_stopped_it_says_where_and_its_last_finite_loss() -> None:
    stopped = losses("rnn", [2.9, np.nan], event="the loss is NaN at training step 1")
    going = losses("lstm", [0.4] * 31)
    assert standing(stopped, going) == (
        "After **30** steps: training loss LSTM **0.40**, over the last 10 recorded (median loss). "
        "Stopped: RNN at step 1 (last finite loss **2.90** at step 0)."
    )
    assert np.isnan(stopped.loss)


def test_the_step_is_one_that_every_model_has_recorded() -> None:
    """While training plays a model may be one step ahead."""
    ahead, behind = losses("rnn", [3.0, 2.0, 1.0]), losses("gru", [3.0, 2.5])
    assert standing(ahead, behind) == "After **1** step: training loss RNN **2.00**, GRU **2.50**."


def test_clipping_is_told_as_a_share_of_all_steps() -> None:
    assert clip_words([course("rnn", clipped_share=0.31)], 1.0) == (
        "Clipped at 1, of all training steps: **31 %** in the RNN."
    )
    rare = clip_words([course("rnn", clipped_share=1 / 301)], 1.0)
    assert rare == "Clipped at 1, of all training steps: **under 1 %** in the RNN."
    assert clip_words([course("rnn")], None) == "Not clipped. Largest gradient norm: **4** (RNN)."


def test_a_norm_that_is_never_finite_does_not_break_the_words() -> None:
    assert "nan" in clip_words([course("rnn", largest_norm=np.nan)], None)
