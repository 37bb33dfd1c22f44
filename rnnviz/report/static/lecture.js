// A lecture in one file: the scene that is open, what was answered, and the language.

import { main as desk } from "./desk.js";
import { onPaper, redraw } from "./figure.js";
import { isRight } from "./guess.js";
import { HandView } from "./lecture_hand.js";
import { QuizView, SceneView } from "./lecture_scene.js";
import { plotlyHere, refuse, unpacked } from "./packed.js";
import { element } from "./plotting.js";

class Lecture {
  constructor(main, held) {
    Object.assign(this, { main, held, taken: {}, revealed: new Set(), onPaper: false });
    this.words = this.preferred();
    this.views = [...held.scenes.map((_, at) => new SceneView(this, at)), new QuizView(this), new HandView(this)];
    this.top = element("nav", "top");
    this.desk = element("div", "desk");
    this.about = element("p", "about");
    main.append(this.top, ...this.views.map(({ section }) => section), this.desk, this.about);
    window.addEventListener("keydown", (event) => this.keyed(event), true); // before the desk's
    window.addEventListener("hashchange", () => this.open(this.linked()));
    onPaper(() => this.paper(true), () => this.paper(false));
    this.open(this.linked());
  }

  // The first language that the browser prefers and the file has.
  preferred() {
    const { languages } = this.held, asked = navigator.languages.map((each) => each.split("-")[0]);
    return asked.map((each) => languages.find(({ code }) => code === each)).find(Boolean) ?? languages[0];
  }

  // The scene that the address names, from 0; the first where there is none such.
  linked() {
    const number = Number(location.hash.slice(1));
    return Number.isInteger(number) && number >= 1 && number <= this.views.length ? number - 1 : 0;
  }

  get view() {
    return this.views[this.at];
  }

  open(at) {
    this.at = at;
    this.views.forEach((view, k) => {
      view.section.hidden = k !== at && !this.onPaper;
      if (view.section.hidden) view.leave?.();
    });
    this.update();
  }

  go(to) {
    const at = Math.min(this.views.length - 1, Math.max(0, to));
    if (at === this.at) return;
    location.hash = at + 1; // Back leads to where one was
    scrollTo(0, 0);
  }

  // All that is seen, from what is known.
  update() {
    const { words, view } = this;
    document.documentElement.lang = words.code;
    document.title = words.title;
    this.about.innerHTML = words.about;
    this.drawTop();
    for (const each of this.onPaper ? this.views : [view]) each.update();
    desk({ parentElement: this.desk, setTriggerValue: (_, told) => this.told(told), data: {
      question: view.name, note: view.words.note, choices: view.count, words: words.desk, room: null, heard: "",
      cards: this.cards(), progress: this.progress() } });
  }

  drawTop() {
    const { languages } = this.held, named = (code) => new Intl.DisplayNames([code], { type: "language" }).of(code);
    this.top.setAttribute("aria-label", this.words.language);
    this.top.replaceChildren(...(languages.length < 2 ? [] : languages).map((each) => {
      const button = Object.assign(element("button", "language"), { type: "button", lang: each.code, textContent: named(each.code) });
      button.setAttribute("aria-pressed", each === this.words);
      button.addEventListener("click", () => {
        this.words = each;
        this.update();
      });
      return button;
    }));
  }

  cards() {
    const { scenes, quiz, hand } = this.words;
    return [
      ...this.held.scenes.map(({ name }, at) => ({ names: [name], title: scenes[at].title })),
      { names: ["quiz", ...this.held.quiz.map(({ name }) => name)].slice(1), title: quiz.title },
      { names: ["by_hand"], title: hand.title },
    ];
  }

  // Question -> whether it was answered right.
  progress() {
    const answered = [...this.held.scenes, ...this.held.quiz].filter(({ name }) => name in this.taken);
    return Object.fromEntries(answered.map((facts) => [facts.name, isRight(facts, this.taken[facts.name])]));
  }

  isShown(name) {
    return this.onPaper || this.revealed.has(name);
  }

  answer(name, number) {
    if (this.revealed.has(name)) return;
    this.taken[name] = number;
    this.revealed.add(name);
    this.update();
  }

  told({ action, question, number }) {
    if (action === "next" || action === "previous") this.go(this.at + (action === "next" ? 1 : -1));
    else if (action === "go") this.go(number - 1);
    else if (action === "answer") this.answer(question, number);
    else if (action === "reveal") {
      const names = this.view.name === "quiz" ? this.held.quiz.map(({ name }) => name) : [this.view.name];
      for (const name of names) this.revealed.add(name);
      this.update();
    }
  }

  keyed(event) {
    if (event.repeat || !this.view.steps?.(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // On paper every scene is there, with its answer.
  paper(is) {
    this.onPaper = is;
    this.open(this.at);
  }
}

async function main() {
  const held = JSON.parse(await unpacked("data"));
  new Lecture(document.querySelector("main"), held);
  await plotlyHere(); // before it is needed, or paper
  redraw();
}

main().catch(refuse);
