// A number that is typed, dragged or stepped by arrow keys; the panel of a chain's parameters.

import { CELLS } from "./chain.js";
import { brief, element, fill, isPower, typeset } from "./chain_text.js";

const DRAG = 0.02; // of a number a pixel
const STILL = 4; // pixels that are no drag yet
const STEP = 0.1;

// An <input> for a number of at most `most` in size. What is no such number is marked, and not told.
export function numberInput(label, most, tell) {
  const input = element("input", { type: "number", step: STEP, min: -most, max: most, "aria-label": label, title: label });
  const read = () => (input.value === "" ? NaN : Number(input.value));
  const allowed = (value) => Number.isFinite(value) && Math.abs(value) <= most;
  input.addEventListener("input", () => {
    const value = read();
    input.setAttribute("aria-invalid", String(!allowed(value)));
    if (allowed(value)) tell(value);
  });
  input.addEventListener("blur", () => {
    if (input.ariaInvalid === "true") input.value = input.dataset.value;
    input.setAttribute("aria-invalid", "false");
  });
  draggable(input, (value) => {
    show(input, Math.min(most, Math.max(-most, value)));
    tell(Number(input.value));
  });
  return input;
}

// What the page has; an input that is typed in keeps what is typed, if that says the same.
export function show(input, value) {
  if (input.value === "" || Number(input.value) !== value) input.value = value;
  input.dataset.value = value;
}

function draggable(input, move) {
  let from = null;
  input.addEventListener("pointerdown", ({ button, clientX }) => {
    if (button === 0) from = { x: clientX, value: Number(input.value), moves: false };
  });
  input.addEventListener("pointermove", (event) => {
    if (!from) return;
    const by = event.clientX - from.x;
    if (!from.moves && Math.abs(by) < STILL) return;
    if (!from.moves) input.setPointerCapture(event.pointerId);
    from.moves = true;
    event.preventDefault();
    move(Math.round((from.value + DRAG * by) * 100) / 100);
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
    input.addEventListener(type, () => { from = null; });
  }
}

// The table of weights and biases, a row a gate and unit. edit(name, place, value) is called for each
// change. `update` writes the values, and ∂L/∂ of each below it once the error has arrived.
export class Parameters {
  constructor(chain, { words, most }, edit) {
    this.fields = [];
    this.box = element("div", { class: "parameters" });
    const H = chain.units, reset = chain.cell === "gru";
    const heads = ["", "x_t", ...each(H, (j) => (H > 1 ? `h_{t−1,${j + 1}}` : "h_{t−1}")), "b", ...(reset ? ["b_{hn}"] : [])];
    this.box.style.setProperty("--columns", heads.length - 1);
    this.box.append(...heads.map((head) => element("span", { class: "head" }, ...typeset(head))));
    CELLS[chain.cell].gates.forEach((gate, k) => each(H, (i) => {
      const row = k * H + i, name = rowName(chain, gate, i);
      this.box.append(element("span", { class: "head" }, ...typeset(name)));
      const field = (parameter, place, label) => this.field(parameter, place, fill(words.parameter, { name: label }), most, edit);
      field("W_xh", row, `W_x${gate}`);
      each(H, (j) => field("W_hh", row * H + j, `W_h${gate} ${i + 1},${j + 1}`));
      field("b_h", row, `b_${gate} ${i + 1}`);
      if (reset && gate === "n") field("b_hn", i, `b_hn ${i + 1}`);
      else if (reset) this.box.append(element("span"));
    }));
  }

  field(name, place, label, most, edit) {
    const input = numberInput(label, most, (value) => edit(name, place, value));
    const gradient = element("small");
    this.fields.push({ name, place, input, gradient });
    this.box.append(element("div", {}, input, gradient));
  }

  update(chain, grads, arrived) {
    for (const { name, place, input, gradient } of this.fields) {
      show(input, chain[name][place]);
      gradient.classList.toggle("power", Boolean(arrived) && isPower(grads[name][place]));
      gradient.replaceChildren(...(arrived ? typeset(brief(grads[name][place])) : ["\u00a0"]));
    }
  }
}

function rowName({ cell, units }, gate, i) {
  return `a_{${[cell === "rnn" ? "t" : gate, ...(units > 1 ? [i + 1] : [])].join()}}`;
}

function each(count, make) {
  return Array.from({ length: count }, (_, k) => make(k));
}

// A list to choose from.
export function select(label, options, tell) {
  const box = element("select", { "aria-label": label });
  box.append(...options.map(([value, text]) => element("option", { value }, text)));
  box.addEventListener("change", () => tell(box.value));
  return { label: element("label", {}, element("span", {}, label), box), box };
}
