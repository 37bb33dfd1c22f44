// A slider over settings that were drawn beforehand: it stands at places, not at values.

import { element } from "./plotting.js";

const EDGE = 0.08; // of the track: there the label and the value stand where a mark would say its own

export class Knob {
  // sheet: the dashboard's style of a slider. told: is called with the place that it comes to.
  constructor(place, sheet, told) {
    this.host = element("div", "knob");
    this.caption = element("p", "caption");
    place.append(this.host, this.caption);
    const root = this.host.attachShadow({ mode: "open" });
    root.innerHTML = `<style>${sheet}</style><div class="slider"><div class="row"><label for="range"></label>`
      + '<output for="range"></output></div><div class="track"><div class="marks" aria-hidden="true"></div>'
      + '<input id="range" type="range" min="0" step="1"></div></div>';
    const find = (css) => root.querySelector(css);
    Object.assign(this, { label: find("label"), input: find("input"), output: find("output"), marks: find(".marks") });
    this.input.addEventListener("input", () => told(Number(this.input.value)));
  }

  // values: what is read at each place; at: the one where it stands; ticks: places that are marked.
  show({ values, ticks }, at, name, caption) {
    const last = values.length - 1;
    const across = (place) => `calc(${place / last} * (100% - var(--thumb)) + var(--thumb) / 2)`;
    this.label.textContent = name;
    this.caption.innerHTML = caption;
    this.input.max = last;
    this.input.value = at;
    this.input.style.setProperty("--fill", across(at));
    this.input.setAttribute("aria-valuetext", values[at]);
    this.output.textContent = values[at];
    this.marks.replaceChildren(...ticks.map((tick) => {
      const mark = document.createElement("i");
      mark.style.left = across(tick);
      const share = tick / last;
      if (share > EDGE && share < 1 - EDGE) mark.append(Object.assign(document.createElement("b"), { textContent: values[tick] }));
      return mark;
    }));
  }
}
