"""Held-out weeks and sentences of one's own, as Train shows them."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.core.network import predict
from rnnviz.experiment import Experiment
from rnnviz.experiment.plan import plan
from rnnviz.experiment.runs import run_plan
from rnnviz.jobs import training
from rnnviz.jobs.training import Training
from rnnviz.tasks.batch import END
from rnnviz.tasks.captioning import NAMES, SYMBOLS
from rnnviz.tasks.sentiment import VOCABULARY, Sentiment
from rnnviz.tasks.stocks import Stocks, held_out_weeks, weekly_returns
from rnnviz.views import forecast, own_sentence, train, train_networks
from rnnviz.views.picture import Picture, Words

pytestmark = pytest.mark.trained
TEXT = "to be or not to be " * 60 + "that is the question"


def begun(**fields: object) -> Training:
    e = Experiment(hidden_size=6, batch_size=2, **fields)  # type: ignore[arg-type]
    return training.begin(plan(e))


def test_the_weeks_held_out_are_those_that_no_training_answer_is_of() -> None:
    _, returns = weekly_returns()
    history, known = held_out_weeks(40)
    np.testing.assert_array_equal(np.concatenate([history, known]), returns[39:])
    assert (len(history), len(known)) == (40, 25)


def test_a_forecast_has_its_error_beside_that_of_no_change() -> None:
    run = begun(task="stocks", seq_len=20, models=("rnn", "gru"))
    view = forecast.view(run, "AAPL")
    picture, note = forecast.pictures(view)
    assert isinstance(picture, Picture)
    assert isinstance(note, Words)
    _, known = held_out_weeks(20)
    assert f"no change {np.sum(known**2) / 2 / 25:.2f}; RNN " in note.lines[0]
    one_step = view.forecasts["gru"].one_step
    assert f"GRU {np.sum((one_step - known) ** 2) / 2 / 25:.2f} one step ahead" in note.lines[0]
    grey = picture.drawing["data"][0]
    assert grey["x"][0] == view.week == 80
    np.testing.assert_allclose(grey["y"], known[:, view.companies.index("AAPL")], rtol=1e-6)


def test_held_out_weeks_stand_beside_what_no_change_costs_there() -> None:
    run = training.advance(begun(task="stocks", seq_len=20, models=("rnn",)), 100, 3)[0]
    view = train.view(run)
    unseen = run.plan.held_out_batch
    assert unseen is not None
    there = view.levels.held_out
    assert there == Stocks().held_out_baseline(unseen)
    assert view.verdict[-1].endswith(f"The baseline's answer has {there:.2f} there.")
    (loss, *_) = train.first_screen(view)
    assert isinstance(loss, Picture)
    assert len(loss.drawing["layout"]["shapes"]) == 2  # type: ignore[call-overload]
    assert "held out" in str(loss.drawing["layout"]["annotations"])  # type: ignore[call-overload]


def test_a_network_that_reads_the_future_has_no_forecast_and_it_is_said() -> None:
    run = begun(task="stocks", seq_len=20, models=("rnn",), bidirectional="yes")
    (note,) = forecast.pictures(forecast.view(run))
    assert isinstance(note, Words)
    assert note.lines[0].startswith("No forecast of RNN: it reads from both ends")


def gate_picture(run: Training) -> Picture:
    view = train_networks.view(run, run.plan.batch)
    (found,) = (p for p in train_networks.pictures(view) if p.key == "gate-course")
    return found


def states_of(run: Training) -> np.ndarray:
    """(H, T) of the RNN in the run of the network that is shown, its first sequence without
    padding."""
    trained = {name: each.checkpoints(1)[-1].params for name, each in run.trainees.items()}
    trace = run_plan(run.plan, trained)["rnn"].trace
    return trace.h[1 : trace.steps_of(0) + 1, :, 0].T


def test_a_leaky_network_shows_its_states_and_not_what_goes_into_them() -> None:
    run = training.begin(plan(Experiment(("rnn:leak=0.1",), hidden_size=5, seq_len=9)))
    trained = run.trainees["rnn:leak=0.1"].checkpoints(1)[-1].params
    trace = run_plan(run.plan, {"rnn:leak=0.1": trained})["rnn:leak=0.1"].trace
    shown = np.asarray(gate_picture(run).drawing["data"][0]["z"])
    np.testing.assert_allclose(shown, trace.h[1:, :, 0].T, atol=1e-5)
    assert np.abs(trace.gates["a"]).max() > 2 * np.abs(shown).max()


def test_a_thinned_map_of_gates_shows_the_units_and_steps_that_it_says() -> None:
    experiment = Experiment(("rnn", "lstm:hidden_size=6"), seq_len=200, batch_size=2)
    run = training.begin(plan(experiment))
    picture = gate_picture(run)
    states = states_of(run)
    z = {trace["coloraxis"]: trace for trace in picture.drawing["data"]}["coloraxis2"]
    rows, columns = (z[f"{axis}0"] + z[f"d{axis}"] * np.arange(n)
                     for axis, n in zip("yx", np.shape(z["z"]), strict=True))  # fmt: skip
    assert (rows[-1], columns[-1]) == (63, 199)
    np.testing.assert_allclose(z["z"], states[np.ix_(rows - 1, columns - 1)], atol=1e-5)
    said = "one row 1 unit in 2 (RNN) and a unit (LSTM, hidden size 6), one column 1 step in 2."
    assert said in picture.how


@pytest.mark.parametrize(("task", "loss_at"), [("captioning", "every"), ("sentiment", "last")])
def test_the_states_that_are_shown_are_those_of_the_run(task: str, loss_at: str) -> None:
    run = begun(task=task, loss_at=loss_at, models=("rnn",), seq_len=20)
    (trace,) = gate_picture(run).drawing["data"]
    np.testing.assert_allclose(trace["z"], states_of(run), atol=1e-6)


@pytest.mark.parametrize("bidirectional", ["no", "yes"])
def test_a_sentence_is_read_as_the_task_reads_it(bidirectional: str) -> None:
    """A phrase of the task, whose last answer is that of a batch with padding."""
    run = begun(task="sentiment", bidirectional=bidirectional)
    batch = Sentiment().batch(0, 8, 5, "last")
    for b in range(5):
        length = int(batch.lengths[b])
        words = " ".join(VOCABULARY[i] for i in batch.x[:length, b])
        marks = ("?!", "，", "; ", "…")[b % 4]
        found = own_sentence.view(run, words.title().replace(" ", marks) + ".").positive
        for label, positive in found.items():
            y = predict(run.plan.networks[label], run.trainees[label].shown.params, batch)
            logits = y[length - 1, :, b]
            assert len(positive) == length
            assert positive[-1] == pytest.approx(1 / (1 + np.exp(logits[0] - logits[1])))


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("", "1 to 30 words here, not 0"),
        ("good " * 31, "1 to 30 words here, not 31"),
        ("the film was <b>so</b> good", "\u201c<b>so</b>\u201d is not among the task's words: all"),
    ],
)
def test_a_sentence_that_cannot_be_read_is_refused_in_words(sentence: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        own_sentence.view(begun(task="sentiment"), sentence)
    assert said in str(refusal.value)


def test_captions_stand_under_the_pictures() -> None:
    run = begun(task="captioning", loss_at="every", models=("rnn", "lstm"))
    view = train_networks.view(run, run.plan.batch)
    pictures = {picture.key: picture for picture in train_networks.pictures(view)}
    assert {"digits", "written"} <= set(pictures)
    targets = train_networks.held_out_pictures(run.plan).target.T
    names = ["".join(SYMBOLS[i] for i in ids[: len(NAMES[0]) + 2]) for ids in targets]
    truth = view.answers[0].truth.tolist()
    assert set(truth) <= set(NAMES)
    assert all(name.startswith(word) for name, word in zip(names, truth, strict=True))
    y = predict(run.plan.networks["rnn"], run.trainees["rnn"].shown.params,
                train_networks.held_out_pictures(run.plan))[0]  # fmt: skip
    for said, logits in zip(view.answers[0].answers[-1], y.T, strict=True):
        first = SYMBOLS[int(logits.argmax())]
        assert said.startswith(first) or (said, first) == ("\u2013", END)
    assert "what each network calls them" in pictures["digits"].how


def test_lines_beside_the_baseline_are_explained_where_they_are_and_nowhere_else() -> None:
    """Of a text they are of its held-out part; of counting, of all there is."""
    how = {
        task: next(train.first_screen(train.view(begun(task=task, loss_at=at, text=TEXT)))).how
        for task, at in (("text", "every"), ("counting", "every"), ("delayed_recall", "last"))
    }
    assert "on the same held-out text" in how["text"]
    assert "on all sequences that there are" in how["counting"]
    assert "other dotted" not in how["delayed_recall"]
