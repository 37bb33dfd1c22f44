// A range input whose value the page follows while it moves (live.js), and whose value the script is
// told once it has come to rest, or, where the page shows it without the script, once something else
// is touched; where the page cannot follow, the script is told every value.
//
// Streamlit aborts a running script when a new value arrives, so a slider that sends too early
// starves the charts. The next value therefore waits until the page has taken the last one (a
// script ran, a chart has new data, or the server has echoed its number) and the script has come to
// its end; of the values that wait, the last wins.

import { live } from "./live.js";
import {
  NEWS, STUCK, drawn, held, pageTurns, scriptRuns, sendValue, tellShown, watchScript,
} from "./page.js";

const FORGETS = 10000; // ms after which the script is told of a value that the page shows without it
const MIN_GAP = 40; // ms between two messages
const LOST = 300; // ms without an echo, while no script runs: the message started nothing
const EDGE = 0.08; // of the track: there the label and the value stand where a mark would say its own
const SNAP = 0.012; // of the track: a drag this near to a tick is on it

const HEIR = 1000; // ms within which a slider in the place of another takes over from it

const sliders = new WeakMap();

// Streamlit may put a new slider in the place of one that is held. What that has not sent yet, by
// key: {value, at}.
const unsent = new Map();

export default function ({ data, parentElement, setStateValue }) {
  let slider = sliders.get(parentElement);
  if (!slider) {
    slider = new Slider(parentElement);
    sliders.set(parentElement, slider);
  }
  slider.update(data, setStateValue);
  return () => {
    slider.destroy();
    sliders.delete(parentElement);
  };
}

class Slider {
  constructor(root) {
    this.box = root.querySelector(".slider");
    this.label = root.querySelector("label");
    this.input = root.querySelector("input");
    this.output = root.querySelector("output");
    this.help = root.querySelector("#help");
    this.marks = root.querySelector(".marks");
    this.held = false; // a pointer or a repeating key is down
    this.byKey = false; // the last touch was a key
    this.waiting = null; // the value that is to be sent next
    this.told = null; // what the server believes
    this.sent = null; // the last message: {seq, at}
    this.listen();
    live.sliders.add(this);
  }

  listen() {
    const on = (target, type, handler) => target.addEventListener(type, handler);
    on(this.input, "pointerdown", () => this.touched(true, false));
    on(this.input, "keydown", (event) => this.touched(event.repeat, true));
    on(this.input, "input", () => this.moved());
    on(this.input, "change", () => this.byKey || this.released());
    for (const type of ["pointerup", "pointercancel", "keyup"]) {
      on(this.input, type, () => this.released());
    }
    on(this.input, "blur", ({ relatedTarget }) => this.left(relatedTarget));
    on(this.label, "dblclick", () => this.reset());
    this.unwatch = watchScript(() => this.pump());
    this.hear = ({ detail }) => this.answered(detail.last);
    window.addEventListener(NEWS, this.hear);
    this.back = () => this.held || this.forget();
    window.addEventListener("popstate", this.back);
  }

  destroy() {
    const { key } = this.data;
    if (this.held || this.value !== this.told) unsent.set(key, { value: this.value, at: performance.now() });
    this.unwatch();
    window.removeEventListener(NEWS, this.hear);
    window.removeEventListener("popstate", this.back);
    held.delete(this);
    live.sliders.delete(this);
    live.told(this, false);
    clearTimeout(this.timer);
    clearTimeout(this.restTimer);
  }

  // From the server: take its value unless the user is ahead of it.
  update(data, setStateValue) {
    this.data = data;
    this.setStateValue = setStateValue;
    this.describe();
    if (this.told === null && this.inherits()) return;
    const moves = this.told !== null && this.value !== this.told;
    const behind = moves || (this.sent && this.sent.seq !== data.seq);
    if (!this.held && !behind) {
      this.show(data.value);
      this.told = data.value;
    }
    this.pump();
  }

