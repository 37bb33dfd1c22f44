// A figure's values as a short table, made when it is asked for, and anew with the figure as long as
// it is open. Escape closes it, and the focus is where it was.

import { panelsOf } from "./marks.js";
import { element, placesOf } from "./plotting.js";

const ROWS = 12;

export const ICON = {
  width: 24,
  height: 24,
  path: "M3 4h18v16H3zM5 9v4h6v-4zM13 9v4h6v-4zM5 15v3h6v-3zM13 15v3h6v-3z",
};

export class Values {
  constructor(chart) {
    this.chart = chart;
    this.panel = element("div", "rnnviz-values");
    this.panel.hidden = true;
    this.panel.tabIndex = 0;
    this.panel.setAttribute("role", "region");
    chart.box.append(this.panel);
    chart.box.addEventListener("keydown", (event) => this.pressed(event));
  }

  toggle() {
    if (!this.panel.hidden) return this.close();
    this.before = document.activeElement;
    this.panel.hidden = false;
    this.write();
    this.panel.focus();
  }

  close() {
    this.panel.hidden = true;
    this.before?.focus();
  }

  pressed(event) {
    if (event.key !== "Escape" || this.panel.hidden) return;
    event.preventDefault();
    this.close();
  }

  // After the figure was drawn.
  follow() {
    if (!this.panel.hidden) this.write();
  }

  write() {
    const { plot, options } = this.chart;
    this.panel.setAttribute("aria-label", `${options.words.values}: ${options.alt}`);
    const found = tables(plot, options.words).map(drawTable);
    this.panel.replaceChildren(...(found.length ? found : [options.words.nothing]));
  }
}

function drawTable({ caption, head, rows }) {
  const table = document.createElement("table");
  if (caption) table.createCaption().textContent = caption;
  const row = (section, tag, cells) => {
    const made = section.insertRow();
    made.append(...cells.map((cell, at) => {
      const made = document.createElement(at ? tag : "th");
      made.textContent = typeof cell === "number" ? written(cell) : cell;
      if (made.tagName === "TH") made.scope = tag === "th" ? "col" : "row";
      return made;
    }));
  };
  row(table.createTHead(), "th", head);
  const body = table.createTBody();
  for (const cells of rows) row(body, "td", cells);
  return table;
}

