// One time cursor for the page: what is under the pointer in one chart is marked in all of them.
//
// Charts tell each other through a window event "rnnviz:time" with {t}: a time step, or null when
// the pointer has left. The marks lie over the figure, so that moving them redraws nothing.

import { labelBeside, linesAt, panelsOf } from "./marks.js";

export const TIME_EVENT = "rnnviz:time";

export function tellTime(t) {
  window.dispatchEvent(new CustomEvent(TIME_EVENT, { detail: { t } }));
}

export class Cursor {
  constructor(chart) {
    this.chart = chart;
    this.t = null;
    this.hear = ({ detail }) => this.move(detail.t);
    window.addEventListener(TIME_EVENT, this.hear);
    const { box, plot } = chart;
    plot.addEventListener("mousemove", (event) => this.pointed(event));
    plot.addEventListener("mouseleave", () => {
      this.pointedAt = false;
      if (this.active()) tellTime(null);
    });
    box.addEventListener("keydown", (event) => this.pressed(event));
    box.addEventListener("blur", () => this.active() && tellTime(null));
  }

  destroy() {
    window.removeEventListener(TIME_EVENT, this.hear);
  }

  active() {
    return Boolean(this.chart.options?.timeAxis);
  }

  subplotAt(event) {
    const frame = this.chart.plot.getBoundingClientRect();
    const x = event.clientX - frame.left;
    const y = event.clientY - frame.top;
    const inside = (at, axis) => at >= axis._offset && at <= axis._offset + axis._length;
    return panelsOf(this.chart.plot).find(({ xa, ya }) => inside(x, xa) && inside(y, ya));
  }

  pointed(event) {
    if (!this.active()) return;
    const panel = this.subplotAt(event);
    this.pointedAt = Boolean(panel);
    if (!panel) return tellTime(null);
    const left = this.chart.plot.getBoundingClientRect().left;
    const t = panel.xa.p2c(event.clientX - left - panel.xa._offset);
    tellTime(this.nearest(t));
  }

  pressed(event) {
    if (!this.active() || event.target !== this.chart.box) return;
    const [first, last] = this.range();
    const pace = event.shiftKey ? 10 : 1;
    const here = this.t ?? last;
    const goal = {
      ArrowLeft: this.t === null ? here : here - pace,
      ArrowRight: this.t === null ? here : here + pace,
      Home: first,
      End: last,
      Escape: null,
    }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    tellTime(goal === null ? null : this.nearest(goal));
  }

  nearest(t) {
    const [first, last] = this.range();
    return Math.min(last, Math.max(first, Math.round(t)));
  }

  // The first and last time step that any trace has.
  range() {
    const ends = [];
    for (const trace of this.chart.plot._fullData ?? []) {
      const extremes = trace._extremes?.[trace.xaxis] ?? trace._extremes?.x;
      for (const { val } of [...(extremes?.min ?? []), ...(extremes?.max ?? [])]) ends.push(val);
    }
    if (!ends.length) return [-Infinity, Infinity];
    return [Math.ceil(Math.min(...ends)), Math.floor(Math.max(...ends))];
  }

  move(t) {
    if (!this.active() || t === this.t) return;
    this.t = t;
    if (t === null) delete this.chart.box.dataset.cursor;
    else this.chart.box.dataset.cursor = t;
    this.draw();
  }

  draw() {
    const layer = this.chart.cursors;
    if (this.t === null || !this.active()) return layer.replaceChildren();
    const lines = linesAt(this.chart.plot, this.t);
    layer.replaceChildren(...lines, ...this.label(lines));
  }

  // One label a figure, at the top of the first line. Under the pointer the figure's own hover box
  // names the step.
  label(lines) {
    if (!lines.length || this.pointedAt) return [];
    return [labelBeside(lines[0], `t = ${this.t}`, this.chart.box.clientWidth, 70)];
  }
}
