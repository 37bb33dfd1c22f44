// By hand in a file: the same part as on the page of that name, which computes it all by itself.

import { ByHand } from "./by_hand.js";
import { element } from "./plotting.js";

const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };

export class HandView {
  constructor(lecture) {
    Object.assign(this, { lecture, name: "by_hand", count: 0, section: element("section", "scene hand") });
    this.chain = lecture.held.chain;
    this.head = element("h1", "rnnviz-asks");
    this.place = element("div", "place");
    this.how = element("p", "rnnviz-says how");
    this.section.append(this.head, this.place, this.how);
    this.root = this.place.attachShadow({ mode: "open" });
  }

  get words() {
    return { ...this.lecture.words.hand, note: "" };
  }

  update() {
    const { question, how, given } = this.words;
    this.head.innerHTML = question;
    this.how.innerHTML = how;
    if (this.given === given && this.hand) return;
    this.leave();
    this.given = given;
    this.root.innerHTML = `<style>${this.lecture.held.sheets.hand}</style>`;
    this.hand = new ByHand(this.root, given, (chain) => (this.chain = chain));
    this.hand.show(this.chain);
  }

  // It listens to keys as long as it is there.
  leave() {
    this.hand?.destroy();
    this.hand = null;
  }

  // Whether a key has gone a step: at both ends it turns the scene, as everywhere.
  steps(event) {
    const by = STEPS[event.key], { hand } = this;
    if (!hand || !by || event.ctrlKey || event.metaKey || event.altKey) return false;
    const inField = event.composedPath()[0].closest?.("input, select");
    const stage = hand.chain.stage + by;
    if ((inField && event.key.startsWith("Arrow")) || stage < 0 || stage > hand.last) return false;
    hand.go(stage);
    return true;
  }
}
