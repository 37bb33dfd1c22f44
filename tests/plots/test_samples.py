"""What networks do with digits and texts, at the last training step and at each one before."""

from __future__ import annotations

import numpy as np

from rnnviz.plots.samples import (
    LINE,
    Answers,
    Next,
    Written,
    digits_figure,
    digits_tracks,
    next_figure,
    next_tracks,
    written_figure,
    written_height,
    written_tracks,
)
from tests.plots.support import as_json, texts, unpacked_values

STEPS = np.array([0, 40])
TRUTH = np.array([3, 7])
ANSWERS = [
    Answers("rnn", STEPS, np.array([[1, 7], [3, 1]]), TRUTH),
    Answers("lstm", STEPS, np.array([[0, 0], [3, 7]]), TRUTH),
]
PICTURES = np.linspace(0, 1, 2 * 64).reshape(2, 8, 8)


def test_a_right_answer_is_bold_and_a_wrong_one_in_brackets() -> None:
    figure = as_json(digits_figure(PICTURES, ANSWERS))
    cells, rnn, lstm = figure["data"]
    assert (rnn["name"], rnn["text"]) == ("RNN", ["<b>3</b>", "(1)"])
    assert (lstm["name"], lstm["text"]) == ("LSTM", ["<b>3</b>", "<b>7</b>"])
    assert np.array_equal(cells["z"][:, :8], PICTURES[0].astype(np.float32))
    assert np.isnan(cells["z"][:, 8]).all()
    centres = [
        np.flatnonzero(~np.isnan(cells["z"][0]))[half].mean() for half in (slice(8), slice(8, 16))
    ]
    assert rnn["x"].tolist() == centres


def test_the_digits_follow_the_training_step() -> None:
    figure = as_json(digits_figure(PICTURES, ANSWERS))
    for answers, track in zip(ANSWERS, digits_tracks(ANSWERS), strict=True):
        sent = track.packed()
        assert figure["data"][sent["trace"]]["text"] == sent["words"][-1] == answers.words[-1]
        assert sent["words"][0] == answers.words[0]
        assert sent["attribute"] == "text"


def test_expectations_follow_the_training_step() -> None:
    early, late = [0.5, 0.25], [0.9, 0.1]
    chances = np.array([early, late])
    both = [Next(name, STEPS, [["a", "b"], [" ", "<b>"]], chances) for name in ("rnn", "gru")]
    figure = as_json(next_figure(both))
    assert [bar["text"] for bar in figure["data"]] == [["␣", "&lt;b&gt;"]] * 2
    np.testing.assert_allclose(figure["data"][1]["y"], late)
    assert figure["layout"]["yaxis"]["range"] == figure["layout"]["yaxis2"]["range"]
    heights, names, *_ = (track.packed() for track in next_tracks(both))
    np.testing.assert_allclose(unpacked_values(heights), chances, atol=1e-4)
    assert names["words"][0] == ["a", "b"]
    assert [track.packed()["trace"] for track in next_tracks(both)] == [0, 0, 1, 1]


def test_texts_follow_the_training_step() -> None:
    both = [Written("rnn", STEPS, ["aaa", "to be"]), Written("lstm", STEPS, ["bbb", "or not"])]
    figure = as_json(written_figure(both))
    assert [row["text"] for row in figure["data"]] == [["to be"], ["or not"]]
    assert [track.packed()["words"] for track in written_tracks(both)] == [
        [["aaa"], ["to be"]], [["bbb"], ["or not"]]]  # fmt: skip
    assert "<b>LSTM</b>" in texts(figure)
    assert written_height(both) > written_height(both[:1])


def test_a_written_text_is_no_mark_up_and_wraps() -> None:
    (row,) = as_json(written_figure([Written("rnn", STEPS[:1], ["<b>x</b> & " + "y" * LINE])]))[
        "data"
    ]
    first, second = row["text"][0].split("<br>")
    assert first == "&lt;b&gt;x&lt;/b&gt; &amp;"
    assert second == "y" * LINE
