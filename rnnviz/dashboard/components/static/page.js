// What the components of a page know of each other and of the script that feeds them.

import { before, keepAddress } from "./address.js";

const APP = '[data-testid="stApp"]';
const STATE = "data-test-script-state";

// The window event of a chart that has new data; {last} says whether it is the page's last.
export const NEWS = "rnnviz:news";

export function tellNews(last) {
  window.dispatchEvent(new CustomEvent(NEWS, { detail: { last } }));
}

// The window event of a slider that shows a value that no hand has given it just now.
export const SHOWN = "rnnviz:shown";

export function tellShown() {
  window.dispatchEvent(new CustomEvent(SHOWN));
}

// Figures keep their width on paper, so the page is made smaller as a whole.
const PAPER = 690; // pixels between the margins of A4, and of Letter

window.addEventListener("beforeprint", () => {
  const main = document.querySelector('[data-testid="stMainBlockContainer"]');
  const widths = Array.from(main?.querySelectorAll(".rnnviz-chart") ?? [], (box) => box.clientWidth);
  const zoom = Math.min(1, PAPER / Math.max(PAPER, ...widths));
  document.documentElement.style.setProperty("--rnnviz-print", zoom);
});

// Escape closes the definition of the word that has the focus.
document.addEventListener("keydown", (event) => {
  const word = event.key === "Escape" && document.activeElement;
  if (word && word.matches("dfn.rnnviz-term")) word.blur();
});

// The path of the page that is mounted.
export const here = { path: null };

// The last run of the whole script that came to its end, and has been drawn.
export const drawn = { run: null };

// Whether training plays: new data come faster than it pays to draw what nobody sees.
export const training = { plays: false };

// Whether anything can be seen of what is below the fold.
const EDGE = 40; // px that its first line lies within

export function belowIsInSight() {
  const box = document.querySelector(".st-key-details");
  return !box || box.getBoundingClientRect().top < innerHeight - EDGE;
}

// The sliders that are held just now.
export const held = new Set();

// True or false; undefined where Streamlit does not say.
export function scriptRuns() {
  const state = document.querySelector(APP)?.getAttribute(STATE);
  return state ? state !== "notRunning" : undefined;
}

// Call back whenever a script starts or ends; returns what to call to stop.
export function watchScript(callback) {
  const observer = new MutationObserver(callback);
  const app = document.querySelector(APP);
  if (app) observer.observe(app, { attributeFilter: [STATE] });
  return () => observer.disconnect();
}

watchScript(() => scriptRuns() || keepAddress());

// A click on a link to another page, or Back, is on its way. A message that is sent before Streamlit
// has turned the page would come from the old one, and bring that back; so would one that was said
// before the click and leaves after it.
const TURN = 1000; // ms after which a page that has not turned is not waited for
export const STUCK = 5000; // ms after which a running script is not waited for
const LOOK = 40; // ms between two looks
let turning = null; // {at, run, link, touched, to: path, from: path, null after Back, whose address is new at once}

document.addEventListener("click", (event) => {
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
  if (link?.origin !== location.origin || link.pathname === location.pathname) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, or window
  const done = before.turning() ?? leaving;
  if (done) {
    event.preventDefault();
    event.stopImmediatePropagation();
    done.then(() => link.click());
    return;
  }
  const again = turning?.link === link;
  turning = { from: location.pathname, to: link.pathname, at: performance.now(), link };
  if (!again) goTo(turning);
}, true);

// A part of the old page that was about to run again can bring that back.
async function goTo(turn) {
  await wait(TURN);
  await scriptEnds(STUCK);
  if (!goneOn(turn) && location.pathname !== turn.to) turn.link.click();
}

before.back = ({ isTrusted }) => {
  turning = { from: null, to: location.pathname, at: performance.now(), run: drawn.run };
  if (isTrusted) goBack(turning);
  return unheard;
};

// A script that was about to run a part of the old page again makes Streamlit forget to go back, or
// turn to the old page once more.
async function goBack(turn) {
  await wait(TURN);
  await scriptEnds(STUCK);
  if (goneOn(turn) || !here.path || here.path === turn.to) return;
  if (location.pathname === turn.to) dispatchEvent(new PopStateEvent("popstate"));
  else history.back();
}

// The visitor has: by another link, or by something on the page that was turned to, as a dot that
// opens its network.
function goneOn(turn) {
  return turning !== turn || turn.touched;
}

function goesOn() {
  if (turning && here.path === turning.to) turning.touched = true;
}

for (const touch of ["pointerdown", "keydown", "click"]) {
  addEventListener(touch, ({ isTrusted }) => isTrusted && goesOn(), true);
}

// limit: ms after which a link that was clicked is not waited for.
export function pageTurns(limit = TURN) {
  if (!turning) return false;
  const { from, at, run } = turning, back = from === null;
  const turned = back ? drawn.run !== run : location.pathname !== from;
  return !turned && performance.now() - at <= (back ? TURN : limit);
}

// What is sent within one turn of the event loop becomes one message to Streamlit, which runs the
// part of the page that spoke first: sent alone, it reaches the part that it is meant for.
let sending = Promise.resolve();
let leaving = null; // what was said last leaves when this is fulfilled; null: it has left
let unheard = null; // and this, when a script has begun that may have heard of it

export function sendAlone(send) {
  sending = sending.then(pageTurned).then(() => {
    attempt(send);
    goesOn(); // a dot may have been clicked before its page was all there
    const heard = (unheard = scriptBegins(START).then(() => { if (unheard === heard) unheard = null; }));
    return (leaving = wait(0).then(() => (leaving = null)));
  });
}

async function pageTurned() {
  while (pageTurns()) await wait(LOOK);
}

// What sending returns is not waited for: it may never come.
function attempt(send) {
  try {
    send();
  } catch (error) {
    console.warn(`rnnviz: ${error.message}`);
  }
}

// A slider has sent a value, and no script runs yet: other work can wait.
const START = 100; // ms after which the script has started, if the message was not lost
let valueSent = -START;

export function sendValue(send) {
  valueSent = performance.now();
  sendAlone(send);
}

export function valueIsOnItsWay() {
  return performance.now() - valueSent < START;
}

// Wait until the script has ended, no longer than `limit` ms.
export async function scriptEnds(limit) {
  const end = performance.now() + limit;
  while (scriptRuns() && performance.now() < end) await wait(0);
  await wait(0);
}

async function scriptBegins(limit) {
  const end = performance.now() + limit;
  do await wait(0); while (!scriptRuns() && performance.now() < end);
}

export function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// Jobs one after another, each on the screen before the next begins: the first chart of a page
// does not wait for those below it, nor for ever for one that does not end.
const HANGS = 2000; // ms after which a job is not waited for
let last = Promise.resolve();

export function inTurn(job) {
  last = last.then(() => Promise.race([job(), wait(HANGS)])).then(shown);
  return last;
}

// The next frame is out. A page in the background has none; then a moment must do.
function shown() {
  return Promise.race([new Promise(afterPaint), wait(50)]);
}

export function afterPaint(callback) {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = callback;
    channel.port2.postMessage(null);
  });
}
