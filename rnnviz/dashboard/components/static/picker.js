// What a click on a figure opens, by keyboard: arrows go from point to point, Enter opens one.

import { panelsOf } from "./marks.js";
import { element, placesOf } from "./plotting.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ASIDE = 3; // a pixel beside the way counts as so many on it

export class Picker {
  constructor(chart) {
    this.chart = chart;
    this.at = null; // the point that is shown
    this.said = element("p", "rnnviz-said-of-point");
    this.said.setAttribute("role", "status");
    chart.box.append(this.said);
    this.watcher = new MutationObserver(() => this.say());
    chart.box.addEventListener("keydown", (event) => this.pressed(event));
    chart.box.addEventListener("blur", () => this.leave());
  }

  pressed(event) {
    const { box, options } = this.chart;
    if (!options?.clicks || event.target !== box) return;
    if (event.key === "Enter" && this.at) this.chart.clicked({ points: [this.at] });
    else if (event.key === "Escape" && this.at) this.leave();
    else if (ARROWS[event.key]) this.go(ARROWS[event.key]);
    else return;
    event.preventDefault();
  }

  go(way) {
    const points = pointsOf(this.chart.plot);
    const here = this.at && points.find((point) => isSame(point, this.at));
    this.at = (here ? next(points, here, way) : points[0]) ?? here ?? null;
    if (!this.at) return;
    const { cell, x, y, subplot } = this.at;
    const { Plotly, plot } = this.chart;
    this.watcher.observe(plot.querySelector(".hoverlayer"), { childList: true, subtree: true });
    Plotly.Fx.hover(plot, cell ? { xval: x, yval: y } : [this.at], subplot);
  }

  // What the label says that plotly.js has just drawn, which it does no more than twenty times a
  // second.
  say() {
    const lines = this.chart.plot.querySelectorAll(".hoverlayer .nums, .hoverlayer .nums .line");
    this.said.textContent = [...lines].slice(lines.length > 1).map(textOf).join(" ");
  }

  leave() {
    if (this.at) this.chart.Plotly?.Fx.unhover(this.chart.plot);
    this.at = null;
    this.watcher.disconnect();
    this.said.textContent = "";
  }
}

const textOf = ({ textContent }) => textContent;

function isSame(one, other) {
  return one.curveNumber === other.curveNumber
    && String(one.pointNumber) === String(other.pointNumber);
}

// Of dots, to the left or right, the next in that order: none is left out. Else the nearest that
// way.
function next(points, here, [right, down]) {
  if (!here.cell && right) {
    const row = [...points].sort((a, b) => a.left - b.left || a.top - b.top);
    return row[row.indexOf(here) + right];
  }
  const cost = ({ left, top }) => {
    const [x, y] = [left - here.left, top - here.top];
    const [on, aside] = right ? [x * right, y] : [y * down, x];
    return on > 0.5 ? on + ASIDE * Math.abs(aside) : Infinity;
  };
  const best = points.reduce((a, b) => (cost(b) < cost(a) ? b : a));
  return cost(best) < Infinity ? best : undefined;
}

// Every point that answers to a pointer, and where it lies in the figure.
function pointsOf(plot) {
  const panels = new Map(panelsOf(plot).map((panel) => [panel.id, panel]));
  return (plot._fullData ?? []).flatMap((trace) => {
    const panel = panels.get(trace.xaxis + trace.yaxis);
    const dots = trace.type === "scatter" && trace.mode?.includes("markers");
    if (!panel || trace.visible !== true || trace.hoverinfo === "skip") return [];
    if (trace.type === "heatmap") return cellsOf(trace, panel);
    return dots ? dotsOf(trace, panel) : [];
  }).filter(({ left, top }) => Number.isFinite(left) && Number.isFinite(top));
}

function placed({ id, xa, ya }, x, y) {
  return { x, y, subplot: id, left: xa._offset + xa.d2p(x), top: ya._offset + ya.d2p(y) };
}

function cellsOf(trace, panel) {
  const columns = placesOf(trace, "x");
  return placesOf(trace, "y").flatMap((high, row) => columns.map((wide, column) => ({
    ...placed(panel, wide, high),
    z: trace.z[row][column],
    curveNumber: trace.index,
    pointNumber: [row, column],
    cell: true,
  })));
}

function dotsOf({ index, x, y }, panel) {
  return Array.from(x, (wide, at) => ({
    ...placed(panel, wide, y[at]),
    curveNumber: index,
    pointNumber: at,
  }));
}
