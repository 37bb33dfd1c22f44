// The choices of a question as buttons, and of a room's votes a bar in each; or the scale on which a
// number is guessed.

import { Guess } from "./guess.js";
import { sendAlone } from "./page.js";
import { element } from "./plotting.js";

const EACH = 400; // ms between two looks at a room's votes

const ballots = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let ballot = ballots.get(parentElement);
  if (!ballot) {
    ballot = new Ballot(parentElement);
    ballots.set(parentElement, ballot);
  }
  ballot.update(data, setTriggerValue);
  return () => {
    ballot.destroy();
    ballots.delete(parentElement);
  };
}

class Ballot {
  constructor(parent) {
    this.box = element("div", "rnnviz-ballot");
    this.box.setAttribute("role", "group");
    parent.append(this.box);
  }

  destroy() {
    clearTimeout(this.timer);
    this.gone = true;
    this.box.remove();
  }

  update(data, setTriggerValue) {
    this.data = data;
    this.send = (number) => sendAlone(() => setTriggerValue("act", {
      action: "answer", question: data.question, number,
    }));
    const signature = JSON.stringify(data);
    if (signature === this.signature) return;
    this.signature = signature;
    this.box.setAttribute("aria-label", data.words.choices);
    if (data.guess) this.drawGuess(data);
    else this.drawChoices(data);
    clearTimeout(this.timer);
    if (data.votes) this.look();
  }

  drawChoices({ choices }) {
    this.guess = null;
    this.buttons = choices.map((html, at) => this.button(html, at + 1));
    this.box.replaceChildren(...this.buttons);
  }

  drawGuess(data) {
    if (this.guessed !== data.question) this.guess = null;
    this.guessed = data.question;
    this.guess ??= new Guess(this.box, (place) => this.send(place));
    this.guess.update(data);
  }

  button(html, number) {
    const { taken, right, words } = this.data;
    const button = element("button", "choice");
    button.type = "button";
    button.classList.toggle("right", right === number);
    button.classList.toggle("wrong", Boolean(right) && taken === number && right !== number);
    button.setAttribute("aria-pressed", taken === number);
    button.setAttribute("aria-disabled", Boolean(right));
    const said = right === number ? words.right : taken === number ? words.taken : "";
    button.innerHTML = `<i class="bar"></i><kbd>${number}</kbd><span>${html}</span><b class="count"></b>`;
    if (said) button.append(Object.assign(element("em", "said"), { textContent: said }));
    button.addEventListener("click", () => right || this.send(number));
    return button;
  }

  // The histogram of the room, as often as it is worth looking.
  async look() {
    const { votes, signature } = { votes: this.data.votes, signature: this.signature };
    try {
      const answer = await fetch(votes.path, { headers: { "X-Rnnviz-Room": votes.secret }, cache: "no-store" });
      if (answer.status === 204) return; // the room has ended
      if (answer.ok && signature === this.signature) this.draw((await answer.json()).counts);
    } catch (error) {
      console.warn(`rnnviz: ${error.message}`); // the next look may find it
    }
    if (!this.gone && signature === this.signature) this.timer = setTimeout(() => this.look(), EACH);
  }

  draw(counts) {
    const all = counts.reduce((sum, count) => sum + count, 0);
    this.box.dataset.votes = all;
    const { shown } = this.data.votes;
    if (this.guess) this.guess.draw(counts, shown);
    else this.buttons.forEach((button, at) => {
      button.querySelector(".bar").style.width = shown && all ? `${(100 * counts[at]) / all}%` : 0;
      button.querySelector(".count").textContent = shown ? counts[at] : "";
    });
    for (const place of document.querySelectorAll(".rnnviz-votes")) place.textContent = all;
  }
}
