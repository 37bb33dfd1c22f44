// The clock of work that is done slice by slice: while there is some, the page asks for each next
// slice of it, once the script has ended and the browser keeps up. A page that is left or hidden
// asks for nothing.

import { held, inTurn, scriptRuns, wait } from "./page.js";

const LOST = 3000; // ms without an answer, while no script runs: the message started nothing

const clocks = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let clock = clocks.get(parentElement);
  if (!clock) {
    clock = new Clock();
    clocks.set(parentElement, clock);
  }
  clock.update(JSON.parse(new TextDecoder().decode(data)), setTriggerValue);
  return () => {
    clock.gone = true;
    clocks.delete(parentElement);
  };
}

class Clock {
  update({ running, count }, setTriggerValue) {
    this.running = running;
    this.count = count;
    this.setTriggerValue = setTriggerValue;
    this.answered = true;
    this.drawnBefore = inTurn(() => {}); // what the charts had to draw until now
    if (running) this.run();
  }

  // The server works on the next slice while the browser draws the one before.
  async run() {
    if (this.looping) return;
    this.looping = true;
    while (this.running && !this.gone) {
      await this.drawnBefore;
      while (this.running && !this.gone && this.mustWait()) await wait(10);
      if (!this.running || this.gone) break;
      this.answered = false;
      this.asked = performance.now();
      this.setTriggerValue("tick", this.count);
      await wait(10);
    }
    this.looping = false;
  }

  mustWait() {
    if (document.hidden || held.size || scriptRuns()) return true;
    return !this.answered && performance.now() - this.asked < LOST;
  }
}
