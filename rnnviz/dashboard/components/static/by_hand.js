// By hand: a small cell, unrolled, every number of it; forward and back step by step. Needs nothing of
// a server: it is given its words and its chain, and tells what becomes of that.

import { part } from "./arrow.js";
import { CELLS, unroll, within } from "./chain.js";
import { formulas } from "./chain_formulas.js";
import { Parameters, numberInput, select, show } from "./chain_knobs.js";
import { drawChain } from "./chain_picture.js";
import { drawRows, rows, term } from "./chain_table.js";
import { element, fill, number, typeset } from "./chain_text.js";

const PLAY = 900; // ms a stage
const DENSE = 8; // formulas of which there is room for more where they are smaller
const KEYS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const PARAMETERS = ["W_xh", "W_hh", "b_h", "b_hn"];

export class ByHand {
  // given: {words, definitions, colours, defaults, steps, most, large}; tell(chain) after each change.
  constructor(root, given, tell) {
    Object.assign(this, { root, given, tell, words: given.words, own: new Map() });
    this.build();
    this.hear = (event) => this.pressed(event);
    document.addEventListener("keydown", this.hear);
    this.watch = new ResizeObserver(() => this.chain && this.draw());
    this.watch.observe(this.picture);
  }

  destroy() {
    this.pause();
    this.watch.disconnect();
    document.removeEventListener("keydown", this.hear);
  }

  // Another chain, from outside.
  show(chain) {
    this.pause();
    this.chain = structuredClone(chain);
    this.refresh();
  }

  build() {
    const { words, given } = this;
    this.picture = part("svg", { role: "img" });
    this.inputs = element("div", { class: "grid inputs" });
    this.table = element("div", { class: "grid table", role: "table", "aria-label": words.numbers });
    this.formulas = element("div", { class: "formulas", "aria-live": "polite" });
    this.lanes = element("p", { class: "key" });
    this.wide = element("div", { class: "wide" }, this.picture, this.inputs, this.formulas, this.table);
    this.panel = element("div", { class: "panel" }, this.choices(), element("div", { class: "weights" }));
    const chain = element("div", { class: "chain", tabindex: "0", role: "group", "aria-label": words.chain }, this.wide);
    this.box = element("div", { class: "hand" }, this.panel,
      element("div", { class: "side" }, this.bar(given.large), chain, this.lanes));
    this.box.addEventListener("keydown", ({ key }) => key === "Escape" && this.root.activeElement?.matches?.("dfn") && this.root.activeElement.blur());
    this.picture.addEventListener("click", (event) => this.clicked(event));
    this.root.append(this.box);
  }

  choices() {
    const { words, given } = this, pairs = (list) => list.map((each) => [each, given.names[each] ?? each]);
    const range = Array.from({ length: given.steps[1] - given.steps[0] + 1 }, (_, k) => String(k + given.steps[0]));
    this.lists = {
      cell: select(words.cell, pairs(Object.keys(CELLS)), (cell) => this.become(cell, this.chain.units)),
      units: select(words.units, pairs(["1", "2"]), (units) => this.become(this.chain.cell, Number(units))),
      steps: select(words.steps, pairs(range), (steps) => this.lengthen(Number(steps))),
      activation: select(words.activation, pairs(given.activations), (activation) => this.change({ activation })),
    };
    return element("div", { class: "choices" }, ...Object.values(this.lists).map(({ label }) => label));
  }

  bar(large) {
    const button = (name, sign, act) => {
      const made = element("button", { type: "button", "aria-label": this.words[name], title: this.words[name] }, sign);
      made.addEventListener("click", act);
      return made;
    };
    this.steppers = {
      start: button("start", "|◀", () => this.go(0)),
      back: button("back", "◀", () => this.go(this.chain.stage - 1)),
      forward: button("forward", "▶", () => this.go(this.chain.stage + 1)),
      end: button("end", "▶|", () => this.go(this.last)),
      play: button("play", this.words.play, () => (this.timer ? this.pause() : this.play())),
    };
    this.said = element("span", { class: "said", role: "status" });
    this.large = large ? element("a", { class: "large", target: "_self" }, this.words.large) : "";
    return element("div", { class: "bar" }, ...Object.values(this.steppers), this.said, this.large);
  }

