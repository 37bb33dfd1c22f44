"""What vectors are stretched in a single step, against exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.jacobian.qr import qr_pass
from rnnviz.analysis.jacobian.sequence import linearize
from rnnviz.analysis.lyapunov import lyapunov_spectrum
from rnnviz.core.initializers import orthogonal
from rnnviz.core.numerics import Status
from tests.analysis.support import exact_log_stretches, last_step, simple

SIZES = 10.0 ** -np.linspace(0, 20, 8)


@pytest.mark.parametrize("kind", ["spread", "nearly parallel", "large rows"])
@pytest.mark.parametrize("seed", range(6))
def test_a_stretch_has_digits_or_is_lost(seed, kind):
    """However many decades one step spreads its singular values, or makes columns of any length
    all but parallel."""
    rng = np.random.default_rng(seed)
    U, V = orthogonal(rng, 8), orthogonal(rng, 8)
    W = {
        "spread": U @ np.diag(SIZES) @ V,
        "nearly parallel": np.outer(U[0], np.sqrt(SIZES[::-1])) + 1e-17 * V,
        "large rows": np.diag(SIZES) @ V,
    }[kind]
    trace = simple(W, last_step(1, 8))
    found = qr_pass(linearize(trace), np.eye(8))
    known = found.dead_at < 0
    assert 0 < known.sum() < 8
    true = exact_log_stretches(W[:, known])
    np.testing.assert_allclose(found.logs[known], true, rtol=0, atol=0.1)  # the first digit
    status = lyapunov_spectrum(trace, "rnn", direction="forward").status
    np.testing.assert_array_equal(status == Status.FINITE, np.sort(known)[::-1])


def test_a_column_that_is_short_in_itself_keeps_its_digits():
    """And the directions that it takes from those after it."""
    W = np.diag(10.0 ** -np.array([14.5, 0, 1, 2])) + np.diag([1e-14, 0.5, 0.2], 1)
    found = qr_pass(linearize(simple(W, last_step(1, 4))), np.eye(4))
    assert (found.dead_at < 0).all()
    np.testing.assert_allclose(found.logs, exact_log_stretches(W), rtol=0, atol=1e-9)