  // A new slider ends what the one before it began.
  inherits() {
    const { key, value } = this.data, before = unsent.get(key);
    unsent.delete(key);
    if (!before || performance.now() - before.at > HEIR) return false;
    this.told = value;
    this.show(before.value);
    this.offer();
    return true;
  }

  describe() {
    const { label, help, disabled, ticks } = this.data;
    this.label.textContent = label;
    this.help.textContent = help;
    this.box.title = help;
    this.box.classList.toggle("disabled", disabled);
    this.input.disabled = disabled;
    this.input.min = 0;
    this.input.max = this.steps();
    this.input.step = 1;
    const signature = JSON.stringify([ticks, this.input.max]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.marks.replaceChildren(...ticks.map((tick) => this.mark(tick)));
  }

  mark(tick) {
    const mark = document.createElement("i");
    const share = this.share(tick);
    mark.style.left = `calc(${share} * (100% - var(--thumb)) + var(--thumb) / 2)`;
    if (this.data.named && share > EDGE && share < 1 - EDGE) {
      mark.append(Object.assign(document.createElement("b"), { textContent: format(this.data.fmt, tick) }));
    }
    return mark;
  }

  steps() {
    const { low, high, step, log } = this.data;
    return Math.max(1, Math.round((log ? Math.log2(high / low) : high - low) / step));
  }

  // Where a value sits on the track, 0 to 1.
  share(value) {
    const { low, high, log } = this.data;
    return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  }

  valueAt(position) {
    const { low, high, log } = this.data;
    const share = position / this.steps();
    if (share >= 1) return high;
    const value = log ? low * (high / low) ** share : low + share * (high - low);
    const exact = this.tickNear(share);
    return exact ?? Number(value.toPrecision(log ? 4 : 10));
  }

  tickNear(share) {
    const byKey = 0.5 / this.steps();
    const reach = this.byKey ? byKey : Math.max(SNAP, byKey);
    return this.data.ticks.find((tick) => Math.abs(this.share(tick) - share) <= reach);
  }

  show(value) {
    this.value = value;
    this.input.dataset.value = value;
    const share = Math.min(1, Math.max(0, this.share(value)));
    const text = format(this.data.fmt, value);
    this.input.value = Math.round(share * this.steps());
    this.paint(share, text);
    tellShown();
  }

  paint(share, text) {
    this.output.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
    const fill = `calc(${share} * (100% - var(--thumb)) + var(--thumb) / 2)`;
    this.input.style.setProperty("--fill", fill);
  }

  touched(down, byKey) {
    this.held = down;
    this.byKey = byKey;
    if (down) held.add(this);
  }

  moved() {
    const position = Number(this.input.value);
    this.value = this.valueAt(position);
    this.input.dataset.value = this.value;
    this.paint(position / this.steps(), format(this.data.fmt, this.value));
    live.move(this, { name: this.data.key, value: this.value, held: this.held });
    clearTimeout(this.restTimer);
    const alone = live.way === "rest" && !this.held; // a press of a key: none follows it at once
    if (live.way === "send" || alone) this.offer();
    else this.restTimer = setTimeout(() => this.rests(), live.rest);
  }

  // As long as nothing else has the focus, nothing else asks the script for anything.
  rests() {
    clearTimeout(this.restTimer);
    const focused = this.input.getRootNode().activeElement === this.input;
    if (this.value === this.told || !focused || !live.settles) return this.offer();
    live.settle();
    this.restTimer = setTimeout(() => this.offer(), FORGETS);
  }

  released() {
    if (!this.held) return;
    this.held = false;
    held.delete(this);
    this.show(this.value);
    this.rests();
  }

  // What is done next, elsewhere, must not be undone by a value that comes to rest after it. But a
  // link may turn the page: if it is clicked, page.js lets the script hear first.
  left(next) {
    this.released();
    if (this.value === this.told) return;
    clearTimeout(this.restTimer);
    if (next?.closest?.("a")) {
      this.restTimer = setTimeout(() => this.offer(), live.rest);
      return;
    }
    this.waiting = this.value;
    if (!pageTurns()) this.send();
  }

  // Back and Forward bring values of their own: what is not sent yet is not wanted any more. If
  // nothing was, the server has nothing new to say, and its last word holds.
  forget() {
    const { value } = this.data;
    clearTimeout(this.restTimer);
    this.waiting = this.sent = null;
    this.show(value);
    this.told = value;
    live.told(this, false);
  }

  reset() {
    const { reset, disabled } = this.data;
    if (reset === null || disabled) return;
    this.show(reset);
    this.offer();
  }

  // The script is to be told of the value, unless it knows it.
  offer() {
    clearTimeout(this.restTimer);
    this.waiting = this.value === this.told ? null : this.value;
    if (this.waiting === null) live.told(this, false);
    this.pump();
  }

  // A chart has new data: the page has taken what was sent. After the last chart nothing follows
  // that would be missed if the next value cut the script short.
  answered(last) {
    if (!this.sent) return;
    this.sent.taken = true;
    this.sent.done ||= last;
    this.pump();
  }

  pump() {
    clearTimeout(this.timer);
    if (this.waiting === null) return;
    const pause = this.pause(performance.now());
    if (pause > 0) {
      this.timer = setTimeout(() => this.pump(), pause);
      return;
    }
    this.send();
  }

  send() {
    clearTimeout(this.timer);
    const seq = this.sent ? this.sent.seq + 1 : Date.now();
    this.sent = { seq, at: performance.now(), taken: false, done: false };
    this.told = this.waiting;
    this.waiting = null;
    const knob = { value: this.told, seq: this.sent.seq, run: drawn.run, below: live.drawsBelow() };
    live.told(this, true);
    sendValue(() => {
      if (this.sent?.seq !== knob.seq) return; // Back came first, or a newer value
      this.setStateValue("knob", knob);
    });
  }

  // heard: by key, the number of the last message that the session knows of.
  isHeard(heard) {
    return !this.sent || this.sent.givenUp || heard[this.data.key] >= this.sent.seq;
  }

  giveUp() {
    this.sent.givenUp = true;
  }

  // A session that has begun anew may not have heard of the value: it is told once more. Returns
  // whether it is.
  repeat() {
    if (this.sent.repeated || this.waiting !== null) return false;
    this.waiting = this.told;
    this.send();
    return (this.sent.repeated = true);
  }

  // Milliseconds until the next look; 0 when the page has taken the last value.
  pause(now) {
    if (pageTurns()) return MIN_GAP;
    if (!this.sent) return 0;
    const age = now - this.sent.at;
    if (age < MIN_GAP) return MIN_GAP - age;
    const running = scriptRuns() ?? false;
    if (running) this.sent.taken = true;
    const taken = this.sent.taken || this.data.seq === this.sent.seq;
    if (this.sent.done || (taken && !running)) return 0;
    const limit = running ? STUCK : LOST;
    return Math.max(0, limit - age);
  }
}

// One printf conversion (%d, %.2f, %+.1f, %.3g) with text around it; %% is a percent sign.
function format(pattern, value) {
  const write = (whole, plus, digits, kind) => {
    if (whole === "%%") return "%";
    const text = number(value, kind, digits === undefined ? undefined : Number(digits));
    return (plus && value >= 0 ? "+" : "") + text.replace("-", "\u2212");
  };
  return pattern.replace(/%(?:%|(\+)?(?:\.(\d+))?([dfg]))/g, write);
}

function number(value, kind, digits) {
  if (kind === "d") return String(Math.round(value));
  if (kind === "f") return value.toFixed(digits ?? 6);
  return String(Number(value.toPrecision(digits || 6)));
}
