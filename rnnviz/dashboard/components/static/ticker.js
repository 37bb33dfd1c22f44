// Work that is done slice by slice: while there is some, the page asks for each next slice as soon
// as the script has ended, if what came before its figures is drawn: the server works while the
// browser draws. A page that is left or hidden asks for nothing.

import {
  STUCK, held, inTurn, pageTurns, scriptRuns, valueIsOnItsWay, wait, watchScript,
} from "./page.js";

const LOST = 3000; // ms without an answer, while no script runs: the message started nothing

export class Ticker {
  // ask: for a slice; waits: whether something else comes first.
  constructor(ask, waits = () => false) {
    this.ask = ask;
    this.waits = waits;
    this.running = false;
    this.path = location.pathname; // of its page
    this.unwatch = watchScript(() => this.wake?.());
  }

  destroy() {
    this.stop();
    this.unwatch();
  }

  stop() {
    this.running = false;
  }

  // The first slice is asked for until the server answers: a message may be lost.
  begin() {
    this.running = this.done = true;
    this.run();
  }

  // The server has answered. `every`: the least time in ms between two slices.
  answered(running, every = 0) {
    this.running = running;
    this.every = every;
    this.done = true;
    this.drawnBefore = inTurn(() => {}); // what the charts had to draw until now
    if (running) this.run();
  }

  async run() {
    if (this.looping) return;
    this.looping = true;
    while (this.running) {
      await this.drawnBefore;
      while (this.running && this.mustWait()) await this.aMoment();
      if (!this.running) break;
      this.done = false;
      this.asked = performance.now();
      this.ask();
      await wait(10);
    }
    this.looping = false;
  }

  // Until the script ends or begins, or 10 ms.
  aMoment() {
    return Promise.race([new Promise((resolve) => (this.wake = resolve)), wait(10)]);
  }

  mustWait() {
    const since = performance.now() - (this.asked ?? -LOST);
    // A script that runs on and on would leave a slider no moment to send its value.
    if (document.hidden || held.size || scriptRuns() || valueIsOnItsWay() || this.waits()) return true;
    if (location.pathname !== this.path || pageTurns(STUCK)) return true;
    return since < this.every || (!this.done && since < LOST);
  }
}
