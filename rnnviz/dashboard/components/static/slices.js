// A slice of training while it plays, asked for past the script. A knob that moves comes first.

import { post, read, utf8 } from "./answers.js";
import { live, sinks } from "./live.js";
import { belowIsInSight, scriptRuns } from "./page.js";

export const [SHOWN, BY_SCRIPT, LATE] = ["shown", "by the script", "late"];

// Tells what became of it: the page shows it, the script is to draw it, or something came first.
export async function slice() {
  if (live.way !== "live") return BY_SCRIPT;
  const abort = (live.slicing = new AbortController());
  try {
    const answer = await post(live.offer, { tick: true }, abort);
    if (answer.status === 429) return LATE;
    if (answer.status === 204) return BY_SCRIPT;
    const { parts, end } = await read(answer);
    if (!end.shown) return BY_SCRIPT;
    if (abort.signal.aborted || live.ahead.size || scriptRuns()) return LATE;
    take(parts);
    return SHOWN;
  } catch (error) {
    if (error.name === "AbortError") return LATE;
    live.fail(error);
    return BY_SCRIPT;
  }
}

// As if the script had sent it; that has yet to draw what is below the fold.
function take(parts) {
  live.owe(!belowIsInSight());
  for (const [name, content] of parts) {
    const [kind, key] = name.split(":");
    if (kind === "words") live.say(key, utf8.decode(content));
    else sinks.get(key)?.adopt(content);
  }
}
