"""Sequences from CSV: wide, one row a step of one sequence, or long, with sequences and steps."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.core.numerics import Array
from rnnviz.experiment.npz import Budget, Limits, check_size, shown
from rnnviz.models.widening import as_integers

SEQUENCE, STEP, TARGET, TOKEN = "sequence", "step", "target", "token"
DELIMITERS = ",;\t"


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of numbers: names, values (rows, columns), which of the columns hold integers alone,
    and the line of each row in the file. An empty cell of a target is NaN. counted: whether the
    names are 0, 1, 2, ..., as pandas writes them where nobody gave any."""

    names: tuple[str, ...]
    values: Array
    integers: frozenset[str]
    lines: Array
    counted: bool = False


def read_csv(data: bytes, limits: Limits) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The arrays of a CSV file: x (T, D, B) or tokens (T, B), lengths, and target and mask where a
    column, or several, have a name that begins with "target"; and what was assumed.

    With the columns "sequence" and "step" it is long: one row is a step of a sequence. Else it is
    wide: one sequence, whose steps are the rows. A column "token" holds integers. Where a target is
    empty nothing is asked. A first row of 0, 1, 2, ... is one of names, as pandas writes it, unless
    what follows in two such columns is integers as well. Raises ValueError naming the line and
    column of what is no number.
    """
    table = _table(data, limits)
    long = [name for name in (SEQUENCE, STEP) if name in table.names]
    if len(long) == 1:
        raise ValueError(f"a long table must have the columns {SEQUENCE} and {STEP}, got {long[0]}")
    rows = _places(table) if long else [np.arange(len(table.values))]
    lengths = np.array([len(each) for each in rows])
    asked = [n for n in table.names if n.startswith(TARGET)]
    inputs = [n for n in table.names if n not in (SEQUENCE, STEP, *asked)]
    if not inputs:
        raise ValueError(f"the table must have columns of inputs, got {_listed(table.names)}")
    budget = Budget(limits)
    found: dict[str, Any] = {"x": _padded(table, inputs, rows, budget), "lengths": lengths}
    if inputs == [TOKEN] and TOKEN in table.integers:
        found["x"] = as_integers(TOKEN, found["x"][:, 0])
    if asked:
        target = _padded(table, asked, rows, budget)
        there = ~np.isnan(target).any(axis=1)
        found["mask"] = (there & (np.arange(len(there))[:, None] < lengths)).astype(np.float64)
        found["target"] = np.nan_to_num(target)
        if len(asked) == 1 and asked[0] in table.integers:
            found["target"] = as_integers(TARGET, found["target"][:, 0])
    last = len(table.names) - 1
    note = f"the first row of the table, 0 to {last}, is taken for the names of its columns"
    return found, (note,) * table.counted


def _table(data: bytes, limits: Limits) -> Table:
    check_size(data, limits)
    text = _text(data)
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(DELIMITERS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _numbers(((rows.line_num, row) for row in rows if row), limits)
    except csv.Error as error:
        raise ValueError(f"the file must be a CSV file in UTF-8, got {error}") from error


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = error.object[error.start : error.end]
        raise ValueError(f"the file must be a CSV file in UTF-8, got {got!r} at byte "
                         f"{error.start:,}") from error  # fmt: skip


def _numbers(rows: Iterator[tuple[int, list[str]]], limits: Limits) -> Table:
    start, first = next(rows, (0, []))
    if not first:
        raise ValueError("the file must hold rows of numbers, it has none")
    names, counted = _names(first)
    headed, unnamed = names is not None, [f"column {k + 1}" for k in range(len(first))]
    names = names or unnamed
    integers, values, lines = set(names), array("d"), array("q")
    for line, row in _all(rows, None if headed else (start, first)):
        if len(row) != len(names):
            raise ValueError(f"line {line} must have {len(names)} cells, got {len(row)}")
        for name, cell in zip(names, row, strict=True):
            values.append(_finite(cell, name, line))
            if name in integers and cell.strip() and not cell.strip().lstrip("+-").isdecimal():
                integers.discard(name)
        lines.append(line)
        if 8 * len(values) > limits.bytes:
            raise ValueError(f"the table must take at most {limits.bytes:,} bytes, it takes more")
    goes_on = values[:: len(names)] == array("d", range(1, len(lines) + 1))  # 0, 1, 2, … downwards
    marks = len(integers) == len(names) == 2
    if counted and (goes_on or marks):  # a step, as all the others
        values, lines = array("d", range(len(names))) + values, array("q", [start]) + lines
        names, integers, counted = unnamed, set(unnamed), False
    if not lines:
        raise ValueError("the file must hold rows of numbers, it has names alone")
    cells = np.frombuffer(values).reshape(-1, len(names))
    return Table(tuple(names), cells, frozenset(integers), np.frombuffer(lines, np.int64), counted)


def _names(first: list[str]) -> tuple[list[str] | None, bool]:
    """The names of the columns, None where the first row is a step; and whether they are counted.
    One column that begins with 0 is more likely a step. Raises ValueError for names that are alike
    or empty."""
    names = [cell.strip() for cell in first]
    counted = len(names) > 1 and names == [str(k) for k in range(len(names))]
    if not counted and not any(_number(name) is None and name for name in names):
        return None, False
    if len(set(names)) < len(names) or not all(names):
        raise ValueError(f"columns must have names of their own, got {shown(names)}")
    return names, counted


def _all(
    rows: Iterator[tuple[int, list[str]]], first: tuple[int, list[str]] | None
) -> Iterator[tuple[int, list[str]]]:
    if first is not None:
        yield first
    yield from rows


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _finite(cell: str, name: str, line: int) -> float:
    if not cell.strip() and name.startswith(TARGET):
        return math.nan
    value = _number(cell)
    if value is None or not math.isfinite(value):
        raise ValueError(f"line {line}, column {shown(name)} must be a finite number, got "
                         f"{shown(cell)}")  # fmt: skip
    return value


def _places(table: Table) -> list[Array]:
    """The rows of each sequence, in the order in which sequences come first, by step."""
    sequence, step = (table.values[:, table.names.index(name)] for name in (SEQUENCE, STEP))
    order = np.lexsort((step, sequence))
    same = (np.diff(sequence[order]) == 0) & (np.diff(step[order]) == 0)
    if same.any():
        row = order[1:][same][0]
        raise ValueError(f"line {table.lines[row]} must have a step of its own, got step "
                         f"{step[row]:g} of sequence {sequence[row]:g} twice")  # fmt: skip
    starts = np.flatnonzero(np.diff(sequence[order])) + 1
    return sorted(np.split(order, starts), key=lambda rows: int(rows.min()))


def _padded(table: Table, names: Sequence[str], rows: list[Array], budget: Budget) -> Array:
    """(T, columns, B), zeros after the end of each sequence."""
    shape = (max(map(len, rows)), len(names), len(rows))
    budget.take(_listed(names), shape, 8)
    found = np.zeros(shape)
    columns = [table.names.index(name) for name in names]
    for b, each in enumerate(rows):
        found[: len(each), :, b] = table.values[each][:, columns]
    return found


def _listed(names: Sequence[str]) -> str:
    """Names for a message, as many of them as are short."""
    text = ", ".join(names)
    return text if len(text) <= 80 else f"{text[:60]}…"
