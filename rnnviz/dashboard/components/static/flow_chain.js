// The chain above the curves of Gradient flow: a node a step, or a few, an arrow as thick as the error
// that has come through. One points at a node, or steps along with keys, and the step that brought the
// error there is told: its factor, what it is made of, its bars. The page's time cursor goes with it.

import { arrow, part } from "./arrow.js";
import { TIME_EVENT, tellTime } from "./cursor.js";
import { bars, scaleOf } from "./flow_chain_bars.js";
import { plain, say, shortened } from "./flow_chain_words.js";
import { sinks } from "./live.js";
import { element } from "./plotting.js";

const [HEIGHT, THICKEST, THINNEST] = [22, 15, 1];
const NARROW = 560; // pixels below which there is no room beside the chain
const [FAINTEST, LARGEST_NODE] = [0.35, 4];
const ROOMY = 14; // pixels between nodes from which each is a circle, and an arrow has a shaft
const LETTER = 7.6; // pixels that a Latin letter of a name is wide, on average
const FAR = 10; // nodes that a page key goes

const chains = new WeakMap();

export default function ({ data, parentElement }) {
  let chain = chains.get(parentElement);
  if (!chain) {
    chain = new Chain(parentElement);
    chains.set(parentElement, chain);
  }
  chain.update(data);
  return () => {
    chain.destroy();
    chains.delete(parentElement);
  };
}

// Where there is no room for a shaft.
const head = (from, to, width) => `M${from} ${(HEIGHT - width) / 2}L${to} ${HEIGHT / 2}L${from} ${(HEIGHT + width) / 2}Z`;
const read = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

class Chain {
  constructor(parent) {
    this.box = element("div", "rnnviz-unrolled");
    this.track = element("div", "track");
    this.track.setAttribute("role", "slider");
    this.svg = part("svg", { "aria-hidden": "true" });
    this.said = element("div", "said");
    this.words = element("p", "words");
    this.bars = part("svg", { class: "bars", "aria-hidden": "true" });
    this.track.append(this.svg);
    this.said.append(this.words, this.bars);
    this.box.append(this.track, this.said);
    parent.append(this.box);
    this.node = null; // the one that is looked at, in the layer's own order
    this.listen();
    this.resizer = new ResizeObserver(() => this.width !== this.box.clientWidth && this.draw());
    this.resizer.observe(this.box);
  }

