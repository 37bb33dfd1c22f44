// What a figure shows while a knob moves, on a canvas over the figure that plotly.js drew last, whose
// axes, grid and zoom it keeps: plotly.js takes 30 to 60 ms for a chart, this 1 to 3. `show` says no
// to what it cannot draw as plotly.js would.

import { cells, maps } from "./layer_maps.js";
import { bars, line, marks, shape } from "./layer_pens.js";
import { place } from "./layer_words.js";
import { element } from "./plotting.js";
import { roomyNotes } from "./room.js";

// The layer stands on what plotly.js keeps of a figure, and hides its groups by their names.
const TESTED = ["4.1.1"];
const AXIS = /^[xy]axis\d*$/;
const SAME = ["tickvals", "ticktext", "domain", "type"];

export class Layer {
  constructor(chart) {
    this.chart = chart;
    this.box = element("div", "rnnviz-layer");
    this.canvas = document.createElement("canvas");
    this.words = element("div", "rnnviz-layer-words");
    this.box.append(this.canvas, this.words);
    chart.plot.after(this.box);
    this.on = false;
  }

  // Draws the figure, or says that it cannot. drawn: the figure that plotly.js drew last.
  show({ data, layout }, drawn, version) {
    const full = this.chart.plot._fullLayout;
    if (!full || !TESTED.includes(version)) return false;
    if (!data.every(drawable) || !fits({ data, layout }, drawn, full)) return false;
    const pen = this.clean(full);
    const shapes = layout.shapes ?? [];
    for (const each of shapes) if (each.layer === "below") shape(pen, each, full);
    for (const trace of data) if (maps(trace)) cells(pen, trace, full);
    bars(pen, data, layout, full);
    for (const trace of data) if (lines(trace)) line(pen, trace, full);
    for (const trace of data) if (dots(trace)) marks(pen, trace, full);
    for (const each of shapes) if (each.layer !== "below") shape(pen, each, full);
    const within = { ...drawn.layout, ...layout, margin: full.margin };
    this.say(roomyNotes(within, full.width, full.height, full.font.family), full);
    this.chart.box.classList.add("live");
    this.on = true;
    return true;
  }

  hide() {
    this.on = false;
    this.chart.box.classList.remove("live");
  }

  clean({ width, height }) {
    const { canvas } = this, ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  }

  // Texts that are the same stay where they are.
  say(notes, full) {
    const spans = this.words.children;
    while (spans.length > notes.length) spans[notes.length].remove();
    notes.forEach((note, at) => {
      const span = spans[at] ?? this.words.appendChild(document.createElement("span"));
      const signature = JSON.stringify([note, full.width, full.height]);
      if (span.signature !== signature) place(span, note, full);
      span.signature = signature;
    });
  }
}

const unseen = ({ opacity, visible }) => opacity === 0 || visible === false;
const lines = (trace) => !maps(trace) && trace.type !== "bar" && !unseen(trace) && trace.mode.includes("lines");
const dots = (trace) => !maps(trace) && trace.type !== "bar" && !unseen(trace) && trace.mode.includes("markers");

function drawable(trace) {
  if (unseen(trace) || maps(trace)) return true;
  if (trace.type === "bar") return true;
  if (trace.type && trace.type !== "scatter") return false;
  if (!/^(lines|markers|lines\+markers)$/.test(trace.mode ?? "")) return false;
  const plain = !trace.fill && (trace.line?.shape ?? "linear") === "linear";
  return plain && (!trace.mode.includes("markers") || (trace.marker?.symbol ?? "circle") === "circle");
}

// Whether the axes that are on the screen hold the figure: an axis may be wider than it must, or
// be what the reader has zoomed to.
function fits({ data, layout }, drawn, full) {
  const before = drawn.layout, axes = Object.keys(layout).filter((name) => AXIS.test(name));
  const same = (name) => JSON.stringify(layout[name]) === JSON.stringify(before[name]);
  if (!same("height") || !same("margin")) return false;
  if (axes.length !== Object.keys(before).filter((name) => AXIS.test(name)).length) return false;
  const asBefore = JSON.stringify(data.map(extent)) === JSON.stringify(drawn.data.map(extent));
  return axes.every((name) => fitsAxis(layout[name], before[name], name, full, asBefore))
    && fitsColours(layout, before);
}

function fitsAxis(mine, before, name, full, asBefore) {
  const axis = full[name];
  if (!before || !axis) return false;
  if (SAME.some((each) => JSON.stringify(mine[each]) !== JSON.stringify(before[each]))) return false;
  if (mine.title?.text !== before.title?.text) return false;
  if (full._preGUI?.[`${name}.range[0]`] !== undefined) return true; // the reader's
  if (!mine.range) return asBefore; // plotly.js chooses it
  const [low, high] = [...mine.range].sort((a, b) => a - b);
  const [least, most] = [...axis.range].sort((a, b) => a - b);
  const little = 1e-9 * (most - least);
  return low >= least - little && high <= most + little;
}

// What an axis without a range of its own goes by. Heights of lines and bars have one here.
function extent({ type, xaxis, yaxis, x, x0, dx, y, y0, dy, z, visible, opacity }) {
  const high = type === "heatmap" ? [y, y0, dy, z.shape ?? [z.length, z[0].length].join(", ")] : [];
  return [type, xaxis, yaxis, x, x0, dx, ...high, visible, opacity];
}

function fitsColours(layout, before) {
  return Object.keys(layout).filter((name) => name.startsWith("coloraxis")).every((name) =>
    ["cmin", "cmax"].every((end) => layout[name][end] === before[name]?.[end]));
}
