"""Several seeds at once on Gradient flow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment, frames, run
from rnnviz.plots import gradients as plots
from rnnviz.plots.drawing import to_json
from rnnviz.views import gradient_flow
from rnnviz.views.gradient_flow import Choices, View
from rnnviz.views.picture import Picture
from rnnviz.views.seeds import OtherSeeds, seed_curves
from rnnviz.wording.numbers import signed
from tests.views.situations import SITUATIONS, small
from tests.views.test_situations import assert_sound


def with_seeds(experiment: Experiment, count: int, **choices: object) -> View:
    asked = Choices(seeds=count, **choices)  # type: ignore[arg-type]
    seeds = range(experiment.seed + 1, experiment.seed + count)
    runs = [run(replace(experiment, seed=seed)) for seed in seeds]
    curves = tuple(seed_curves(each, asked.layer, asked.direction) for each in runs)
    return gradient_flow.view(run(experiment), asked, others=OtherSeeds(curves))


def flow_picture(view: View) -> Picture:
    items = {item.key: item for item in gradient_flow.pictures(view)}
    picture = items["flow-state"]
    assert isinstance(picture, Picture)
    to_json(picture.drawing)
    return picture


def test_the_band_holds_the_curves_of_every_seed_and_the_line_is_their_median() -> None:
    experiment = Experiment(models=("rnn", "lstm"), seq_len=30, hidden_size=8, batch_size=3, seed=4)
    picture = flow_picture(with_seeds(experiment, 5))
    traces = {trace["name"]: trace for trace in picture.drawing["data"]}
    for label, name in (("rnn", "RNN"), ("lstm", "LSTM")):
        own = []
        for seed in range(4, 9):
            shown = gradient_flow.view(run(replace(experiment, seed=seed)))
            log10 = next(f.state.log10 for f in shown.flows if f.label == label)[1:]
            own.append(log10 - log10[-1])
        band = traces[f"{name} seeds"]
        np.testing.assert_allclose(band["y"][:30], np.min(own, axis=0), atol=1e-5)
        np.testing.assert_allclose(band["y"][30:][::-1], np.max(own, axis=0), atol=1e-5)
        assert band["x"].tolist() == [*range(1, 31), *range(30, 0, -1)]
        median = traces[f"{name}, median of 5 seeds"]
        np.testing.assert_allclose(median["y"], np.median(own, axis=0), atol=1e-5)
    assert "Band: least to greatest of 5 seeds" in picture.how


def test_the_verdict_and_the_curves_are_of_the_seed_that_is_shown() -> None:
    alone, several = gradient_flow.view(run(small())), with_seeds(small(), 3)
    assert several.verdict == alone.verdict
    before = [t for t in flow_picture(alone).drawing["data"] if t["name"] in ("RNN", "LSTM", "GRU")]
    drawn = {t["name"]: t for t in flow_picture(several).drawing["data"]}
    assert len(before) == 3
    for trace in before:
        np.testing.assert_array_equal(drawn[trace["name"]]["y"], trace["y"])


def test_the_medians_of_many_models_have_no_labels_that_would_lie_over_the_names() -> None:
    for models, labels in ((("rnn", "lstm", "gru"), 3), (SITUATIONS["six models"].models, 0)):
        layout = flow_picture(with_seeds(small(models=models), 3)).drawing["layout"]
        assert sum("median" in note["text"] for note in layout["annotations"]) == labels


WORDS = Experiment(("rnn",), task="words", hidden_size=8)
"""Its sequences have different lengths, in every seed others."""


@pytest.mark.parametrize(("batch_size", "seed"), [(2, 0), (1, 3), (16, 0), (4, 1)])
def test_each_seed_of_padded_sequences_stands_in_the_band_as_its_curve_alone_does(
    batch_size: int, seed: int
) -> None:
    experiment = replace(WORDS, batch_size=batch_size, seed=seed)
    alone = [
        gradient_flow.view(run(replace(experiment, seed=k))).flows[0] for k in range(seed, seed + 8)
    ]
    T = alone[0].seq_len
    assert len({flow.seq_len for flow in alone}) > 1
    own = np.full((8, T), np.nan)
    for row, flow in zip(own, alone, strict=True):
        log10 = flow.state.log10
        row[: flow.seq_len] = log10[1 : T + 1] - log10[-1]
    view = with_seeds(experiment, 8)
    (band,) = view.bands
    assert band.count.tolist() == (~np.isnan(own)).sum(axis=0).tolist()
    np.testing.assert_allclose(band.least, np.nanmin(own, axis=0), atol=1e-12)
    np.testing.assert_allclose(band.greatest, np.nanmax(own, axis=0), atol=1e-12)
    np.testing.assert_allclose(band.left, np.median([f.reach_log10 for f in alone]), atol=1e-12)
    assert "zero" not in set(frames.seed_frame(view.bands)["status"])
    picture = flow_picture(view)
    said = [note["text"] for note in picture.drawing["layout"]["annotations"]]
    assert any(text.endswith(f"median {signed(band.left)}") for text in said)
    assert ("counts from there" in picture.how) is (batch_size > 1)


def test_other_quantities_have_no_band() -> None:
    picture = gradient_flow.quantity_picture(with_seeds(small(), 3), "h")
    assert not any("seed" in trace["name"] for trace in picture.drawing["data"])


def test_the_axis_has_room_for_the_band() -> None:
    experiment = Experiment(models=("rnn",), seq_len=200, hidden_size=3, batch_size=2, gain=0.5)
    view = with_seeds(experiment, 5)
    least = view.bands[0].least.min()
    assert least < plots.flow_range(view.flows)[0]
    assert view.decades[0] <= least


def test_of_a_layer_that_reads_from_the_end_the_band_is_mirrored() -> None:
    experiment = small(models=("gru",), bidirectional="yes")
    view = with_seeds(experiment, 3, direction="backward")
    traces = {t["name"]: t for t in flow_picture(view).drawing["data"]}
    (band,) = view.bands
    name = view.styles[band.label].title
    np.testing.assert_allclose(
        traces[f"{name}, median of 3 seeds"]["y"], band.median[::-1], atol=1e-5
    )
    frame = frames.seed_frame(view.bands)
    first = frame[(frame["step"] == 1) & (frame["quantity"] == "median")]
    assert first["log10"].item() == band.median[-1] == 0


def test_while_a_knob_is_dragged_the_page_says_that_the_band_is_left_out() -> None:
    view = gradient_flow.view(run(small()), Choices(seeds=5, coarse=True))
    assert "left out while a knob moves" in flow_picture(view).how
    assert "seeds" not in flow_picture(gradient_flow.view(run(small()), Choices(coarse=True))).how


@pytest.mark.parametrize(
    "situation",
    ["T = 2", "all ones", "ReLU overflows", "identity overflows", "every model overflows",
     "rounded to zero", "float32", "ReLU dies", "init delay_line",
     "depths and directions of their own",
     "padded, both directions", "loss at every step", "task sentiment", "B = 1", "skip"],
)  # fmt: skip
def test_the_page_stands_with_seeds(situation: str) -> None:
    view = with_seeds(SITUATIONS[situation], 3)
    assert_sound(gradient_flow, list(gradient_flow.pictures(view)))
    assert len(frames.seed_frame(view.bands)) == sum(3 * len(band.count) for band in view.bands)


def test_a_seed_that_has_nothing_left_is_told_for_the_axis_ends_above_it() -> None:
    experiment = Experiment(models=("rnn", "lstm"), activation="relu", hidden_size=8, seq_len=30,
                            gain=1, batch_size=1)  # fmt: skip
    view = with_seeds(experiment, 8)
    lost = {band.label: np.isneginf(band.least[0]) for band in view.bands}
    assert lost == {"rnn": True, "lstm": False}
    how = flow_picture(view).how
    assert "Nothing is left at the far end in 1 of 8 seeds (RNN): there" in how
    assert "Nothing is left" not in flow_picture(with_seeds(small(), 3)).how


def test_the_axis_reaches_the_median_where_the_least_is_no_number() -> None:
    (band,) = with_seeds(small(models=("rnn",)), 3).bands
    without = replace(band, least=np.full_like(band.least, -np.inf), median=band.median - 80)
    assert plots.flow_range([], bands=[without])[0] <= without.median.min()
