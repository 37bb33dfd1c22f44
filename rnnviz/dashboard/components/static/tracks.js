// What a chart shows at a chosen training step, changed here without the server.
//
// The scrubber tells all charts of the page through the window event "rnnviz:step" with {step}: a
// training step, or null for the last one. A chart whose x axis is the training step marks it; a
// chart that was sent tracks shows what they hold for it.

import { labelBeside, linesAt } from "./marks.js";

export const STEP_EVENT = "rnnviz:step";
const NAN = -32768, LOW = -32767, HIGH = 32767;

// The chosen step outlives the scrubber's events, for charts that are drawn later.
export function tellStep(step) {
  window.rnnvizStep = step;
  window.dispatchEvent(new CustomEvent(STEP_EVENT, { detail: { step } }));
}

export class Tracks {
  constructor(chart, layer) {
    this.chart = chart;
    this.layer = layer;
    this.list = [];
    this.hear = () => this.move();
    window.addEventListener(STEP_EVENT, this.hear);
  }

  destroy() {
    window.removeEventListener(STEP_EVENT, this.hear);
  }

  get step() {
    return this.axis || this.list.length ? (window.rnnvizStep ?? null) : null;
  }

  // From the server, with each figure: show the chosen step in it before it is drawn.
  take(packed, axis, figure) {
    this.axis = axis;
    this.list = (packed ?? []).map((track) => new Track(track));
    if (this.step === null) return;
    for (const track of this.list) figure.data[track.trace][track.attribute] = track.at(this.step);
  }

  // One redraw at a time; of the steps that come meanwhile the last is drawn next.
  async move() {
    this.draw();
    if (!this.list.length || !this.chart.listening) return;
    this.stale = true;
    if (this.moving) return;
    this.moving = true;
    while (this.stale && !this.chart.gone) {
      this.stale = false;
      await this.restyle().catch((error) => this.chart.gone || this.chart.fail(error));
      await new Promise(requestAnimationFrame);
    }
    this.moving = false;
  }

  async restyle() {
    const step = this.step ?? Infinity;
    for (const name of ["y", "z", "text"]) {
      const tracks = this.list.filter((track) => track.attribute === name);
      if (!tracks.length) continue;
      const values = tracks.map((track) => track.at(step));
      await this.chart.Plotly.restyle(this.chart.plot, { [name]: values },
        tracks.map((track) => track.trace));
    }
    this.chart.countPaint();
  }

  // The mark lies over the figure, so that moving it redraws nothing.
  draw() {
    const { box } = this.chart;
    const { step } = this;
    if (step === null) {
      delete box.dataset.step;
      return this.layer.replaceChildren();
    }
    box.dataset.step = step;
    const lines = this.axis ? linesAt(this.chart.plot, step) : [];
    this.layer.replaceChildren(...lines, ...this.label(lines));
  }

  // A chart of another axis says in its corner which step it shows.
  label(lines) {
    const width = this.chart.box.clientWidth;
    if (this.axis) return lines.slice(0, 1).map((line) =>
      labelBeside(line, said(this.chart, "step", this.step), width, 90));
    const label = document.createElement("b");
    label.textContent = said(this.chart, "trained", this.step);
    label.style.transform = `translate(${width - 6}px, 2px) translateX(-100%)`;
    return [label];
  }
}

const said = (chart, name, step) => chart.options.words[name].replace("[[step]]", step);

class Track {
  constructor({ trace, attribute, steps, words, codes, shape, middle, scale }) {
    Object.assign(this, { trace, attribute, words, shape, middle, scale });
    this.steps = new Int32Array(bytes(steps));
    if (!words) this.codes = new Int16Array(bytes(codes));
  }

  // The values from the last recorded step that is not after `step`.
  at(step) {
    let k = this.steps.findLastIndex((recorded) => recorded <= step);
    if (k < 0) k = 0;
    if (this.words) return this.words[k];
    const size = this.shape.slice(1).reduce((a, b) => a * b, 1);
    const row = Float64Array.from(this.codes.subarray(k * size, (k + 1) * size), (code) =>
      this.value(code));
    if (this.shape.length < 3) return row;
    const wide = this.shape[2];
    return Array.from({ length: this.shape[1] }, (_, r) => row.subarray(r * wide, (r + 1) * wide));
  }

  value(code) {
    if (code === NAN) return NaN;
    if (code === LOW) return -Infinity;
    if (code === HIGH) return Infinity;
    return this.middle + code * this.scale;
  }
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}