function written(number) {
  if (!Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  const far = size !== 0 && (size < 1e-3 || size >= 1e6);
  return (far ? number.toExponential(2) : String(Number(number.toPrecision(4)))).replace(/-/g, "−");
}

// Series over the same quantity share a table of a dozen of its values. Dots in the plane have no
// order: of each group how many there are, and from where to where.
//
// Where a trace stands elsewhere than at its numbers, its meta has them: `of` in place of x, `values`
// in place of y or of a map's medians, `says` in words what all of it is, `rows` the names of a map's
// rows, each a series of its own, `note` what the numbers are, `across` what a map's columns are, and
// of a map `digits`, its decimals, `decade`, a power of ten, and `pooled`, how values share a cell.
export function tables(plot, words) {
  const all = shownTraces(plot).map((shown) => ({ ...shown, note: noteOf(shown, words) }));
  const lines = grouped(all.filter(({ trace }) => !isCloud(trace)));
  const clouds = grouped(all.filter(({ trace }) => isCloud(trace)));
  return [
    ...lines.map((group) => ofSeries(group[0], group.flatMap((shown) => seriesOf(shown, plot, words)))),
    ...clouds.map((group) => ofClouds(group, words)),
  ];
}

function noteOf({ trace: { type, meta }, yTitle }, words) {
  if (meta?.note !== undefined || type !== "heatmap") return meta?.note ?? yTitle;
  return [words.median.replace("[[rows]]", yTitle), meta?.pooled].filter(Boolean).join(", ");
}

function grouped(all) {
  const groups = new Map();
  for (const shown of all) {
    const key = JSON.stringify([shown.xTitle, shown.note]);
    groups.set(key, [...(groups.get(key) ?? []), shown]);
  }
  return [...groups.values()];
}

function seriesOf({ trace, name, xa }, plot, words) {
  const { of, values, says, rows } = trace.meta ?? {};
  const x = of ?? placesOf(trace, "x");
  const one = { name, x, hover: hoverWords(trace), ticks: of ? new Map() : ticksOf(xa), exact: says !== undefined };
  if (rows) return rows.map((row, at) => ({ ...one, name: row, y: trace.z[at] }));
  if (says !== undefined) return [{ ...one, y: Array.from(trace.y, (each) => (Number.isFinite(each) ? plain(says) : null)) }];
  if (values || trace.type !== "heatmap") return [{ ...one, y: values ?? trace.y }];
  const found = medians(trace, x.length, kindsBelow(plot, trace), words.zero);
  return [{ ...one, y: found.map((y) => rounded(y, trace.meta ?? {})) }];
}

// With as many decimals as the map has.
function rounded(y, { digits, decade }) {
  if (!Number.isFinite(y) || digits === undefined) return y;
  return y.toFixed(digits).replace(/-/g, "−") + (decade ? ` · 10^${decade}`.replace(/-/g, "−") : "");
}

// A single mark is a series of one value.
function isCloud({ type, mode, y }) {
  return type === "scatter" && !mode.includes("lines") && y.length > 1;
}

// Traces that mean something, each with the name of what it shows.
function shownTraces(plot) {
  const panels = new Map(panelsOf(plot).map((panel) => [panel.id, panel]));
  return (plot._fullData ?? []).flatMap((trace) => {
    const panel = panels.get(trace.xaxis + trace.yaxis);
    const unseen = trace.visible !== true || trace.opacity === 0;
    if (!panel || unseen || !(trace.z ?? trace.y)?.length || isUnderlay(trace)) return [];
    const place = panels.size > 1 ? panelTitle(plot, panel) : "";
    const own = plain(trace._input.name);
    const both = bare(own).startsWith(bare(place)) ? own : [place, own].filter(Boolean).join(" · ");
    const name = bare(place).startsWith(bare(own)) ? place : both;
    const titles = ["xa", "ya"].map((which) => {
      const beside = [...panels.values()].filter((each) => near(each[which].domain, panel[which].domain));
      return [panel, ...beside].map((each) => titleOf(plot, each[which])).find(Boolean) ?? "";
    });
    titles[0] ||= trace.meta?.across ?? "";
    return [{ trace, name: name || titles[1], xTitle: titles[0], yTitle: titles[1], xa: panel.xa }];
  });
}

// A map of what kind a cell is, below the map of its values; marks and shades that say nothing of
// themselves.
function isUnderlay({ type, coloraxis, mode, hoverinfo, fill }) {
  if (type === "heatmap") return !coloraxis;
  if (fill === "toself" && hoverinfo === "skip") return true;
  return ["text", "none"].includes(mode) || (mode === "markers" && hoverinfo === "skip");
}

function plain(text) {
  return (text ?? "").replace(/<br>|&nbsp;/g, " ").replace(/<sup>(.*?)<\/sup>/g, power)
    .replace(/<.*?>/g, "").replace(/ +/g, " ").trim();
}

const power = (_, of) => (/^[−-]?[\p{L}\d.…]+$/u.test(of) ? `^${of}` : `^(${of})`);

// A name of several words may be set in another way in a headline.
const bare = (name) => name.replace(/[\s,·_]/g, "");

// Panels that share a row or a column may share its title.
const near = ([low, high], [least, most]) => Math.abs(low - least) + Math.abs(high - most) < 0.01;

// What the figure says itself; plotly.js would make a title up.
function titleOf({ layout }, axis) {
  return plain(layout[axis._name]?.title?.text);
}

// Places with a name: numbers alone would not say what they stand for.
function ticksOf({ tickmode, tickvals, ticktext }) {
  const named = tickmode === "array" && ticktext ? [...tickvals] : [];
  return new Map(named.map((x, at) => [Math.fround(x), plain(ticktext[at])]));
}

// What a trace says of a point, without the numbers: tells apart what has the same name.
function hoverWords({ hovertemplate }) {
  return plain((hovertemplate ?? "").replace(/<extra>.*/, "").replace(/%\{.*?\}/g, "…"));
}

// What is bold at the beginning of the headline at the upper left corner of a panel: its name. A
// legend begins otherwise.
function panelTitle(plot, { xa, ya }) {
  const near = (a, b) => Math.abs(a - b) < 0.02;
  const found = (plot._fullLayout.annotations ?? []).find((note) => note.xref === "paper"
    && note.yref === "paper" && near(note.x, xa.domain[0]) && near(note.y, ya.domain[1]));
  return plain(found?.text.match(/^<b>(.*?)<\/b>/)?.[1]);
}

// What a map's cells without a number are: the map below it that says so.
function kindsBelow({ _fullData: all }, { xaxis, yaxis }) {
  return all.find((each) => each.meta?.zeros && each.xaxis === xaxis && each.yaxis === yaxis);
}

// Of each column of a map. Its values are magnitudes' log10 wherever there are zeros.
function medians({ z }, columns, below, zero) {
  return Array.from({ length: columns }, (_, column) => {
    const known = Array.from(z, (row, at) =>
      (Number.isFinite(row[column]) ? row[column] : withoutNumber(below, at, column)));
    const middle = median(known.filter((value) => value !== null));
    return middle === -Infinity ? zero : middle;
  });
}

// Below every number, or unknown; null where there is nothing. One wide cell may stand for many.
function withoutNumber(below, row, column) {
  if (!below) return null;
  const { z, meta } = below, cells = z[Math.min(row, z.length - 1)];
  const kind = cells[Math.min(column, cells.length - 1)];
  if (meta.zeros.includes(kind)) return -Infinity;
  return meta.unknown.includes(kind) ? NaN : null;
}

function median(values) {
  if (!values.length || values.some(Number.isNaN)) return NaN;
  const sorted = values.sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function ofSeries({ xTitle, note }, series) {
  const all = [...new Set(series.flatMap(({ x }) => x))].filter((x) => x !== null); // a gap
  const nameOf = (x) => series[0].ticks.get(Math.fround(x));
  const named = all.filter(nameOf);
  const places = named.length > 1 ? named : all;
  if (places.some(Number.isFinite)) places.sort((a, b) => order(a) - order(b));
  const last = places.length - 1;
  const count = Math.min(ROWS, places.length);
  const spread = Array.from({ length: count }, (_, at) =>
    places[Math.round((at * last) / Math.max(1, count - 1))]);
  const marks = series.filter(({ x }) => x.length === 1).map(({ x: [place] }) => place);
  const chosen = places.filter((x) => spread.includes(x) || marks.includes(x));
  const said = series.filter((one) => chosen.some((x) => !Number.isNaN(valueAt(one, x))));
  if (said.length && said.length < series.length) return ofSeries({ xTitle, note }, said);
  const rows = chosen.map((x) => [nameOf(x) ?? x, ...series.map((one) => valueAt(one, x))]);
  const once = ({ name }) => series.filter((one) => one.name === name).length === 1;
  const heads = series.map((one) => (once(one) || !one.hover ? one.name : one.hover));
  return { caption: note, head: [xTitle, ...heads], rows };
}

// Numbers by size; what is said in words after them.
const order = (place) => (Number.isFinite(place) ? place : Number.MAX_VALUE);

// The value at x, or at the nearest place within the series.
function valueAt({ x, y, exact }, place) {
  let at = x.indexOf(place);
  if (at < 0 && !exact && Number.isFinite(place)) {
    const known = x.filter(Number.isFinite), far = x.map((each) => Math.abs((each ?? NaN) - place));
    if (place > Math.max(...known) || place < Math.min(...known)) return NaN;
    at = far.indexOf(Math.min(...far.filter(Number.isFinite)));
  }
  return typeof y[at] === "string" ? y[at] : Number(y[at] ?? NaN);
}

// What is said in words is counted.
function span(values, to) {
  const known = values.filter(Number.isFinite), said = values.filter((each) => typeof each === "string");
  const parts = known.length ? [`${written(Math.min(...known))} ${to} ${written(Math.max(...known))}`] : [];
  for (const word of new Set(said)) parts.push(`${said.filter((each) => each === word).length} × ${word}`);
  return parts.join(", ") || "–";
}

function ofClouds(clouds, { dots, to }) {
  const [{ xTitle, note }] = clouds;
  const rows = clouds.map(({ trace, name }) => {
    const { of, values, says } = trace.meta ?? {};
    const x = of ?? placesOf(trace, "x"), y = Array.from(values ?? trace.y);
    const there = y.map((each) => typeof each === "string" || Number.isFinite(each));
    const shown = (all) => all.filter((_, at) => there[at]);
    return [name, shown(y).length, span(shown(x), to), says ?? span(shown(y), to)];
  }).filter(([, count]) => count > 0);
  return { caption: "", head: ["", dots, xTitle || "x", note || "y"], rows };
}
