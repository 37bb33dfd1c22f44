// A number to guess: typed, or dragged along a scale; of a room's guesses a histogram on it, and once
// the answer is shown the true number beside one's own.

import { element } from "./plotting.js";

const BINS = 14; // of the histogram, equally wide
const HIGHEST = 68; // per cent that a bar takes at most: its count stands on it
const MINUS = "\u2212";

export class Guess {
  // send: called with the place of a number on the scale, from 1.
  constructor(box, send) {
    this.send = send;
    this.label = element("label", "asked");
    this.typed = Object.assign(element("input", "typed"), { type: "number" });
    this.scale = element("div", "scale");
    this.bars = element("div", "bars");
    this.marks = element("div", "marks");
    this.slider = Object.assign(element("input", "slide"), { type: "range" });
    this.ticks = element("div", "ticks");
    this.button = Object.assign(element("button", "choice"), { type: "button" });
    this.said = element("span", "said");
    this.said.setAttribute("role", "status");
    this.label.append(element("span", "name"), this.typed);
    this.scale.append(this.bars, this.marks, this.slider, this.ticks);
    this.whole = element("div", "guess");
    this.whole.append(this.label, this.scale, this.button, this.said);
    box.replaceChildren(this.whole);
    this.slider.addEventListener("input", () => this.take(Number(this.slider.value)));
    this.typed.addEventListener("input", () => this.write(this.typed.value));
    this.typed.addEventListener("keydown", (event) => event.key === "Enter" && this.answer());
    this.button.addEventListener("click", () => this.answer());
  }

  // data: as the ballot's, with {low, high, step} in guess.
  update({ guess, taken, right, words }) {
    const { low, high, step } = guess;
    this.data = { guess, taken, right, words };
    this.label.firstChild.textContent = words.guess_label;
    this.slider.setAttribute("aria-label", words.guess_label);
    for (const input of [this.typed, this.slider]) Object.assign(input, { min: low, max: high, step });
    this.take(taken || right ? this.valueOf(taken || right) : this.value ?? nearest((low + high) / 2, guess));
    if (right && !taken) this.typed.value = ""; // nobody has guessed
    for (const input of [this.typed, this.slider]) input.disabled = Boolean(right);
    this.button.textContent = words.guess_send;
    this.button.setAttribute("aria-pressed", Boolean(taken));
    this.button.hidden = Boolean(right);
    this.ticks.replaceChildren(...[low, 0, high].filter((at, k, all) => all.indexOf(at) === k && at >= low && at <= high)
      .map((at) => this.placed(element("i", ""), at, written(at, 0))));
    this.marks.replaceChildren(...this.marked());
    this.say(right ? "" : taken ? this.filled("guess_yours", this.valueOf(taken)) : "");
  }

  valueOf(place) {
    const { low, step } = this.data.guess;
    return low + (place - 1) * step;
  }

  // One's own number and the true one.
  marked() {
    const { taken, right } = this.data, marks = [];
    if (taken && right) marks.push(["mine", taken, "guess_yours"]);
    if (right) marks.push(["truth", right, "guess_truth"]);
    return marks.map(([kind, place, text]) => this.placed(element("b", kind), this.valueOf(place), this.filled(text, this.valueOf(place))));
  }

  placed(mark, value, text) {
    const share = this.shareOf(value);
    mark.style.left = `${100 * share}%`;
    mark.classList.toggle("leftward", share > 0.5);
    mark.append(Object.assign(document.createElement("span"), { textContent: text }));
    return mark;
  }

  shareOf(value) {
    const { low, high } = this.data.guess;
    return (value - low) / (high - low);
  }

  filled(name, value) {
    return this.data.words[name].replace("[[value]]", written(value, this.digits));
  }

  get digits() {
    return digitsOf(this.data.guess);
  }

  take(value) {
    this.value = value;
    this.slider.value = value;
    this.slider.setAttribute("aria-valuetext", written(value, this.digits));
    if (document.activeElement !== this.typed) this.typed.value = value.toFixed(this.digits);
  }

  // What is typed may be anything: what is no number of the scale is said, and not sent.
  write(text) {
    const { guess } = this.data, value = Number(text);
    this.wrong = text.trim() === "" || !Number.isFinite(value) || value < guess.low || value > guess.high;
    this.say(this.wrong ? this.range() : "");
    if (!this.wrong) this.take(nearest(value, guess));
  }

  range() {
    const { guess, words } = this.data;
    return words.guess_range.replace("[[low]]", written(guess.low, 0)).replace("[[high]]", written(guess.high, 0));
  }

  answer() {
    const { guess, right } = this.data;
    if (right) return;
    if (document.activeElement === this.typed || this.wrong) this.write(this.typed.value);
    if (this.wrong) return;
    this.send(Math.round((this.value - guess.low) / guess.step) + 1);
  }

  say(text) {
    this.said.textContent = text;
  }

  // counts: the room's, of each place; shown: whether they are drawn.
  draw(counts, shown) {
    const bins = Array(BINS).fill(0), last = counts.length - 1;
    counts.forEach((count, at) => (bins[Math.min(BINS - 1, Math.floor((at / last) * BINS))] += count));
    const most = Math.max(1, ...bins);
    this.bars.dataset.bins = bins.join(" ");
    this.bars.replaceChildren(...bins.map((count) => {
      const bar = element("i", "");
      bar.style.height = shown ? `${(HIGHEST * count) / most}%` : 0;
      bar.append(Object.assign(document.createElement("span"), { textContent: shown && count ? count : "" }));
      return bar;
    }));
  }
}

// What is said of a guess beside the truth.
export function guessWords(text, { right, guess }, taken) {
  const digits = digitsOf(guess), mine = guess.low + (taken - 1) * guess.step;
  const values = { guess: mine, off: Math.abs(taken - right) * guess.step };
  return text.replace(/\[\[(\w+)\]\]/g, (_, name) => written(values[name], digits));
}

// Whether an answer is right: the very choice, or a guess near enough.
export function isRight({ right, guess }, taken) {
  return guess ? Math.abs(taken - right) * guess.step <= guess.within + 1e-9 : taken === right;
}

const digitsOf = ({ step }) => Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));

function nearest(value, { low, step }) {
  return low + Math.round((value - low) / step) * step;
}

function written(value, digits) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", MINUS);
}