  get last() {
    return 2 * this.chain.inputs.length;
  }

  // A stage by hand ends the playing.
  go(stage) {
    this.pause();
    this.turn(stage);
  }

  turn(stage) {
    this.change({ stage: Math.min(this.last, Math.max(0, stage)) });
  }

  play() {
    if (this.chain.stage === this.last) this.turn(0);
    this.timer = setInterval(() => {
      this.turn(this.chain.stage + 1);
      if (this.chain.stage === this.last) this.pause();
    }, PLAY);
    this.nameButtons();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.chain) this.nameButtons();
  }

  change(values) {
    Object.assign(this.chain, values);
    this.refresh();
    this.tell(this.chain);
  }

  edit(name, place, value) {
    const list = [...this.chain[name]];
    list[place] = value;
    this.change({ [name]: list });
  }

  // Another cell or size has parameters of its own, those that were set before if there are any.
  become(cell, units) {
    const { chain, own } = this, pick = (from) => Object.fromEntries(PARAMETERS.map((name) => [name, from[name]]));
    own.set(`${chain.cell}.${chain.units}`, pick(chain));
    const parameters = own.get(`${cell}.${units}`) ?? pick(this.given.defaults[cell][units]);
    const target = Array.from({ length: units }, (_, i) => chain.target[i] ?? 0);
    this.change({ cell, units, target, ...structuredClone(parameters) });
  }

  // All is shown still if all was.
  lengthen(steps) {
    const { chain } = this, whole = chain.stage === this.last;
    const inputs = Array.from({ length: steps }, (_, t) => chain.inputs[t] ?? 0);
    this.change({ inputs, stage: whole ? 2 * steps : Math.min(chain.stage, 2 * steps) });
  }

  // Everything that is seen, from the chain.
  refresh() {
    const { chain } = this, shape = [chain.cell, chain.units, chain.inputs.length].join();
    this.run = unroll(chain);
    if (shape !== this.shape) this.rebuild();
    this.shape = shape;
    const [light, dark] = this.given.colours[chain.cell];
    this.box.style.setProperty("--model", `light-dark(${light}, ${dark})`);
    this.parameters.update(chain, this.run.grads, chain.stage === this.last);
    chain.inputs.forEach((value, k) => show(this.fields[k], value));
    chain.target.forEach((value, k) => show(this.targets[k], value));
    this.lists.cell.box.value = chain.cell;
    this.lists.units.box.value = chain.units;
    this.lists.steps.box.value = chain.inputs.length;
    this.lists.activation.box.value = chain.activation;
    this.lists.activation.label.hidden = chain.cell !== "rnn";
    this.nameButtons();
    this.said.textContent = this.stageWords();
    if (this.large) this.large.href = largeLink(this.chain, this.given.large);
    this.draw();
  }

  rebuild() {
    const { chain, words, given } = this;
    this.parameters = new Parameters(chain, given, (...change) => this.edit(...change));
    const title = term([words.weights], given.definitions.weights);
    this.panel.querySelector(".weights").replaceChildren(element("p", { class: "head" }, title), this.parameters.box);
    const field = (name, place, label) => numberInput(label, given.most, (value) => this.edit(name, place, value));
    this.fields = chain.inputs.map((_, k) => field("inputs", k, fill(words.input, { t: k + 1 })));
    this.targets = chain.target.map((_, k) => field("target", k, fill(words.target_of, { unit: k + 1 })));
    this.wide.style.setProperty("--columns", chain.inputs.length + 2);
    this.inputs.replaceChildren(element("span", { class: "name" }, term(typeset("x_t"), given.definitions.x)), ...this.fields,
      element("div", { class: "targets" }, ...this.targets, element("small", {}, words.target)));
  }

  draw() {
    const width = this.picture.clientWidth || this.box.clientWidth;
    if (!width) return;
    const { chain, given } = this, stage = chain.stage, run = within(chain, this.run);
    this.picture.setAttribute("aria-label", fill(this.words.alt, {
      cell: given.names[chain.cell], steps: run.T, loss: number(run.loss), factor: number(run.products[1]) }));
    drawChain(this.picture, chain, run, stage, width);
    const written = formulas(chain, run, stage);
    this.formulas.classList.toggle("dense", written.length > DENSE);
    this.formulas.replaceChildren(...written.map((each) => this.formula(each)));
    drawRows(this.table, rows(chain, run, stage), { ...given, now: stage <= run.T ? stage : 2 * run.T + 1 - stage });
    this.lanes.replaceChildren(...this.key());
  }

  formula({ of, left, middle, numbers, shown }) {
    const written = [left, middle, numbers, shown].filter(Boolean);
    const unique = written.filter((text, k) => k === 0 || text !== written[k - 1]);
    const name = of === "carry" ? this.words.carry : of ? fill(this.words.gate, { gate: of }) : "";
    const tag = element("span", { class: of === "carry" ? "tag carry" : of ? "tag gates" : "tag" }, name);
    return element("p", {}, tag, element("span", {}, ...typeset(unique.join(" = "))));
  }

  // What the arrows' colours and widths mean.
  key() {
    const { words, chain } = this, item = (way) => element("span", { class: `swatch ${way}` });
    const gates = chain.cell === "rnn" ? words.key_weights : words.key_gates;
    const carry = chain.cell === "rnn" ? [] : [item("carry"), words.key_carry];
    return [item("loss"), ...typeset(words.key_loss), item("gates"), ...typeset(gates), ...carry, element("span", { class: "width" }, words.key_width, chain.units > 1 ? ` ${words.key_two}` : "")];
  }

  stageWords() {
    const { stage } = this.chain, { T } = this.run, { words } = this;
    if (stage === 0) return words.stage_start;
    if (stage <= T) return fill(words.stage_forward, { t: stage, T });
    if (stage === T + 1) return words.stage_loss;
    return fill(words.stage_backward, { t: 2 * T + 1 - stage });
  }

  nameButtons() {
    const { back, start, forward, end, play } = this.steppers, { stage } = this.chain;
    back.disabled = start.disabled = stage === 0;
    forward.disabled = end.disabled = stage === this.last;
    const name = this.words[this.timer ? "pause" : "play"];
    play.textContent = name;
    play.title = name;
    play.setAttribute("aria-label", name);
  }

  clicked(event) {
    const { stage } = event.target.closest("[data-stage]")?.dataset ?? {};
    if (stage !== undefined) this.go(Number(stage));
  }

  pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.chain) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest("input, textarea, select, [contenteditable=true], [role=listbox], [role=menu]")) return;
    const onButton = target instanceof Element && target.closest("button, a, summary");
    if (event.key in KEYS) this.go(this.chain.stage + KEYS[event.key]);
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(this.last);
    else if (event.key === " " && !onButton) this.steppers.play.click();
    else return;
    event.preventDefault();
  }
}

// The same setting with many units: W_hh with |w| as every singular value of it, and without noise
// where nothing comes in after the first step. What lies beyond the knobs there is at their end.
export function largeLink(chain, { path, query: usual, ends }) {
  const { gates } = CELLS[chain.cell], H = chain.units, query = new URLSearchParams(usual);
  const set = (name, value) => query.set(name, Math.min(Math.max(value, ends[name][0]), ends[name][1]));
  query.set("models", chain.cell);
  set("gain", Number(largestSingularValue(chain.W_hh.slice(-H * H)).toPrecision(4)));
  if (chain.cell === "rnn") query.set("activation", chain.activation);
  if (chain.inputs.slice(1).every((x) => x === 0)) query.set("distractor", 0);
  const keeps = gates.indexOf({ lstm: "f", gru: "z" }[chain.cell]);
  if (keeps >= 0) set("memory_bias", chain.b_h[keeps * H]);
  return `${path}?${query}`;
}

// Of a 1 × 1 or 2 × 2 matrix.
function largestSingularValue(W) {
  if (W.length === 1) return Math.abs(W[0]);
  const [a, b, c, d] = W;
  return (Math.hypot(a + d, b - c) + Math.hypot(a - d, b + c)) / 2;
}
