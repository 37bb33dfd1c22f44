// What is below the fold follows a knob that has come to rest where it is in sight; else it is dimmed,
// and asked for when it comes in sight.

import { live } from "./live.js";
import { belowIsInSight, scriptRuns, sendAlone, watchScript } from "./page.js";

const AGAIN = 1000; // ms after which is asked again, if nothing came of it

class Below {
  constructor() {
    this.look = null; // asks the script for it; null where no page is mounted
    this.count = null; // of the script's drawings of it
    watchScript(() => this.seen());
    document.addEventListener("scroll", () => this.seen(), { capture: true, passive: true });
    window.addEventListener("resize", () => this.seen());
  }

  // The script has drawn it, as the knobs are that it knows.
  drawn(count, look) {
    this.look = look;
    if (count !== this.count) live.owe(false);
    this.count = count;
  }

  seen() {
    clearTimeout(this.again);
    if (!live.passed || !this.look || !belowIsInSight() || scriptRuns()) return;
    if (live.ahead.size) live.tellScript();
    else this.look();
    this.again = setTimeout(() => this.seen(), AGAIN);
  }
}

const below = new Below();

export default function ({ data, setTriggerValue }) {
  const look = () => sendAlone(() => {
    if (below.look === look) setTriggerValue("look", data.count); // or the next page has come first
  });
  below.drawn(data.count, look);
  return () => below.look === look && below.drawn(null, null); // unless the next page has come before
}
