// How this page follows its sliders: what its script offers, mounted once a page.

import { live } from "./live.js";
import { here } from "./page.js";

export default function ({ data }) {
  here.path = data.page;
  live.open(data);
  return () => live.offer === data && live.open(null); // unless the next page has come before
}
