"""The table of a figure's values, as values.js makes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import rnnviz
from rnnviz.plots.drawing import Drawing
from rnnviz.views.picture import Picture
from rnnviz.wording.texts import texts
from tests.dashboard.node import answer

TABLES = """(({ data, layout }) => {
  const axis = (name) => ({ _name: name.replace(/^(.)/, "$1axis"), domain: [0, 1],
    ...(layout[name.replace(/^(.)/, "$1axis")] ?? {}) });
  const seen = data.map((t) => ({ visible: true, opacity: 1, mode: "lines", hoverinfo: "all",
    xaxis: "x", yaxis: "y", ...t, _input: { name: t.name } }));
  const cartesian = [...new Set(seen.map((t) => t.xaxis + t.yaxis))];
  const _plots = Object.fromEntries(seen.map((t) =>
    [t.xaxis + t.yaxis, { xaxis: axis(t.xaxis), yaxis: axis(t.yaxis) }]));
  for (const { xaxis, yaxis } of Object.values(_plots))
    for (const each of [xaxis, yaxis]) if (each.tickvals) each.tickmode = "array";
  const { annotations } = layout;
  return tables({ layout, _fullData: seen,
    _fullLayout: { _subplots: { cartesian }, _plots, annotations } }, words);
})(drawn)"""


def tables(drawn: Drawing) -> list[dict[str, Any]]:
    """{caption, head, rows} of each; a number that is none is None."""
    plain = json.loads(json.dumps(drawn, default=lambda array: array.tolist()))
    said: list[dict[str, Any]] = answer(
        {"tables": "values.js"}, TABLES, drawn=plain, words=dict(texts("chart"))
    )
    return said


def table(drawn: Drawing, heading: str) -> dict[str, Any]:
    """The one whose columns or caption say this."""
    found = tables(drawn)
    (it,) = (t for t in found if heading in t["caption"] or heading in t["head"])
    return it


def column(it: dict[str, Any], name: str) -> list[Any]:
    return [row[it["head"].index(name)] for row in it["rows"]]


def picture(page: Any, key: str, **settings: Any) -> Any:
    run = rnnviz.run(rnnviz.Experiment(batch_size=2, **settings))
    found = page.pictures(page.view(run))
    return next(p for p in found if isinstance(p, Picture) and p.key == key).drawing


def drawings(pictures: Iterable[Any]) -> list[Drawing]:
    return [each.drawing for each in pictures if isinstance(each, Picture)]


def names_of(it: dict[str, Any]) -> list[str]:
    """The columns' names; of dots the rows'."""
    return [*it["head"][1:], *(row[0] for row in it["rows"] if isinstance(row[0], str))]
