// The address follows the knobs. Streamlit pushes each of its changes onto the history, so that Back
// would lead through every move of a knob; on the same page it replaces the present entry instead,
// and Back leads to the page before.
//
// Where a page is turned, Streamlit may push the new one's query a moment before its path: the entry
// of the page that is left then gets back what it said.

const push = history.pushState.bind(history);
const replace = history.replaceState.bind(history);
let over = null; // what the script that runs has written over in the present entry, and with what

history.pushState = (state, unused, url) => {
  const { pathname, search } = new URL(url ?? "", location.href);
  if (pathname === location.pathname) {
    over = { state: history.state, address: location.href, by: search };
    replace(state, unused, url);
  } else {
    if (over?.by === search) replace(over.state, "", over.address);
    over = null;
    push(state, unused, url);
  }
};

// The script has ended, or another entry is gone to: what the present one says is its own.
export function keepAddress() {
  over = null;
}

window.addEventListener("popstate", keepAddress);
