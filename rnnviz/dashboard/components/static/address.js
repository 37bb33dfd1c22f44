// The address follows the knobs. Streamlit pushes each of its changes onto the history, so that Back
// would lead through every move of a knob; on the same page it replaces the present entry instead,
// and Back leads to the page before.
//
// Where a page is turned, Streamlit may push the new one's query a moment before its path, and none
// at all before that, if the script turns it: the entry of the page that is left then gets back what
// it said.

// What has to be done before a page is turned, by a link or by Back: tells when it is, or is null.
export const before = { turning: () => null, back: () => null };

const push = history.pushState.bind(history);
const replace = history.replaceState.bind(history);
const GOES_ON = 500; // ms within which a script that turns the page is followed by the new page's
let over = null; // what the script that runs has written over in the present entry, and with what

history.pushState = (state, unused, url) => {
  const { pathname, search } = new URL(url ?? "", location.href);
  if (pathname === location.pathname) {
    const emptied = over?.by === "" ? over : null;
    over = { state: history.state, address: location.href, ...emptied, by: search };
    replace(state, unused, url);
  } else {
    if (over?.by === search) replace(over.state, "", over.address);
    over = null;
    push(state, unused, url);
  }
};

// The script has ended: what the entry says is its own, unless another script goes on to turn the page.
export function keepAddress() {
  const ended = over;
  setTimeout(() => { if (over === ended) over = null; }, ended?.by === "" ? GOES_ON : 0);
}

// Back, or forward: it is another entry's now. Streamlit hears of it once what was said on the page
// that is left has been heard: later, that would bring the knobs of that page to this one.
let late = null; // Back that is told again

window.addEventListener("popstate", async (event) => {
  over = null;
  if (event === late) return;
  late = null;
  const heard = before.back(event);
  if (!heard) return;
  event.stopImmediatePropagation();
  const again = (late = new PopStateEvent("popstate", event)), address = location.href;
  await heard;
  const goneOn = late !== again || location.pathname !== new URL(address).pathname;
  if (goneOn) return;
  replace(history.state, "", address);
  dispatchEvent(again);
});