  listen() {
    const { track } = this;
    this.hear = ({ detail }) => this.look(detail.t === null ? null : this.nearest(detail.t));
    window.addEventListener(TIME_EVENT, this.hear);
    for (const name of ["pointermove", "pointerdown"]) track.addEventListener(name, (event) => this.pointed(event));
    track.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && document.activeElement !== track) this.tell(null);
    });
    track.addEventListener("keydown", (event) => this.pressed(event));
    track.addEventListener("blur", () => this.tell(null));
  }

  destroy() {
    if (sinks.get(this.data?.key) === this) sinks.delete(this.data.key);
    window.removeEventListener(TIME_EVENT, this.hear);
    this.resizer.disconnect();
    this.box.remove();
  }

  // From the script.
  update(bytes) {
    this.scripts = bytes;
    this.show(read(bytes));
    sinks.set(this.data.key, this);
  }

  // At a value that the script does not know yet.
  follow(bytes) {
    this.show(read(bytes));
    this.box.dataset.live = "";
    return null;
  }

  catchUp() {
    delete this.box.dataset.live;
    this.show(read(this.scripts));
  }

  drawExactly() {
    return null;
  }

  show(data) {
    this.data = data;
    this.scale = scaleOf(data);
    if (this.node !== null && this.node >= data.steps.length) this.node = null;
    this.box.dataset.key = data.key;
    this.box.dataset.shows = data.shows;
    this.draw();
  }

  // Places in pixels: of a step, of a node, and how thick a number of decades is.
  places() {
    const { data, width } = this, wide = width >= NARROW, [first, last] = data.x;
    const left = wide ? data.left : 8, right = wide ? data.right : 8;
    const at = (step) => left + ((step - first) / (last - first)) * (width - left - right);
    const pace = data.steps.length > 1 ? Math.abs(at(data.steps[1]) - at(data.steps[0])) : width;
    return { wide, at, pace, radius: pace < ROOMY ? 0 : LARGEST_NODE };
  }

  shareOf(decades) {
    const [low, high] = this.data.range;
    return Math.min(1, Math.max(0, (decades - low) / (high - low)));
  }

  draw() {
    this.width = this.box.clientWidth;
    if (!this.width || !this.data) return;
    const { data } = this, shade = (colour) => `light-dark(${colour}, ${data.dark[colour] ?? colour})`;
    this.track.hidden = Boolean(data.refusal);
    this.box.classList.toggle("narrow", this.width < NARROW);
    this.svg.style.color = shade(data.colour);
    if (!data.refusal) this.drawNodes();
    this.describe(shade);
  }

  drawNodes() {
    const { data } = this, where = this.places(), middle = HEIGHT / 2, drawn = [];
    for (let k = data.steps.length - 2; k >= 0; k -= 1) drawn.push(this.arrowTo(k, where));
    if (where.radius) data.steps.forEach((step) => drawn.push(part("circle", { cx: where.at(step), cy: middle, r: where.radius, class: "node" })));
    this.mark = part("rect", { class: "now", y: 0.75, height: HEIGHT - 1.5, rx: 3 });
    if (where.wide) drawn.push(...this.beside(where));
    this.svg.replaceChildren(...drawn, this.mark);
  }

  // From the next node to this one; dashed where nothing, or no number, arrives.
  arrowTo(k, { at, radius }) {
    const { data } = this, decades = data.decades[k], side = Math.sign(data.steps[k + 1] - data.steps[k]);
    const from = at(data.steps[k + 1]) - side * radius, to = at(data.steps[k]) + side * radius;
    if (decades === null || k >= data.start) {
      return part("line", { x1: from, x2: to, y1: HEIGHT / 2, y2: HEIGHT / 2, class: "nothing" });
    }
    const share = this.shareOf(decades), width = THINNEST + share * (THICKEST - THINNEST);
    const d = radius ? arrow(from, to, HEIGHT / 2, width, 8) : head(from, to, width);
    const body = part("path", { d, class: "error", opacity: FAINTEST + share * (1 - FAINTEST) });
    body.dataset.step = data.steps[k];
    body.dataset.width = width;
    return body;
  }

  beside({ at }) {
    const { data } = this, end = at(data.x[0]) - 10, room = Math.floor(end / LETTER);
    const name = part("text", { x: end, y: HEIGHT / 2 + 5, class: "name", "text-anchor": "end" });
    name.textContent = shortened(data.title, room);
    const said = data.each > 1 ? data.words.each_short.replace("[[count]]", data.each) : "";
    const each = part("text", { x: at(data.x[1]) + 6, y: HEIGHT / 2 + 4, class: "each" }, said);
    return [name, each];
  }

  // What is said of the node that is looked at, in words and to a screen reader.
  describe(shade) {
    const { data, track, node } = this, last = data.steps.length - 1;
    const steps = data.refusal ? [0] : data.steps;
    const told = data.refusal ? [data.refusal] : node === null ? [data.hint] : say(data, node, shade);
    this.words.replaceChildren(...told);
    this.said.classList.toggle("idle", node === null);
    this.said.classList.toggle("refused", Boolean(data.refusal));
    this.said.classList.remove("tight");
    bars(this.bars, data, node, this.scale, shade);
    if (this.width >= NARROW && !data.refusal && this.words.scrollHeight > 24) this.said.classList.add("tight");
    track.tabIndex = data.refusal ? -1 : 0;
    track.setAttribute("aria-label", data.words.label.replace("[[name]]", data.title));
    track.setAttribute("aria-valuemin", Math.min(...steps));
    track.setAttribute("aria-valuemax", Math.max(...steps));
    track.setAttribute("aria-valuenow", steps[node ?? last] ?? 0);
    track.setAttribute("aria-valuetext", plain(told));
    this.box.dataset.node = node ?? "";
    this.markNode();
  }

  markNode() {
    if (!this.mark) return;
    const { node, data, mark } = this;
    mark.toggleAttribute("hidden", node === null);
    mark.style.display = node === null ? "none" : "";
    if (node === null) return;
    const { at, radius } = this.places(), here = at(data.steps[node]);
    const next = at(data.steps[Math.min(node + 1, data.steps.length - 1)]);
    const half = Math.max(radius, 2) + 1.5;
    mark.setAttribute("x", Math.min(here, next) - half);
    mark.setAttribute("width", Math.abs(next - here) + 2 * half);
  }

  nearest(step) {
    const { steps } = this.data;
    if (!steps.length) return null;
    return steps.reduce((best, each, k) => (Math.abs(each - step) < Math.abs(steps[best] - step) ? k : best), 0);
  }

  look(node) {
    if (!this.data || this.data.refusal || node === this.node) return;
    this.node = node;
    this.describe((colour) => `light-dark(${colour}, ${this.data.dark[colour] ?? colour})`);
  }

  // And the charts mark the step, too.
  tell(node) {
    if (node === this.node) return;
    this.look(node);
    tellTime(node === null ? null : this.data.steps[node]);
  }

  pointed(event) {
    if (this.data.refusal) return;
    const { at } = this.places(), x = event.clientX - this.track.getBoundingClientRect().left;
    const { steps } = this.data, away = steps.map((step) => Math.abs(at(step) - x));
    this.tell(away.indexOf(Math.min(...away)));
  }

  // Keys go where they point: on the screen, not in the order of the error.
  pressed(event) {
    const { steps, start } = this.data, last = steps.length - 1;
    const right = last > 0 && steps[0] > steps[last] ? -1 : 1;
    const far = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -FAR, PageUp: FAR }[event.key];
    const ends = { Home: right > 0 ? 0 : last, End: right > 0 ? last : 0, Escape: null };
    let goal = ends[event.key];
    if (far !== undefined) goal = this.node === null ? Math.max(0, Math.min(start, last) - 1) : this.node + right * far * (event.shiftKey ? FAR : 1);
    if (goal === undefined) return;
    event.preventDefault();
    this.tell(goal === null ? null : Math.min(last, Math.max(0, goal)));
  }
}
