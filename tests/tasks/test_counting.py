from __future__ import annotations

import numpy as np

from rnnviz.tasks import Counting


def test_counting_goes_round_from_every_start() -> None:
    batch = Counting().batch(0, 20, 200, "last")
    assert (np.diff(batch.x, axis=0) % 9 == 1).all()
    assert set(batch.x[0]) == set(range(9))
    assert batch.labels == tuple("012345678")
