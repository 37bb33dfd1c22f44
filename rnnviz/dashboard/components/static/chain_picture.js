// A chain as a drawing: states in columns, what goes forward as thin arrows, the error on its way
// back as arrows as thick as it is large (linear; the thickest is the largest error).

import { arrow, HEADS, part } from "./arrow.js";
import { size } from "./chain.js";
import { isPower, number, typeset } from "./chain_text.js";

const HAIR = 0.8; // of less an arrow is a dashed line
const ROOMY = 1.35; // the scale where there is one row of states and room for it
const COLUMN = 100; // pixels of a column that has room for everything at scale 1

// Heights and widths in pixels.
const SIZES = { row: 20, pill: 62, lane: 15, between: 98, thickest: 26, head: 13, lift: 9, above: 26, below: 56, kept: 38, aside: 52, note: 4.5 };

// Where everything stands, for a drawing of this width.
export function layout(chain, width) {
  const hasC = chain.cell === "lstm", column = width / (chain.inputs.length + 2);
  const scale = Math.min(hasC ? 1 : ROOMY, column / COLUMN);
  const sized = Object.fromEntries(Object.entries(SIZES).map(([name, pixels]) => [name, scale * pixels]));
  const tall = sized.row * chain.units + 8, { pill } = sized, top = sized.above + tall / 2;
  const apart = hasC ? sized.between + sized.row * (chain.units - 1) : chain.cell === "gru" ? sized.aside : 0;
  const h = top + apart, height = h + tall / 2 + sized.below;
  return { ...sized, scale, width, tall, pill, c: hasC ? top : null, h, height, at: (t) => (t + 0.5) * column };
}

// Draw everything up to a stage into an <svg>. A part that stands for a stage has it in data-stage.
export function drawChain(svg, chain, run, stage, width) {
  const where = layout(chain, width), largest = largestError(run);
  const thick = (error) => (largest > 0 ? (where.thickest * error) / largest : 0);
  const scene = { where, chain, run, stage, thick };
  svg.setAttribute("viewBox", `0 0 ${width} ${where.height}`);
  svg.setAttribute("height", where.height);
  svg.style.setProperty("--scale", where.scale);
  svg.replaceChildren(tip(), ...forwardArrows(scene), ...errors(scene), ...states(scene), ...lossBox(scene));
}

// The largest of all errors that are drawn, shown yet or not: arrows do not change while one steps.
function largestError(run) {
  const all = [size(run.e)];
  for (let t = 1; t < run.T; t += 1) all.push(...lanes(run, t).map(({ error }) => error));
  return Math.max(...all.filter(Number.isFinite));
}

// The ways from step t + 1 to step t, each with the size of the error on it.
function lanes(run, t) {
  const past = run.back[t + 1], through = Object.values(past.paths).reduce((a, b) => a.map((x, k) => x + b[k]));
  const ways = [{ way: "gates", error: size(through) }];
  if (run.c) ways.push({ way: "carry", error: size(past.carry) }, { way: "entering", error: size(past.entering) });
  else if (past.carry.some((each) => each !== 0)) ways.push({ way: "carry", error: size(past.carry) });
  return ways;
}

const backAt = (run, t) => 2 * run.T + 1 - t; // the stage at which the error reaches step t

function forwardArrows({ where, chain, run, stage }) {
  const drawn = [], { at, pill, tall, lift } = where;
  for (let t = 1; t <= run.T; t += 1) {
    const seen = stage >= t ? "" : " later";
    for (const y of [where.c, where.h].filter((row) => row !== null)) {
      drawn.push(thin(at(t - 1) + pill / 2, y - lift, at(t) - pill / 2 - 2, y - lift, seen));
    }
    drawn.push(thin(at(t), where.height, at(t), where.h + tall / 2 + 2, seen));
    if (where.c !== null) drawn.push(thin(at(t) - 12, where.c + tall / 2, at(t) - 12, where.h - tall / 2 - 2, seen));
  }
  const end = at(run.T + 1), seen = stage > run.T ? "" : " later";
  drawn.push(thin(at(run.T) + pill / 2, where.h - lift, end - pill / 2 - 2, where.h - lift, seen));
  drawn.push(thin(end, where.height, end, where.h + 16, seen));
  return drawn;
}

