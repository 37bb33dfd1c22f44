// What the page shows while a knob moves: asked for past the script, one request at a time. Of the
// values that come meanwhile, the last is asked for next.
//
// A slider is ahead of the script from its first move until it has told the script of the value
// that it came to rest at. Until the script has drawn that, what it drew before is not shown again.
// At rest the page settles: it becomes what the script would draw but for what is below the fold,
// and the script need not be told before something else is touched.

import { before } from "./address.js";
import { post, read, utf8 } from "./answers.js";
import { belowIsInSight, scriptRuns, STUCK, training, wait, watchScript } from "./page.js";

const QUIET = 200; // ms without a move, after which what was left out is asked for
const STILL = 250; // ms without a move, after which plotly.js draws what the layers show
const BUSY = 30; // ms after which is asked again, where another answer is still in the making
const UNHEARD = 1000; // ms after a script's end, after which a message was not heard
const PATIENCE = 4000; // ms that a click on a link waits for the script to know a value
const LOOK = 20; // ms between two looks
const AGAIN = 10000; // ms after which a route that failed is tried again
const STREAMLITS = ["embed", "embed_options"]; // in an address
const AHEAD = "rnnviz-ahead"; // the page's class while a slider is ahead, until the page has settled
const PASSED = "rnnviz-passed"; // while what is below the fold is of an older value

export const sinks = new Map(); // key -> the chart, or the strip, that shows it

class Live {
  constructor() {
    this.offer = null; // {token, path, rest, beside, heard} of the page
    this.sliders = new Set(); // of the page
    this.ahead = new Set(); // those of them that are ahead
    this.knobs = {}; // name -> value, of those that have moved since the page was as the script drew it
    this.awaited = false; // whether the script was told of a value that it has not drawn yet
    this.settled = false; // whether the page shows the knobs' values, and the script does not know them
    this.owed = false; // whether the script has drawn the page without what is below the fold
    this.address = null; // what the script wrote, if the page has settled since
    this.failedAt = -AGAIN;
    this.slicing = null; // what ends waiting for a slice of training
    this.unheard = null; // when it is looked whether what was sent has been heard
    this.round = 0; // answers of an earlier one are not shown
    this.texts = new Map(); // node -> what the script wrote there
    this.note = Object.assign(document.createElement("p"), { className: "rnnviz-left-out" });
    this.note.setAttribute("role", "status");
    document.body.append(this.note);
    watchScript(() => this.scriptChanged());
    document.addEventListener("visibilitychange", () => document.hidden && this.tellScript());
    window.addEventListener("popstate", () => (this.address = null)); // it is another entry's now
    before.turning = () => (this.ahead.size ? this.scriptKnows() : null);
  }

  // The script has drawn the page, or it is left.
  open(offer) {
    this.offer = offer;
    this.address = null;
    if (!offer) this.stop();
    else if (this.awaited) this.scriptChanged();
  }

  // How a slider is followed: "live" past the script, "rest" when it has come to rest, "send" by
  // every value to the script.
  get way() {
    if (!this.offer || performance.now() - this.failedAt < AGAIN) return "send";
    return this.offer.token ? "live" : "rest";
  }

  get rest() {
    return this.offer?.rest ?? 0;
  }

  // Whether a value at rest is shown without the script.
  get settles() {
    return this.way === "live" && Boolean(this.offer.beside) && !belowIsInSight();
  }

  // What is below the fold is of an older value.
  get passed() {
    return this.owed || this.settled;
  }

  owe(owed) {
    this.owed = owed;
    this.dimBelow();
  }

  dimBelow() {
    document.documentElement.classList.toggle(PASSED, this.passed);
  }

  // The script is told of a value: whether it is to draw what is below the fold with it.
  drawsBelow() {
    this.owe(!belowIsInSight());
    return !this.owed;
  }

  // A slider has moved.
  move(slider, { name, value, held }) {
    if (this.way === "send") return;
    this.ahead.add(slider);
    this.slicing?.abort();
    this.knobs[name] = value;
    document.documentElement.classList.add(AHEAD);
    if (this.way === "rest") return;
    this.ask({ knobs: this.knobs, held, range: this.range });
    clearTimeout(this.still);
    clearTimeout(this.quiet);
    this.still = setTimeout(() => this.drawExactly(), STILL);
  }

  // What was asked for at rest gives way to a hand that moves on.
  ask(move) {
    this.wanted = move;
    if (!this.asking) this.run();
    else if (this.rests && !atRest(move)) this.abort?.abort();
  }

  // The value has come to rest.
  settle() {
    clearTimeout(this.quiet);
    this.ask({ knobs: this.knobs, settles: true });
  }

  tellScript() {
    for (const slider of this.ahead) slider.offer();
  }

  // The page that is turned to is to be of the knobs' values from the start.
  async scriptKnows() {
    const end = performance.now() + PATIENCE;
    this.tellScript();
    while ((this.ahead.size || this.awaited) && performance.now() < end) await wait(LOOK);
    this.ahead.clear(); // those that are left rest in their own time
  }

  // A slider has told the script of its value, or is back at the one that the script knows.
  told(slider, sent) {
    this.ahead.delete(slider);
    if (this.ahead.size) return;
    this.stop();
    this.awaited ||= sent;
    if (!this.awaited) return this.restore();
    this.listenNoMore(); // for what was sent before
    clearTimeout(this.late);
    this.late = setTimeout(() => this.scriptChanged(), STUCK); // if the message was lost
  }

