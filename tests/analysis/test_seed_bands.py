"""Several seeds of a curve, against NumPy and exact powers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.analysis.gradients import gradient_flow
from rnnviz.analysis.rates import Curve
from rnnviz.analysis.seed_bands import seed_bands, seed_curve
from rnnviz.core.numerics import status_of
from tests.analysis.support import last_step, simple


def of_rate(rate, T=6):
    """A gradient that loses this factor a step."""
    return gradient_flow(simple(np.array([[rate]]), last_step(T, 1)), "m")


def of_lengths(lengths, T, values=1.0):
    """A gradient that halves at every step, of sequences that end where their loss is."""
    direct = np.zeros((T, 1, len(lengths)))
    direct[np.array(lengths) - 1, 0, range(len(lengths))] = values
    return replace(simple(np.array([[0.5]]), direct), lengths=np.array(lengths))


def test_the_band_is_of_exact_powers():
    flows = [of_rate(rate) for rate in (0.5, 0.9, 0.1, 1.5, 0.7)]
    (band,) = seed_bands(flows[:1], [{"m": flow.state} for flow in flows[1:]])
    back = np.arange(5, -1, -1)
    for found, rate in ((band.least, 0.1), (band.median, 0.7), (band.greatest, 1.5)):
        np.testing.assert_allclose(found, back * np.log10(rate), atol=1e-12)
    assert band.count.tolist() == [5] * 6
    assert band.seeds == 5


def test_each_seed_is_relative_to_its_own_last_step():
    large = gradient_flow(simple(np.array([[0.5]]), last_step(4, 1, value=1e9)), "m")
    small = of_rate(0.5, 4)
    (band,) = seed_bands([small], [{"m": large.state}])
    np.testing.assert_allclose(band.least, band.greatest, atol=1e-12)


@pytest.mark.parametrize("seeds", [2, 5, 8])
def test_it_is_numpy_s_median_of_those_that_have_a_number(seeds):
    rng = np.random.default_rng(seeds)
    logs = rng.standard_normal((seeds, 8))
    logs[0, 2] = logs[1, 2] = logs[1, 5] = np.nan
    logs[:, -1] = 0
    curves = [{"m": Curve(log10, status_of(log10))} for log10 in logs]
    flow = of_rate(1.0, 7)
    (band,) = seed_bands([flow], curves[1:])
    rows = np.concatenate([np.zeros((1, 7)), logs[1:, 1:]])
    known = ~np.isnan(rows)
    assert band.count.tolist() == known.sum(axis=0).tolist()
    columns = [rows[has, t] for t, has in enumerate(known.T)]
    np.testing.assert_allclose(band.median, [np.median(c) for c in columns], atol=1e-12)
    np.testing.assert_allclose(band.least, [c.min() for c in columns])
    np.testing.assert_allclose(band.greatest, [c.max() for c in columns])


def test_zero_is_below_every_number_and_infinity_above():
    zero, one, high = of_rate(0.0, 3), of_rate(1.0, 3), np.array([0, np.inf, np.inf, 0.0])
    (band,) = seed_bands([one], [{"m": zero.state}, {"m": Curve(high, status_of(high))}])
    assert band.least.tolist() == [-np.inf, -np.inf, 0]
    assert band.median.tolist() == [0, 0, 0]
    assert band.greatest.tolist() == [np.inf, np.inf, 0]


def test_other_seeds_sequences_may_be_shorter_or_longer():
    three, five = of_rate(0.5, 3), of_rate(0.5, 5)
    (band,) = seed_bands([five], [{"m": three.state}])
    assert band.count.tolist() == [2, 2, 2, 1, 1]
    (band,) = seed_bands([three], [{"m": five.state}])
    assert band.count.tolist() == [2, 2, 2]
    assert band.greatest[-1] == 0


def test_a_longer_seed_is_measured_from_its_own_last_step():
    three, five = of_rate(0.5, 3), of_rate(0.5, 5)
    (band,) = seed_bands([three], [{"m": five.state}])
    np.testing.assert_allclose(band.least, np.arange(-4, -1) * np.log10(2), atol=1e-12)
    np.testing.assert_allclose(band.left, -3 * np.log10(2), atol=1e-12)


def test_where_all_sequences_of_a_seed_are_padded_it_has_no_step_and_no_zero():
    full, short = of_rate(0.5, 5), of_lengths([3], 5)
    (band,) = seed_bands([full], [{"m": seed_curve(short)}])
    assert band.count.tolist() == [2, 2, 2, 1, 1]
    assert np.isfinite(band.least).all()
    np.testing.assert_allclose(band.greatest[:3], np.arange(-2, 1) * np.log10(2), atol=1e-12)


def test_what_is_left_counts_from_the_ends_that_each_seed_alone_counts_from():
    """Errors of different size: the curve counts from that of the longer sequence alone."""
    ragged = of_lengths([5, 3], 5, [1.0, 9.0])
    alone = gradient_flow(ragged, "m")
    assert alone.own_rate is not None
    (band,) = seed_bands([alone], [{"m": seed_curve(ragged)}])
    assert band.own_ends
    np.testing.assert_allclose(band.left, alone.reach_log10, atol=1e-12)
    assert abs(band.left - band.median[0]) > 0.1
    (band,) = seed_bands([of_rate(0.5, 5)], [{"m": of_rate(0.5, 5).state}])
    assert not band.own_ends


def test_without_other_seeds_there_is_no_band():
    assert seed_bands([of_rate(0.5)], []) == ()
