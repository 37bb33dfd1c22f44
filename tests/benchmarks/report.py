"""The table of `python -m tests.benchmarks` and the verdict on each target."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import geometric_mean
from typing import Any

Row = dict[str, Any]

COLUMNS = ("ours", "a", "a+", "b", "c", "products")
HEADER = (
    f"{'cell':5}{'dtype':8}{'T, B, H':>14} thr |"
    + "".join(f"{name:>9}" for name in COLUMNS)
    + " ms |"
    + "".join(f"{name + '/ours':>8}" for name in ("a", "a+", "b", "c"))
    + "  ours/products"
)


def ratios(row: Row) -> dict[str, float]:
    """How many times faster ours is than each opponent; how many times the products alone."""
    ms = row["ms"]
    faster = {name: ms[name] / ms["ours"] for name in ("a", "a+", "b", "c")}
    return {**faster, "products": ms["ours"] / ms["products"]}


def line(row: Row) -> str:
    """One row of the table."""
    size = ", ".join(map(str, row["size"]))
    times = "".join(f"{row['ms'][name]:9.2f}" for name in COLUMNS)
    r = ratios(row)
    faster = "".join(f"{r[name]:8.2f}" for name in ("a", "a+", "b", "c"))
    head = f"{row['cell']:5}{row['dtype']:8}{size:>14} {row['threads']:3} |"
    return f"{head}{times}    |{faster}{r['products']:15.2f}"


@dataclass(frozen=True)
class Target:
    """What a ratio shall be: its geometric mean and its worst row, where `applies` holds."""

    name: str
    column: str
    mean: float | None
    worst: float
    at_most: bool = False
    one_thread: bool = False
    dtype: str | None = None
    min_hidden: int = 1
    min_batch: int = 1

    def applies(self, row: Row) -> bool:
        _, batch_size, hidden_size = row["size"]
        return (
            hidden_size >= self.min_hidden
            and batch_size >= self.min_batch
            and self.dtype in (None, row["dtype"])
            and not (self.one_thread and row["threads"] != 1)
        )

    def verdict(self, value: float, target: float) -> str:
        met = value <= target if self.at_most else value >= target
        relation = "at most" if self.at_most else "at least"
        return f"{value:5.2f} ({relation} {target:g}: {'met' if met else 'MISSED'})"


TARGETS = (
    Target("(a) loop that records the same", "a", 5, 2.5),
    Target("(b) loop over nn.*Cell", "b", 3, 1.1),
    Target("(c) fused nn.*, float64", "c", None, 1, dtype="float64"),
    Target("products alone, one thread, H >= 128, B >= 32", "products", None, 2, at_most=True,
           one_thread=True, min_hidden=128, min_batch=32),
)  # fmt: skip


def summary(rows: list[Row]) -> list[str]:
    """A line or two for each target: over all rows, then for each number of threads."""
    lines = ["Ratios over the rows they apply to, with the targets of the specification:"]
    for target in TARGETS:
        lines += _target_lines(target, [row for row in rows if target.applies(row)])
    for name, text, dtype in (("a+", "(a+) the loop tuned by hand", None),
                              ("c", "(c) fused nn.*, float32", "float32")):  # fmt: skip
        values = [ratios(row)[name] for row in rows if dtype in (None, row["dtype"])]
        if values:
            lines.append(f"  {text}, no target, {len(values)} rows: geometric mean "
                         f"{geometric_mean(values):.2f}, worst {min(values):.2f}")  # fmt: skip
    return lines


def _target_lines(target: Target, rows: list[Row]) -> list[str]:
    if not rows:
        return [f"  {target.name}: no rows"]
    values = {line_id(row): ratios(row)[target.column] for row in rows}
    worst = (max if target.at_most else min)(values, key=values.__getitem__)
    mean = geometric_mean(values.values())
    text = f"{mean:5.2f}" if target.mean is None else target.verdict(mean, target.mean)
    lines = [f"  {target.name}, {len(rows)} rows: geometric mean {text},"
             f" worst {target.verdict(values[worst], target.worst)} at {worst}"]  # fmt: skip
    for threads in sorted({row["threads"] for row in rows}):
        part = [ratios(row)[target.column] for row in rows if row["threads"] == threads]
        extreme = (max if target.at_most else min)(part)
        lines.append(f"    {threads} thread(s): {geometric_mean(part):.2f}, worst {extreme:.2f}")
    return lines


def line_id(row: Row) -> str:
    size = ", ".join(map(str, row["size"]))
    return f"{row['cell']} {row['dtype']} ({size}) {row['threads']} thread(s)"
