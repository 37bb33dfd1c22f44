// A scene of a file, and its quiz: what is asked, what is drawn, and once it is answered or revealed
// the answer.

import { main as ballot } from "./ballot.js";
import { Figure } from "./figure.js";
import { guessWords, isRight } from "./guess.js";
import { Knob } from "./knob.js";
import { element } from "./plotting.js";

// The choices of a question, as the Lecture page has them. answer(number) is called with one of them.
function drawBallot(place, { name, right, guess = null, choices, taken, shown, words }, answer) {
  const setTriggerValue = (_, { number }) => answer(number);
  const data = { question: name, choices, guess, taken, right: shown ? right : 0, words, votes: null };
  ballot({ data, parentElement: place, setTriggerValue });
}

function heading(number, question) {
  return `<div class="rnnviz-scene"><span class="number">${number}</span><h1 class="rnnviz-asks">${question}</h1></div>`;
}

export class SceneView {
  // lecture: {held, words, taken, shown, answer}. at: the number of the scene, from 0.
  constructor(lecture, at) {
    Object.assign(this, { lecture, at, facts: lecture.held.scenes[at] });
    this.name = this.facts.name;
    this.section = element("section", "scene");
    [this.head, this.choices, this.hidden, this.chart, this.told, this.knobs] =
      ["head", "choices", "rnnviz-place", "rnnviz-chart", "told", "st-key-lecture-knob"].map((name) => element("div", name));
    this.chart.setAttribute("role", "group");
    this.told.setAttribute("role", "status");
    this.section.append(this.head, this.choices, this.hidden, this.chart, this.told, this.knobs);
    this.figure = new Figure(this.chart, lecture.held, lecture.words.chart);
    this.place = this.facts.knob?.at ?? 0;
  }

  get count() {
    return this.words.choices.length;
  }

  get words() {
    return this.lecture.words.scenes[this.at];
  }

  update() {
    const { lecture, words, name, facts } = this, shown = lecture.isShown(name), taken = lecture.taken[name] ?? 0;
    this.head.innerHTML = heading(words.number, words.question);
    drawBallot(this.choices, { ...facts, choices: words.choices, taken, shown, words: lecture.words.ballot },
      (number) => lecture.answer(name, number));
    this.draw(shown);
    const verdict = shown && taken ? this.verdict(taken) : "";
    this.told.innerHTML = !shown ? "" : `<p class="rnnviz-says" data-of="${words.holds ?? ""}">${verdict && verdict + lecture.words.between}${words.reveal}</p>`
      + `<p class="rnnviz-says sentence">${words.sentence}</p><p class="rnnviz-try">${words.to_try}</p>`;
    this.knobs.hidden = !shown || !facts.knob;
    if (!this.knobs.hidden) this.turn(this.place, false);
  }

  verdict(taken) {
    const { facts } = this, { verdicts, guesses } = this.lecture.words, right = Number(isRight(facts, taken));
    return facts.guess ? guessWords(guesses[right], facts, taken) : verdicts[right];
  }

  // While the question is open there is what was before the answer, or nothing.
  draw(shown) {
    const { held, words } = this.lecture, drawn = words.drawn[this.at];
    const number = shown ? drawn.shown[this.place] : drawn.first;
    this.hidden.hidden = number !== null;
    this.chart.hidden = number === null;
    this.hidden.innerHTML = words.hidden;
    this.hidden.style.height = `${held.figures[drawn.shown[0]].height}px`;
    this.figure.words = words.chart;
    if (number !== null) this.figure.show(held.figures[number]);
  }

  turn(place, draw = true) {
    const { facts, words } = this;
    this.place = place;
    this.knob ??= new Knob(this.knobs, this.lecture.held.sheets.slider, (to) => this.turn(to));
    this.knob.show(facts.knob, place, words.knob, words.caption);
    this.told.querySelector("[data-of]")?.classList.toggle("elsewhere", place !== facts.knob.at);
    if (draw) this.draw(true);
  }
}

export class QuizView {
  constructor(lecture) {
    Object.assign(this, { lecture, name: "quiz", count: 0, section: element("section", "scene quiz") });
    this.head = element("div", "head");
    this.questions = lecture.held.quiz.map(() => {
      const [asks, choices, told] = ["rnnviz-quiz", "choices", "rnnviz-says"].map((name) => element("div", name));
      told.setAttribute("role", "status");
      return { asks, choices, told };
    });
    this.score = element("p", "rnnviz-says sentence");
    this.section.append(this.head, ...this.questions.flatMap(Object.values), this.score);
  }

  get words() {
    return { ...this.lecture.words.quiz, note: "" };
  }

  update() {
    const { lecture } = this, { quiz } = lecture.held, { title, number, questions } = lecture.words.quiz;
    this.head.innerHTML = heading(number, title);
    quiz.forEach(({ name, right }, at) => {
      const { asks, choices, told } = this.questions[at], said = questions[at];
      const shown = lecture.isShown(name), taken = lecture.taken[name] ?? 0;
      asks.innerHTML = said.question;
      drawBallot(choices, { name, right, choices: said.choices, taken, shown, words: lecture.words.ballot },
        (choice) => lecture.answer(name, choice));
      told.innerHTML = shown ? said.reveal : "";
    });
    const taken = quiz.filter(({ name }) => name in lecture.taken), all = quiz.every(({ name }) => lecture.isShown(name));
    const right = taken.filter((each) => lecture.taken[each.name] === each.right).length;
    const values = { right, count: quiz.length };
    this.score.textContent = taken.length && all
      ? lecture.words.score.replace(/\[\[(\w+)\]\]/g, (_, name) => values[name]) : "";
  }
}
