// The training step that the page shows: a range input and keys. A move is told to the charts of
// the page and to nobody else; the server hears of commands only.
//
// It is also the clock: while training plays, it asks for each next slice of it, past the script. Now
// and then the script is asked instead, where what it alone draws is in sight.

import { live, sinks } from "./live.js";
import { belowIsInSight, scriptRuns, sendAlone, training } from "./page.js";
import { BY_SCRIPT, LATE, slice } from "./slices.js";
import { Ticker } from "./ticker.js";
import { tellStep } from "./tracks.js";

const ROOM = 3; // models whose names fit beside their losses; of more the colour must do
const BELOW = 2500; // ms after which what is below the fold is drawn anew

const scrubbers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let scrubber = scrubbers.get(parentElement);
  if (!scrubber) {
    scrubber = new Scrubber(parentElement);
    scrubbers.set(parentElement, scrubber);
  }
  scrubber.setTriggerValue = setTriggerValue;
  scrubber.drawn = performance.now();
  scrubber.adopt(data);
  return () => {
    scrubber.destroy();
    scrubbers.delete(parentElement);
  };
}

class Scrubber {
  constructor(root) {
    this.input = root.querySelector("input");
    this.output = root.querySelector("output");
    this.button = root.querySelector("button");
    this.label = root.querySelector("label");
    this.chosen = null; // a training step, null for the last one
    this.input.addEventListener("input", () => this.choose(Number(this.input.value)));
    this.button.addEventListener("click", () => this.command("show"));
    for (const control of [this.input, this.button]) control.disabled = false;
    this.hear = (event) => this.pressed(event);
    document.addEventListener("keydown", this.hear);
    this.ticker = new Ticker(() => this.tick(), () => live.ahead.size);
  }

  destroy() {
    this.ticker.destroy();
    if (sinks.get(this.data?.key) === this) sinks.delete(this.data.key);
    training.plays = false;
    document.removeEventListener("keydown", this.hear);
  }

  // From the script, or after a slice past it.
  adopt(bytes) {
    this.update(decoded(bytes));
    sinks.set(this.data.key, this);
  }

  // What a knob that moves would begin.
  follow(bytes) {
    this.begun = decoded(bytes);
    this.paint();
    return null;
  }

  catchUp() {
    this.begun = null;
    this.paint();
  }

  drawExactly() {
    return null;
  }

  // Another run, or training that goes on, shows its last step.
  update(data) {
    const starts = data.playing && !this.data?.playing;
    if (!this.data) this.remember(data);
    const another = Boolean(this.data) && data.run !== this.data.run;
    if (another) freeKeys();
    const forgets = starts || another;
    this.data = data;
    this.begun = null;
    this.input.min = 0;
    this.button.textContent = data.show;
    this.words = data.words;
    this.label.textContent = data.words.training_step;
    if (!data.playing) this.pausing = false;
    if (forgets && !this.pausing) this.chosen = null;
    tellStep(this.chosen);
    this.paint();
    this.tellCharts(data.playing);
    this.ticker.answered(data.playing && !this.pausing, data.every);
  }

  // Where it stops, plotly.js draws what their layers show.
  tellCharts(plays) {
    const stops = training.plays && !plays;
    training.plays = plays;
    if (stops) for (const chart of sinks.values()) chart.drawExactly();
  }

  // Streamlit may put a new scrubber in the place of the old one, in the midst of a run.
  remember({ run, playing }) {
    const before = window.rnnvizScrubbed;
    if (before?.run === run && !playing) this.chosen = before.step;
  }

  get last() {
    return this.data.steps.at(-1) ?? 0;
  }

  // Training pauses while its past is looked at.
  choose(step) {
    this.chosen = step >= this.last ? null : Math.max(0, step);
    if (this.chosen !== null && this.ticker.running) this.command("pause");
    tellStep(this.chosen);
    this.paint();
  }

  async tick() {
    if (this.asks) return;
    this.asks = true;
    const below = belowIsInSight() && performance.now() - this.drawn > BELOW;
    const became = below ? BY_SCRIPT : await slice();
    this.asks = false;
    if (became === BY_SCRIPT && this.ticker.running) this.command("tick");
    if (became === LATE) this.ticker.answered(this.ticker.running, this.data.every);
  }

