// The keys that lead a lecture, as a line of buttons; the lecturer's note and the clock behind them.
//
// Page Up and Page Down, which a clicker sends, turn the scene wherever the focus is. Arrows belong
// to a slider or a list that has the focus; but a slider that was dragged leaves them to the scene.

import { SHOWN, sendAlone } from "./page.js";
import { element } from "./plotting.js";

const AGAIN = 1000; // ms after which the room is asked for once more
const BEGAN = "rnnviz.lecture.began"; // in the tab: when the lecture began, in ms
const ROOM = "rnnviz.lecture.room"; // in the tab: code and secret of the room that it leads
const PROGRESS = "rnnviz.lecture.progress"; // in the browser: name of a question -> whether the answer was right
const KEYS = {
  PageDown: "next", PageUp: "previous", ArrowRight: "next", ArrowLeft: "previous",
  r: "reveal", b: "reveal", ".": "reveal", n: "note", t: "clock", v: "room", h: "bars", o: "cards", f: "full",
};
const MOVES = ["input", SHOWN]; // of the scene's knob: by hand, and as the script has drawn it
const TAKES_ARROWS = "input, textarea, select, [role=slider], [role=combobox], [role=radio], [contenteditable]";
const TAKES_LETTERS = "input:not([type=range]), textarea, select, [role=combobox], [contenteditable]";

const desks = new WeakMap();
const open = { note: false, clock: false, cards: false }; // from scene to scene

export default function ({ data, parentElement, setTriggerValue }) {
  let desk = desks.get(parentElement);
  if (!desk) {
    desk = new Desk(parentElement);
    desks.set(parentElement, desk);
  }
  desk.update(data, setTriggerValue);
  return () => {
    desk.destroy();
    desks.delete(parentElement);
  };
}

class Desk {
  constructor(parent) {
    this.box = element("div", "rnnviz-desk");
    this.line = element("p", "keys");
    this.clock = element("span", "clock");
    this.note = element("aside");
    this.cards = element("nav", "cards");
    this.box.append(this.note, this.cards, this.line);
    parent.append(this.box);
    this.hear = (event) => this.key(event);
    window.addEventListener("keydown", this.hear, true);
    this.point = (event) => this.pointed(event.composedPath()[0]);
    window.addEventListener("pointerdown", this.point, true);
    this.follow = () => this.showWhatHolds();
    for (const type of MOVES) window.addEventListener(type, this.follow);
    this.tick = setInterval(() => this.showClock(), 1000);
  }

  destroy() {
    window.removeEventListener("keydown", this.hear, true);
    window.removeEventListener("pointerdown", this.point, true);
    for (const type of MOVES) window.removeEventListener(type, this.follow);
    clearInterval(this.tick);
    clearTimeout(this.again);
    this.box.remove();
  }

  update(data, setTriggerValue) {
    if (this.data?.question !== data.question) this.since = Date.now();
    this.data = data;
    this.send = (action, number = 0, more = {}) => sendAlone(() => setTriggerValue("act", {
      action, question: data.question, number, ...more,
    }));
    if (this.note.written !== data.note) this.note.innerHTML = this.note.written = data.note;
    this.writeLine();
    this.keepRoom();
    this.drawCards();
    this.show();
    this.showWhatHolds();
  }

  writeLine() {
    const { words, room } = this.data;
    if (JSON.stringify(words) === this.written) return;
    this.written = JSON.stringify(words);
    const actions = ["previous", "next", "reveal", "note", "clock", "room", "bars", "cards", "full"];
    this.line.replaceChildren(...actions.filter((name) => name in words && (name !== "bars" || room)).map((action) => {
      const button = Object.assign(element("button", action), { type: "button" });
      button.innerHTML = words[action];
      button.addEventListener("click", () => this.act(action));
      return button;
    }), this.clock);
  }

  // A room outlives the page: the tab keeps its secret, and leads it again. It asks for it until the
  // server has heard: what is asked while a page is loaded may be lost.
  keepRoom() {
    clearTimeout(this.again);
    const { room, heard } = this.data, kept = sessionStorage.getItem(ROOM);
    this.led ||= Boolean(room);
    if (room) sessionStorage.setItem(ROOM, JSON.stringify(room));
    else if (kept && !this.led && heard !== JSON.parse(kept)[0]) {
      const [code, secret] = JSON.parse(kept);
      this.send("back", 0, { code, secret });
      this.again = setTimeout(() => this.keepRoom(), AGAIN);
    } else sessionStorage.removeItem(ROOM);
  }

