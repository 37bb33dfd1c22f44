// The whole script has come to its end: what it has drawn is here, in this language.

import { drawn } from "./page.js";

export default function ({ data }) {
  drawn.run = data.run;
  document.documentElement.lang = data.language;
}
