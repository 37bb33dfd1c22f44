// The address follows the knobs. Streamlit pushes each of its changes onto the history, so that Back
// would lead through every move of a knob; on the same page it replaces the present entry instead,
// and Back leads to the page before.
//
// Where a page is turned, Streamlit may push the new one's query a moment before its path, and none
// at all before that, if the script turns it: the entry of the page that is left then gets back what
// it said.

// Of what has to happen before a link turns the page, and before Back does: a promise, or null.
export const before = { turning: () => null, back: () => null };

const push = history.pushState.bind(history);
const replace = history.replaceState.bind(history);
const GOES_ON = 500; // ms within which a script that turns the page is followed by the new page's
let over = null; // what the script that runs has written over in the present entry, and with what
let path = location.pathname; // of the page that Streamlit has turned to
let held = null; // Back, before Streamlit is told

history.pushState = (state, unused, url) => {
  const { pathname, search } = new URL(url ?? "", location.href);
  if (held && pathname === path) return; // a script of the page that is left still names it
  if (pathname === location.pathname) {
    const emptied = over?.by === "" ? over : null;
    over = { state: history.state, address: location.href, ...emptied, by: search };
    replace(state, unused, url);
  } else {
    if (over?.by === search) replace(over.state, "", over.address);
    over = null;
    path = pathname;
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
window.addEventListener("popstate", async (event) => {
  over = null;
  const again = event === held, heard = again ? null : before.back(event);
  held = null;
  if (!heard) {
    path = location.pathname;
    return;
  }
  event.stopImmediatePropagation();
  const late = (held = new PopStateEvent("popstate", event)), { href } = location;
  await heard;
  if (held !== late) return; // the visitor has gone further
  replace(event.state, "", href);
  dispatchEvent(late);
});
