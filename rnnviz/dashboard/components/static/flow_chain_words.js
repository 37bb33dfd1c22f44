// What a chain says of the step that brought the error to a node.

import { element } from "./plotting.js";

const MINUS = "\u2212";
const KNOWN = ["below", "above", "lost"]; // and those of a number
const SILENT = ["zero", "rounded", "infinite", "nan", "not_recorded"]; // marks that leave no factor

// Nodes: the step's factor, what it is made of, what is left of the error by now.
export function say(data, node, shade) {
  const { words, steps, marks } = data, step = steps[node];
  if (node > data.start) return fill(words.not_yet, { step, start: steps[data.start] });
  if (SILENT.includes(marks[node]) && data.decades[node] === null) return fill(words[marks[node]], { step });
  if (node === data.start) return fill(words.begins, { step });
  if (data.change[node] === null) return fill(words.no_factor, { step });
  const found = data.parts.filter(({ values }) => values[node] !== null && seen(values[node], data.kind));
  const count = data.refilled[node], made = count ? "_refilled" : found.length ? `_${data.kind}` : "";
  const told = fill(words[`said${data.each > 1 ? "_mean" : ""}${made}`], {
    count,
    before: steps[node + 1],
    after: step,
    factor: strong(times(data.change[node])),
    parts: listed(found, node, data.kind, shade),
    so_far: times(data.decades[node]),
  });
  const also = [...KNOWN.filter((name) => name === marks[node]), data.missing].filter(Boolean);
  const more = also.map((name) => words[name]);
  return more.reduce((before, after) => fill(words.sentences, { before, after: [after] }), told);
}

// A share of 0.00 is not listed; it has no bar that one sees either.
const seen = (value, kind) => kind !== "shares" || Math.abs(value) >= 0.005;

// As one reads it aloud: powers are written 10^−3.2.
export function plain(nodes) {
  return nodes.map((node) => (typeof node === "string" ? node : node.spoken ?? node.textContent)).join("");
}

function listed(parts, node, kind, shade) {
  return parts.flatMap(({ name, key, colour, values }, k) => {
    const value = kind === "shares" ? share(values[node]) : times(values[node]);
    const mark = element("span", "mark"), whole = document.createElement("i");
    mark.textContent = "■";
    mark.style.color = shade(colour);
    mark.setAttribute("aria-hidden", "true");
    whole.dataset.part = key;
    whole.append(mark, `\u00a0${name} `, ...nodesOf(value));
    whole.spoken = `${name} ${value}`;
    return k ? [" · ", whole] : [whole];
  });
}

function strong(value) {
  const made = document.createElement("b");
  made.append(...nodesOf(value));
  made.spoken = value;
  return made;
}

// A text with its [[values]], each a text, a node, or several.
function fill(text, values) {
  return text.split(/\[\[(\w+)\]\]/).flatMap((piece, k) => {
    if (k % 2 === 0) return piece ? [piece] : [];
    const value = values[piece];
    if (Array.isArray(value)) return value;
    return typeof value === "string" ? power(value) : [value instanceof Node ? value : String(value)];
  });
}

function power(value) {
  const made = document.createElement("span");
  made.append(...nodesOf(value));
  made.spoken = value;
  return [made];
}

function nodesOf(value) {
  const [head, exponent] = value.split("^");
  if (exponent === undefined) return [head];
  const above = document.createElement("sup");
  above.textContent = exponent;
  return [head, above];
}

// ×0.57, ×0.014, ×10^−3.2, as wording/numbers.py writes a factor.
export function times(log10) {
  const value = 10 ** log10;
  if (value >= 0.1 && value < 10) return `×${value.toFixed(2)}`;
  if (log10 < -3 || log10 >= 3) return `×10^${minus(log10.toFixed(1).replace(/\.0$/, ""))}`;
  const digits = Math.max(0, 1 - Math.floor(Math.log10(value)));
  return `×${value >= 100 ? Math.round(value / 10) * 10 : trimmed(value.toFixed(Math.min(digits, 20)))}`;
}

function share(value) {
  return minus(value.toFixed(2));
}

const minus = (text) => text.replace("-", MINUS);
const trimmed = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

// A name in the room of so many Latin letters, a Chinese character having that of two; with … in the
// middle where it has more, for names that begin alike differ at their ends.
export function shortened(name, most) {
  const letters = Array.from(name), room = Math.max(0, most - 1);
  if (roomOf(letters) <= most) return name;
  const end = letters.slice();
  while (roomOf(end) > room / 2) end.shift();
  while (roomOf(letters) > room - roomOf(end)) letters.pop();
  return `${letters.join("").trimEnd()}…${end.join("").trimStart()}`;
}

const roomOf = (letters) => letters.reduce((sum, letter) => sum + (/[\u2e80-\ufaff\ufe30-\ufe4f\uff00-\uff60]/.test(letter) ? 2 : 1), 0);
