"""What the table of a figure's values says, as a screen reader gets it: its numbers and words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import rnnviz
from rnnviz.analysis.contributions import weight_contributions
from rnnviz.analysis.saliency import saliency
from rnnviz.analysis.weights import weight_maps
from rnnviz.claims.influence import EXACT, influence_curve
from rnnviz.core.numerics import Status
from rnnviz.plots import theme
from rnnviz.plots.claims import growth_figure, stability_figure
from rnnviz.plots.claims_cells import reduction_figure
from rnnviz.plots.claims_training import truncation_figure
from rnnviz.plots.contributions import contributions_figure
from rnnviz.plots.curves import Relative
from rnnviz.plots.log_curves import magnitude_figure
from rnnviz.plots.saliency import signed_figure
from rnnviz.plots.training import loss_figure
from rnnviz.plots.training_profile import profile_figure
from rnnviz.plots.weights import weight_figure
from rnnviz.views import gates, gradient_flow, lag_spectra, spectrum
from rnnviz.views.picture import Picture
from tests.claims.support import agreeing, drawn, moved, reduced
from tests.dashboard.tables import column, picture, table, tables
from tests.plots.courses import course


def test_steps_without_a_magnitude_are_said_in_words() -> None:
    """Their line stands at a height of its own."""
    still = {"init": "delay_line", "activation": "identity", "hidden_size": 8, "seq_len": 20}
    it = table(picture(gradient_flow, "flow-state", models=("rnn",), **still), "RNN zero")
    said = dict(zip(column(it, "time step t"), column(it, "RNN zero"), strict=True))
    assert {said[t] for t in said if t <= 12} == {"exactly 0"}
    assert {said[t] for t in said if t > 12} == {None}


def test_between_such_steps_nothing_is_said() -> None:
    steps, styles = np.arange(1, 13), theme.model_styles(["rnn"])
    zero = np.isin(steps, (5, 6, 7, 11))
    curve = Relative(
        np.where(zero, np.nan, -steps), np.where(zero, Status.ZERO, Status.FINITE), 0.0, 12
    )
    options: dict[str, Any] = {"styles": styles, "height": 200, "revision": "test"}
    drawn = magnitude_figure([(styles["rnn"], curve)], titles=("step", "size"), **options)
    it = table(drawn, "RNN zero")
    said = zip(column(it, "step"), column(it, "RNN zero"), strict=True)
    assert {step for step, words in said if words} == {5, 6, 7, 11}


def test_a_step_that_adds_nothing_is_not_said_to_be_unknown() -> None:
    still = {"init": "delay_line", "activation": "identity", "hidden_size": 8, "seq_len": 12}
    run = rnnviz.run(rnnviz.Experiment(models=("rnn",), batch_size=2, **still))
    found = weight_contributions(run["rnn"].trace, "rnn")
    it = table(contributions_figure.plain([found]), "RNN one by one")
    nothing = {
        row[0]: said == "−∞" for row, said in zip(it["rows"], column(it, "RNN"), strict=True)
    }
    assert any(nothing.values())
    assert nothing == {step: np.isneginf(found.log10_norm[step - 1]) for step in nothing}


@pytest.mark.parametrize("memory_bias", [-20.0, 3.0])
def test_half_lives_are_in_steps(memory_bias: float) -> None:
    made = picture(gates, "half-life", models=("lstm",), seq_len=20, memory_bias=memory_bias)
    shown = column(table(made, "% of units"), "half-life in steps")
    f = 1 / (1 + np.exp(-memory_bias))
    assert shown == pytest.approx([np.log(0.5) / np.log(f)] * 12, rel=0.3)


def test_rows_of_a_claim_are_what_is_true_wherever_they_are_drawn() -> None:
    found = [drawn(-1.5, -np.inf, status=Status.ZERO), drawn(2.0, -3.0),
             drawn(0.1, 0.1, mean_field=np.nan)]  # fmt: skip
    first, *_, elsewhere = tables(growth_figure.plain(found))
    assert first["head"][2:] == ["predicted", "measured"]
    name, count, predicted, measured = first["rows"][0]
    assert name.endswith("tanh")
    assert count == 3
    assert predicted == "−1.5 to 2"
    assert measured == "−3 to 0.1, 1 × exactly zero"
    (of_mean_field,) = (row for row in first["rows"] if row[0].startswith("mean field"))
    assert of_mean_field[1] == 2
    assert elsewhere["head"][2] == "measured elsewhere"


def test_the_window_and_the_memory_are_numbers_of_steps() -> None:
    found = [agreeing(0.9, growth=-5.0), agreeing(0.5, growth=0.1)]
    every = tables(truncation_figure.plain(found, influence_curve(), EXACT))
    windows = next(t for t in every if "median" in " ".join(t["head"]))
    assert [row[0] for row in windows["rows"]] == ["2", "5", "10", "20", "50"]
    cosines, seen = (t for t in every if "dots" in t["head"])
    assert cosines["rows"][0][2] == "−5 to 0.1"
    assert seen["head"][2:] == ["window K", "∂s/∂θ as seen"]
    lines, dots = tables(stability_figure.plain([moved(0.5, 3.0), moved(0.99, 3e5)]))[1:]
    assert (lines["rows"][0][0], lines["rows"][-1][0]) == pytest.approx((1, 100))
    assert len(lines["rows"]) == 12
    assert "2 to 100" in [row[2] for row in dots["rows"]]


def test_rails_of_training_say_what_they_stand_for() -> None:
    dead = np.where(np.arange(7) < 3, -np.inf, np.arange(-6.0, 1.0))
    huge = np.where(np.arange(7) < 3, 120.0, np.arange(-6.0, 1.0))
    both = [course(k, log10_state=np.tile(v, (30, 1))) for k, v in (("rnn", dead), ("gru", huge))]
    (it,) = tables(profile_figure.plain(both))
    assert column(it, "RNN zero")[:3] == ["0, exact or rounded"] * 2 + [None]
    said = column(it, "GRU above the axis")
    assert re.fullmatch(r"above 10\^\d+(\.5)?", said[0])
    assert said[1:3] == [said[0], None]


def test_a_loss_beyond_what_is_drawn_is_said_as_it_is() -> None:
    huge = course("rnn", steps=4, loss_per_answer=np.array([1.0, 1e40, 7.6e116, np.nan]))
    it = next(t for t in tables(loss_figure.plain([huge])) if t["caption"] == "loss")
    assert column(it, "RNN batch")[:3] == [1.0, 1e40, 7.6e116]


def test_what_adds_nothing_at_all_is_said_and_no_line_runs_through_it() -> None:
    run = rnnviz.run(rnnviz.Experiment(models=("rnn", "lstm"), seq_len=12, batch_size=2))
    some, lstm = (weight_contributions(run[label].trace, label) for label in run)
    hole = np.isin(np.arange(12), (5, 7))
    broken = replace(lstm, log10_norm=np.where(hole, -np.inf, lstm.log10_norm))
    none = np.full(12, -np.inf)
    drawn = contributions_figure.plain([replace(some, log10_norm=none, log10_each=none), broken])
    it = table(drawn, "RNN one by one")
    assert set(column(it, "RNN")) == {"−∞"}
    assert column(it, "LSTM")[5] == "−∞"
    (line,) = (t for t in drawn["data"] if (t["name"], t.get("yaxis")) == ("LSTM", None))
    x = np.asarray(line["x"]).tolist()
    assert [t for t, y in zip(x, line["y"], strict=True) if y is None] == [6, 8]
    assert [t for t, size in zip(x, line["marker"]["size"], strict=True) if size] == [7]


def test_singular_values_that_are_zero_are_said_in_words() -> None:
    still = {"init": "delay_line", "activation": "identity", "hidden_size": 8, "seq_len": 20}
    it = table(picture(lag_spectra, "lag-spectra", models=("rnn",), **still), "RNN σ 1")
    assert it["rows"][-1][0] == 20
    assert it["rows"][-1][1] == "exactly 0"


def test_weights_are_said_with_their_power_of_ten() -> None:
    """And a bin that is empty is 0."""
    huge = {"gain": 4.0, "activation": "identity", "init": "orthogonal", "seq_len": 100}
    run = rnnviz.run(rnnviz.Experiment(models=("rnn",), hidden_size=4, batch_size=1, **huge))
    maps = weight_maps(run["rnn"].trace, "rnn")
    every = tables(weight_figure.plain(maps, gradient=True))
    (block,) = (m for m in maps.maps if m.parameter == "W_hh")
    of_maps = next(t for t in every if "median" in t["caption"])
    name = next(n for n in of_maps["head"] if n.startswith("Whh"))
    medians = np.median(block.gradient, axis=0)
    said = [cell.replace("−", "-").split(" · 10^") for cell in column(of_maps, name)[:4]]
    assert {power for _, power in said} == {f"{np.floor(np.log10(maps.gradient_bound)):.0f}"}
    assert [float(f"{value}e{power}") for value, power in said] == pytest.approx(
        list(medians), rel=1e-3
    )
    bins = next(t for t in every if t is not of_maps)
    assert max(abs(row[0]) for row in bins["rows"]) > 1e50
    assert 0 in column(bins, next(n for n in bins["head"] if "W_hh" in n))


def test_every_model_of_a_signed_map_has_its_own_column() -> None:
    run = rnnviz.run(rnnviz.Experiment(models=("rnn", "gru"), hidden_size=4, seq_len=9))
    found = [saliency(run[label], label, step=9) for label in run]
    (it,) = tables(signed_figure.plain(found))
    assert it["head"] == ["time step t", "RNN", "GRU"]
    assert it["caption"].startswith("share of the output")
    assert column(it, "GRU") == pytest.approx(
        list(found[1].signed / np.abs(found[1].signed).max()), rel=1e-6
    )


def test_what_is_drawn_no_lower_than_the_axis_is_said_to_be_no_more() -> None:
    same = replace(reduced(0.3), by_bias=np.zeros_like(reduced(0.3).by_bias))
    every = tables(reduction_figure.plain([same, same]))
    it = next(t for t in every if any("GRU" in name for name in t["head"]))
    assert set(column(it, next(n for n in it["head"] if "GRU" in n))) == {"≤ −17"}


def test_a_map_says_its_decimals_and_what_shares_a_cell() -> None:
    wide = {"hidden_size": 16, "memory_bias": 9.0}
    it = table(picture(gates, "memory-gate", models=("lstm",), seq_len=1500, **wide), "time step t")
    assert "median over the unit" in it["caption"]
    assert it["caption"].endswith("of the smallest of every 5 values")
    assert set(column(it, "LSTM f")) == {"1.00"}


def test_shades_are_not_in_it_and_what_has_nothing_is_left_out() -> None:
    still = {"init": "delay_line", "activation": "identity", "hidden_size": 8, "seq_len": 30}
    run = rnnviz.run(rnnviz.Experiment(models=("rnn",), **still))
    shown = [p for p in spectrum.pictures(spectrum.view(run)) if isinstance(p, Picture)]
    for each in shown:
        for it in tables(each.drawing):
            assert not any("band" in name for name in it["head"])
            for at in range(1, len(it["head"])):
                assert any(row[at] is not None for row in it["rows"]), (each.key, it["head"][at])
