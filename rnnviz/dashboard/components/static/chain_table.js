// The numbers of a chain below its drawing, a column a step.

import { CELLS } from "./chain.js";
import { element, number, typeset } from "./chain_text.js";

const CLOSE = 6; // steps from which on columns are narrow

// Rows up to a stage: {name, what, values}; values[t] is a list of numbers, or none where there is
// nothing (yet). what: the definition's key.
export function rows(chain, run, stage) {
  const forward = (make) => run.steps.map((step, t) => (step && t <= stage ? make(step, t) : null));
  const arrived = (t) => t >= 1 && stage >= 2 * run.T + 1 - t;
  const backward = (make) => run.steps.map((_, t) => (arrived(t) ? make(t) : null));
  const gap = run.T > CLOSE ? "" : " ";
  const arrow = (from, to) => from.map((a, k) => `${number(a)}${gap}→${gap}${number(to[k])}`);
  const found = chain.cell === "rnn"
    ? [{ name: "a_t", what: "a", values: forward((step) => step.a.a) }]
    : CELLS[chain.cell].gates.map((gate) => ({
      name: `a_${gate} → ${gate}_t`, what: `gate_${gate}`, values: forward((step) => arrow(step.a[gate], step.gates[gate])) }));
  found.push({ name: { rnn: "φ′(a_t)", lstm: "tanh′(c_t)", gru: "tanh′(a_n)" }[chain.cell],
    what: "slope", values: forward((step) => step.slope) });
  found.push({ name: "∂L/∂h_t", what: "error", values: backward((t) => run.d_h[t]) });
  if (run.d_c) found.push({ name: "∂L/∂c_t", what: "d_c", values: backward((t) => run.d_c[t]) });
  const factorOf = chain.units > 1 || run.c ? "factor_of_size" : "factor";
  const stepped = (t) => (arrived(t - 1) && t > 1 ? [run.factors[t]] : null);
  found.push({ name: "factor", word: true, what: factorOf, values: run.steps.map((_, t) => stepped(t)) });
  found.push({ name: "product", word: true, what: "product", values: backward((t) => [run.products[t]]) });
  return found;
}

// The table, into a grid that has a first column for names and one behind the last step.
export function drawRows(grid, list, { words, definitions, now }) {
  grid.classList.toggle("close", list[0].values.length - 1 > CLOSE);
  grid.replaceChildren(...list.flatMap(({ name, word, what, values }) => [
    element("div", { class: "name", role: "rowheader" }, term(word ? [words[name]] : typeset(name), definitions[what])),
    ...values.slice(1).map((each, k) => cell(each, k + 1 === now)),
    element("div", { role: "cell" }),
  ]).reduce(grouped(list[0].values.length + 1), []));
}

// A row's cells in an element of its own, which has no box.
function grouped(width) {
  return (made, item, k) => {
    if (k % width === 0) made.push(element("div", { class: "row", role: "row" }));
    made.at(-1).append(item);
    return made;
  };
}

function cell(values, now) {
  const lines = (values ?? []).map((value) => element("span", {}, ...(typeof value === "number" ? typeset(number(value)) : typeset(value))));
  return element("div", { role: "cell", class: now ? "now" : null }, ...lines);
}

// A name with its definition, reached by pointer and Tab.
export function term(nodes, means) {
  if (!means) return element("span", {}, ...nodes);
  return element("dfn", { tabindex: "0", "aria-description": means }, ...nodes);
}
