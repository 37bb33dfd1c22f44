"""Many experiments: the same one with some fields changed, on all cores or on a cluster.

`grid` has the points and what is measured at each, `pool` the workers, `file` the CSV file that an
interrupted sweep goes on with.
"""

from rnnviz.sweep.grid import (
    MAX_SECONDS,
    Point,
    Result,
    axis,
    cost_of,
    count,
    measure,
    measured,
    parts,
    points,
    run_points,
    spaced,
    sweep,
)

__all__ = [
    "MAX_SECONDS",
    "Point",
    "Result",
    "axis",
    "cost_of",
    "count",
    "measure",
    "measured",
    "parts",
    "points",
    "run_points",
    "spaced",
    "sweep",
]