function errors(scene) {
  const { where, run, stage, thick } = scene, { at, pill, tall } = where, drawn = [];
  if (stage > run.T) {
    const from = at(run.T + 1) - pill / 2, to = at(run.T) + pill / 2;
    drawn.push(...errorArrow(scene, "loss", size(run.e), [from, to, where.h + where.lane], run.T + 1));
  }
  for (let t = run.T - 1; t >= 1; t -= 1) {
    if (stage < backAt(run, t)) continue;
    const from = at(t + 1) - pill / 2, to = at(t) + pill / 2;
    for (const { way, error } of lanes(run, t)) {
      if (way === "gates") drawn.push(...errorArrow(scene, way, error, [from, to, where.h + where.lane], backAt(run, t)));
      else if (way === "entering") drawn.push(upward(where, thick(error), at(t + 1) + 14, where.h - tall / 2, where.c + tall / 2));
      else if (where.c !== null) drawn.push(...errorArrow(scene, way, error, [from, to, where.c + where.lane], backAt(run, t)));
      else drawn.push(...errorArrow(scene, way, error, [at(t + 1) - 6, at(t) + 6, where.h - tall / 2 - where.kept], backAt(run, t), -1));
    }
  }
  return drawn;
}

// From right to left, with its size below it (side 1) or above it (side −1).
function errorArrow({ thick, stage, where }, way, error, [from, to, y], since, side = 1) {
  const width = thick(error), label = y + side * (HEADS * where.thickest + (side > 0 ? 3.5 : 1) * where.note);
  const body = width < HAIR
    ? part("line", { x1: from, y1: y, x2: to, y2: y, class: `hair ${way}` })
    : part("path", { class: `error ${way}`, d: arrow(from, to, y, width, where.head) });
  body.dataset.error = error;
  body.dataset.stage = since;
  const now = since === stage ? " now" : "";
  return [body, part("text", { x: (from + to) / 2, y: label, class: `size${now}` }, ...typeset(number(error), index))];
}

// Into the cell state: from h_t up to c_t.
function upward({ head: most }, width, x, from, to) {
  if (width < HAIR) return part("line", { x1: x, y1: from, x2: x, y2: to, class: "hair gates" });
  const half = width / 2, wide = Math.max(HEADS * width, 4), head = Math.min(most, (from - to) / 2);
  return part("path", { class: "error gates",
    d: `M${x - half} ${from}V${to + head}H${x - wide}L${x} ${to}L${x + wide} ${to + head}H${x + half}V${from}Z` });
}

function states({ where, run, stage }) {
  const drawn = [];
  for (let t = 0; t <= run.T; t += 1) {
    for (const [name, y, values] of [["h", where.h, run.h], ["c", where.c, run.c]]) {
      if (y === null) continue;
      const seen = stage >= t, now = stage === t || stage === backAt(run, t);
      drawn.push(...pillAt(where, t, y, `${name}_${t}`, seen ? values[t] : null, now, t));
    }
  }
  return drawn;
}

function lossBox({ where, run, stage }) {
  const seen = stage > run.T, values = seen ? [run.loss] : null;
  return pillAt({ ...where, tall: where.row + 8 }, run.T + 1, where.h, "L", values, stage === run.T + 1, run.T + 1, "loss");
}

function pillAt({ at, pill, tall, row, note }, t, y, name, values, now, stage, kind = "state") {
  const x = at(t), later = values === null ? " later" : "", top = y - tall / 2;
  const box = part("rect", { x: x - pill / 2, y: top, width: pill, height: tall, rx: kind === "loss" ? 3 : 13,
    class: `${kind}${later}${now ? " now" : ""}` });
  const lines = (values ?? [null]).map((value, k) => part("text", {
    x, y: top + 4 + row * (k + 0.5) + note, class: `value${isPower(value) ? " power" : ""}` }, ...(value === null ? ["·"] : typeset(number(value), index))));
  const title = part("text", { x: x - pill / 2 + 5, y: top - 5, class: "name" }, ...typeset(name, index));
  const group = part("g", { class: "step" }, box, ...lines, title);
  group.dataset.stage = stage;
  return [group];
}

function thin(x1, y1, x2, y2, seen) {
  return part("line", { x1, y1, x2, y2, class: `forward${seen}`, "marker-end": "url(#tip)" });
}

// The tip of the thin arrows.
function tip() {
  const marker = part("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    part("path", { d: "M0 0L8 4L0 8Z", class: "tip" }));
  return part("defs", {}, marker);
}

function index(name, text) {
  return part("tspan", { class: name, dy: name === "sub" ? 4 : -5 }, text);
}