  // Nothing that is still on its way is newer than what the script will draw.
  stop() {
    this.wanted = null;
    this.round += 1;
    clearTimeout(this.still);
    clearTimeout(this.quiet);
    this.abort?.abort();
  }

  async scriptChanged() {
    if (scriptRuns()) return;
    this.unheard ??= setTimeout(() => this.repeat(), UNHEARD);
    await wait(30); // what it has sent is mounted
    if (!this.ahead.size && !scriptRuns() && !this.unheardOf().length) this.catchUp();
  }

  // The sliders whose last value is not in what is mounted: another script has ended, or the browser
  // is not that far.
  unheardOf() {
    const { heard } = this.offer ?? {};
    return heard ? Array.from(this.sliders).filter((slider) => !slider.isHeard(heard)) : [];
  }

  // Each is told once more. What is not heard then is not waited for.
  repeat() {
    this.listenNoMore();
    if (scriptRuns()) return; // which may be the one that hears
    const unheard = this.unheardOf();
    if (unheard.filter((slider) => slider.repeat()).length || this.ahead.size) return;
    for (const slider of unheard) slider.giveUp();
    if (unheard.length || this.awaited) this.catchUp();
  }

  listenNoMore() {
    clearTimeout(this.unheard);
    this.unheard = null;
  }

  // To what the script drew last.
  restore() {
    if (this.address !== null) history.replaceState(history.state, "", this.address);
    this.catchUp();
  }

  // The page is what the script has drawn.
  catchUp() {
    clearTimeout(this.late);
    this.awaited = this.settled = false;
    this.address = null;
    this.dimBelow();
    document.documentElement.classList.remove(AHEAD);
    this.range = null;
    this.knobs = {};
    this.note.textContent = "";
    if (!training.plays) this.unsay();
    for (const chart of sinks.values()) chart.catchUp();
  }

  unsay() {
    for (const [node, said] of this.texts) if (node.isConnected) node.innerHTML = said;
    this.texts.clear();
  }

  async run() {
    this.asking = true;
    while (this.wanted) {
      const move = this.wanted;
      this.wanted = null;
      try {
        await this.once(move, this.round);
      } catch (error) {
        if (error.name !== "AbortError") this.fail(error);
      }
    }
    this.asking = false;
  }

  // The sliders go on by the script.
  fail(error) {
    console.warn(`rnnviz: nothing is asked for past the script: ${error.message}`);
    this.failedAt = performance.now();
    this.wanted = null;
    this.tellScript();
  }

  async once(move, round) {
    this.abort = new AbortController();
    this.rests = atRest(move);
    const answer = await post(this.offer, move, this.abort);
    if (answer.status === 204) { // there is no picture of it: the script will say why
      if (move.settles) this.tellScript();
      return;
    }
    if (answer.status === 429) {
      await wait(BUSY);
      if (round === this.round) this.wanted ??= move;
      return;
    }
    const { parts, end } = await read(answer);
    await this.drawn; // the server works while the browser draws, but no further ahead
    if (round !== this.round) return;
    // All at once: figures and sentences of one value are on the screen together.
    for (const [name, content] of parts) this.show(name, content);
    this.answered(move, end, round);
  }

  show(name, content) {
    const [kind, key] = name.split(":");
    if (kind === "words") return this.say(key, utf8.decode(content));
    if (kind === "address") return this.write(utf8.decode(content));
    const shown = sinks.get(key)?.follow(content);
    if (shown) this.drawn = shown;
  }

  // What is left out is said where else the page says what was checked.
  answered(move, { exact, range, note, beside }, round) {
    this.range = move.settles ? null : range;
    this.note.textContent = note;
    if (move.settles) return this.drawSettled(beside, round);
    if (exact || this.wanted) return;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.ask({ ...move, range, rests: true }), QUIET);
  }

  // beside: what the script would offer to choose beside the figures, which it alone can draw.
  async drawSettled(beside, round) {
    if (beside !== this.offer.beside) return this.tellScript();
    await Promise.all(this.drawExactly());
    if (round !== this.round || this.wanted || !this.ahead.size) return;
    this.settled = true;
    this.dimBelow();
    document.documentElement.classList.remove(AHEAD);
  }

  // What is said to Streamlit itself stays.
  write(query) {
    this.address ??= location.pathname + location.search;
    const said = new URLSearchParams(location.search), kept = new URLSearchParams();
    for (const name of STREAMLITS) for (const value of said.getAll(name)) kept.append(name, value);
    const search = [String(kept), query].filter(Boolean).join("&");
    history.replaceState(history.state, "", location.pathname + (search && `?${search}`));
  }

  // What the script wrote there comes back where it has nothing new to say.
  say(key, html) {
    const node = document.querySelector(`[data-words="${key}"]`) ?? this.room(key, html);
    if (!node) return;
    if (!this.texts.has(node)) this.texts.set(node, node.innerHTML);
    if (node.said === html) return;
    node.innerHTML = html;
    node.said = html;
  }

  // A warning where there was none stands below the last sentence.
  room(key, html) {
    const last = [...document.querySelectorAll('[data-words^="how-"]')].at(-1);
    if (!html || !last || key !== "warning") return null;
    const made = Object.assign(document.createElement("p"), { className: "rnnviz-warning" });
    made.dataset.words = key;
    made.setAttribute("role", "alert");
    last.after(made);
    return made;
  }

  drawExactly() {
    return Array.from(sinks.values(), (chart) => chart.drawExactly());
  }
}

const atRest = (move) => Boolean(move.rests || move.settles);

export const live = new Live();
