// What this tab keeps when its page is loaded again, and no other tab knows: the token under which
// the server has what was trained here.

import { scriptEnds, sendAlone } from "./page.js";

const HERE = new URL(".", import.meta.url).pathname;
const TOKEN = `${HERE}token`;
const TRAINED = `${HERE}trained`;
const LEFT = `${HERE}left`;
const WAIT = 5000; // ms at most until the script has ended that loaded the page

// A duplicate has a copy of what its original keeps, which was not left: the original goes on.
let duplicate = read(LEFT) === null;
let asked = null;
write(LEFT, null);
window.addEventListener("pagehide", () => write(LEFT, "yes"));
window.addEventListener("pageshow", () => write(LEFT, null));

export default function ({ data: { token, trained }, setTriggerValue }) {
  const mine = read(TOKEN);
  if (mine === null) write(TOKEN, token);
  if (mine === null || mine === token) {
    duplicate = false;
    write(TRAINED, trained ? "yes" : null);
  } else if (asked !== token) {
    asked = token;
    const claim = { token: mine, copy: duplicate, trained: read(TRAINED) !== null };
    if (duplicate) write(TOKEN, token);
    duplicate = false;
    scriptEnds(WAIT).then(() => sendAlone(() => setTriggerValue("claim", claim)));
  }
}

// A browser may forbid to keep anything; then nothing is kept.
function read(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch {
    // see above
  }
}