  command(name) {
    if (name === "pause") {
      this.pausing = true;
      this.ticker.stop();
    }
    const step = this.chosen ?? this.last;
    sendAlone(() => this.setTriggerValue("command", { name, step }));
  }

  paint() {
    const { steps, series, playing, show } = this.begun ?? this.data;
    const last = steps.at(-1) ?? 0, step = (this.begun ? null : this.chosen) ?? last;
    window.rnnvizScrubbed = { run: this.data.run, step: this.chosen };
    this.input.max = Math.max(1, last);
    this.input.value = step;
    this.input.style.setProperty("--fill", fill(step / Math.max(1, last)));
    this.button.hidden = playing || !show || !steps.length;
    const at = Math.max(0, steps.findLastIndex((recorded) => recorded <= step));
    const head = document.createElement("b");
    head.textContent = step.toLocaleString("en");
    const named = series.map(({ name, losses }) => `${name} ${losses[at]}`);
    // One number for one thing: the verdict says step and losses, and would be a frame ahead.
    if (playing) this.output.replaceChildren();
    else this.output.replaceChildren(head, ...series.map(({ colour, dark, losses }, k) => {
      const said = document.createElement("span");
      said.style.color = `light-dark(${colour}, ${dark})`;
      said.textContent = series.length > ROOM ? losses[at] : named[k];
      return said;
    }));
    this.input.setAttribute("aria-valuetext", this.words.step_loss.replace("[[step]]", step).replace("[[loss]]", this.listed(named)));
  }

  // One after the other, as the language of the page has it.
  listed(parts) {
    const pair = (before, after) => this.words.clauses.replace("[[before]]", before).replace("[[after]]", after);
    return parts.length ? parts.reduce(pair) : "";
  }

  pressed(event) {
    const act = this.action(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  // Space plays and pauses; right is one training step, or one step on in what is recorded; left
  // goes back. With shift, or as page keys, ten.
  action(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
    const target = event.composedPath()[0];
    if (target !== this.input && takesKeys(target, event.key)) return null;
    const far = event.shiftKey || event.key.startsWith("Page") ? 10 : 1;
    return {
      " ": () => event.repeat || this.command(this.data.playing ? "pause" : "play"),
      ArrowRight: () => this.forward(far, event),
      PageDown: () => this.forward(far, event),
      ArrowLeft: () => this.move(-far),
      PageUp: () => this.move(-far),
      Home: target === this.input ? () => this.choose(0) : null,
      End: target === this.input ? () => this.choose(this.last) : null,
    }[event.key] ?? null;
  }

  forward(count, event) {
    if (this.chosen !== null) return this.move(count);
    if (event.repeat && scriptRuns()) return; // a held key waits for its last step
    this.command(count > 1 ? "ten" : "step");
  }

  // To the recorded step that is `count` further on.
  move(count) {
    const { steps } = this.data;
    if (this.data.playing) return this.choose(this.last - 1);
    const here = steps.findLastIndex((recorded) => recorded <= (this.chosen ?? this.last));
    this.choose(steps[Math.min(steps.length - 1, Math.max(0, here + count))] ?? 0);
  }
}

// Whether an element has a use of its own for a key.
function takesKeys(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select, [contenteditable=true], [role=listbox]")) return true;
  if (target.closest("[role=slider], [role=menu], [role=tab], [role=radiogroup]")) return true;
  if (key === " ") return Boolean(target.closest("button, a, summary, [role=button]"));
  return Boolean(target.closest(".rnnviz-chart"));
}

// A list that has been chosen from keeps the focus; a new run wants the keys. One that is open again
// would close.
const CHOSEN_FROM = '[data-testid="stMain"] [role="combobox"]:not([aria-expanded="true"])';

function freeKeys() {
  const active = document.activeElement;
  if (active?.matches(CHOSEN_FROM)) active.blur();
}

const decoded = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

function fill(share) {
  return `calc(${share} * (100% - var(--thumb)) + var(--thumb) / 2)`;
}
