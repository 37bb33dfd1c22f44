// The address follows the knobs. Streamlit pushes each of its changes onto the history, so that Back
// would lead through every move of a knob; on the same page it replaces the present entry instead,
// and Back leads to the page before.

const push = history.pushState.bind(history);
const replace = history.replaceState.bind(history);

history.pushState = (state, unused, url) => {
  const { pathname } = new URL(url ?? "", location.href);
  (pathname === location.pathname ? replace : push)(state, unused, url);
};
