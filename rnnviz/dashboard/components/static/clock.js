// The clock of work that is done slice by slice. It draws nothing.

import { sendAlone } from "./page.js";
import { Ticker } from "./ticker.js";

const clocks = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const { running, count } = JSON.parse(new TextDecoder().decode(data));
  const clock = clocks.get(parentElement) ?? new Ticker();
  clocks.set(parentElement, clock);
  clock.ask = () => sendAlone(() => setTriggerValue("tick", count));
  clock.answered(running);
  return () => {
    clock.destroy();
    clocks.delete(parentElement);
  };
}
