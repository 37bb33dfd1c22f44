"""The exact two-sided p-value of a difference between two small samples."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np


def exact_p_value(a: Sequence[float], b: Sequence[float]) -> float:
    """Mann and Whitney's rank-sum test by enumeration of all C(n+m, n) assignments.

    p = share of the assignments whose rank sum of `a` is at least as far from its mean as the one
    observed; ties share their mean rank. Source: Mann and Whitney 1947, doi
    10.1214/aoms/1177730491.
    """
    both = np.array([*a, *b])
    rank = np.array([np.sum(both < v) + (np.sum(both == v) + 1) / 2 for v in both])
    mean = len(a) * (len(both) + 1) / 2
    observed = abs(rank[: len(a)].sum() - mean)
    choices = np.array(list(combinations(range(len(both)), len(a))))
    far = np.abs(rank[choices].sum(axis=1) - mean) >= observed - 1e-9
    return float(far.mean())
