// How a chain's numbers and formulas are written. A formula is a text in which _x, _{xy} is an index
// and ^2 a power; `typeset` makes nodes of it.

import { TINY } from "./chain.js";

const MINUS = "\u2212", LIMIT = `10^{${MINUS}300}`;

// Three digits: 0.723, −12.5, 4.12·10^{−5}; fewer where they are the whole number: 1.2. What is too
// small to be held is not 0, and written as what it is below.
export function number(value) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  const digits = Math.abs(value);
  if (digits > 0 && digits < TINY) return value > 0 ? `<${LIMIT}` : `>${MINUS}${LIMIT}`;
  if (digits !== 0 && (digits < 0.001 || digits >= 10000)) {
    return withPower(value, 2);
  }
  if (digits >= 999.5) return signed(String(Math.round(value)));
  const rounded = value.toPrecision(3);
  return signed(Number(rounded) === value ? String(value) : rounded);
}

// Whether it is written with a power of ten, which is long.
export const isPower = (value) => value !== null && number(value).includes("^");

// Two digits, where a power of ten takes the room of the third.
export function brief(value) {
  return isPower(value) && Math.abs(value) >= TINY ? withPower(value, 1) : number(value);
}

function withPower(value, decimals) {
  const [head, power] = value.toExponential(decimals).split("e");
  return signed(`${head}·10^{${signed(String(Number(power)))}}`);
}

// A value within ±1 of which `rest` is left to ±1: where three digits would not tell it from ±1, it
// is written as what is left of it: 1 − 7.69·10^{−19}.
export function near(value, rest) {
  if (!(rest >= TINY && rest < 0.0005)) return number(value);
  return value < 0 ? `${MINUS}1 + ${number(rest)}` : `1 ${MINUS} ${number(rest)}`;
}

// A number as a factor or under a power: a negative one in brackets.
export const factor = (value) => (value < 0 || /10\^/.test(number(value)) ? `(${number(value)})` : number(value));

export const product = (...values) => values.map((v) => (typeof v === "number" ? factor(v) : v)).join("·");

// Terms, each a text or a number, with + or −.
export function sum(terms) {
  const written = terms.map((term) => (typeof term === "number" ? number(term) : term));
  return written.map((term, k) => {
    if (k === 0) return term;
    return term.startsWith(MINUS) ? ` ${MINUS} ${term.slice(1)}` : ` + ${term}`;
  }).join("");
}

export function fill(text, values = {}) {
  return text.replace(/\[\[(\w+)\]\]/g, (_, name) => values[name]);
}

const MARK = /([_^])(?:\{([^}]*)\}|(\w))/g;

// Nodes of HTML, or with `tspan` of a drawing.
export function typeset(text, make = html) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(MARK)) {
    nodes.push(text.slice(last, match.index), make(match[1] === "_" ? "sub" : "sup", match[2] ?? match[3]));
    last = match.index + match[0].length;
  }
  return [...nodes, text.slice(last)].filter((node) => node !== "");
}

function html(name, text) {
  return element(name, {}, text);
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function signed(text) {
  return text.replace("-", MINUS);
}