  // The scenes as cards, each with what this browser's visitor made of it.
  drawCards() {
    const { cards, progress, question, words } = this.data;
    const known = { ...read(PROGRESS), ...progress };
    write(PROGRESS, known);
    this.cards.setAttribute("aria-label", words.cards_name);
    this.cards.replaceChildren(...cards.map(({ names, title }, at) => {
      const card = Object.assign(element("button", "card"), { type: "button" });
      const right = names.filter((name) => known[name]).length;
      const done = names.filter((name) => name in known).length;
      const state = done < names.length ? "" : right === names.length ? "✓" : `${right}/${names.length}`;
      card.innerHTML = `<b>${at + 1}</b><span>${title}</span><i>${state}</i>`;
      card.dataset.done = done === names.length;
      if (names.includes(question)) card.setAttribute("aria-current", "true");
      card.addEventListener("click", () => this.go(at + 1));
      return card;
    }));
  }

  pointed(at) {
    this.dragged = at instanceof Element && at.matches("input[type=range]") ? at : null;
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const { key, target } = event;
    const at = target instanceof Element ? event.composedPath()[0] : null;
    if (key === "Tab") this.dragged = null;
    if (key === "Escape" && open.cards) return this.taken(event, () => this.act("cards"));
    const inField = (css) => at instanceof Element && at.closest(css);
    const turns = key.startsWith("Page");
    const arrow = key.startsWith("Arrow");
    if (!turns && at !== this.dragged && inField(arrow ? TAKES_ARROWS : TAKES_LETTERS)) return;
    const number = /^[1-9]$/.test(key) ? Number(key) : 0;
    const means = KEYS[key.length === 1 ? key.toLowerCase() : key];
    const action = means in this.data.words ? means : null; // a page may lack some
    if (action) this.taken(event, () => this.act(action));
    else if (number && open.cards) this.taken(event, () => this.go(number));
    else if (number && number <= this.data.choices) this.taken(event, () => this.send("answer", number));
  }

  taken(event, act) {
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) act();
  }

  go(number) {
    open.cards = false;
    this.send("go", number);
  }

  act(action) {
    if (action in open) {
      open[action] = !open[action];
      this.show();
    } else if (action === "full") {
      const done = document.fullscreenElement
        ? document.exitFullscreen() : document.documentElement.requestFullscreen();
      done.catch((error) => console.warn(`rnnviz: ${error.message}`));
    } else {
      open.cards = false;
      this.show();
      this.send(action);
    }
  }

  show() {
    this.note.hidden = !open.note || !this.data.note;
    this.cards.hidden = !open.cards;
    for (const action of Object.keys(open)) {
      this.line.querySelector(`.${action}`)?.setAttribute("aria-pressed", open[action]);
    }
    this.showClock();
  }

  showClock() {
    if (!sessionStorage.getItem(BEGAN)) sessionStorage.setItem(BEGAN, Date.now());
    this.clock.hidden = !open.clock;
    const whole = Date.now() - Number(sessionStorage.getItem(BEGAN));
    const said = { whole: minutes(whole), scene: minutes(Date.now() - this.since) };
    this.clock.textContent = (this.data?.words.clock_says ?? "").replace(/\[\[(\w+)\]\]/g, (_, name) => said[name]);
    this.clock.title = this.data?.words.clock_means ?? "";
  }

  // What the answer says is of one value of the knob: where that has been moved, it says so.
  showWhatHolds() {
    const place = document.querySelector(".st-key-lecture-knob");
    const parts = [...place?.querySelectorAll("*") ?? []].map((part) => part.shadowRoot ?? part);
    const knob = parts.map((part) => part.querySelector("input[type=range]")).find(Boolean);
    const says = document.querySelector(".rnnviz-says[data-holds]");
    if (knob?.dataset.value !== undefined && says) says.classList.toggle("elsewhere", knob.dataset.value !== says.dataset.holds);
  }
}

// A browser may keep nothing: then the cards begin anew.
function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch (error) {
    console.warn(`rnnviz: ${error.message}`);
  }
}

function minutes(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
