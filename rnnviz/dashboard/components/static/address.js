// The address follows the knobs. Streamlit pushes each of its changes onto the history, so that Back
// would lead through every move of a knob; on the same page it replaces the present entry instead,
// and Back leads to the page before.
//
// Where a page is turned, Streamlit may push the new one's query a moment before its path, and none
// at all before that, if the script turns it: the entry of the page that is left then gets back what
// it said.

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

window.addEventListener("popstate", () => (over = null)); // it is another entry's now
