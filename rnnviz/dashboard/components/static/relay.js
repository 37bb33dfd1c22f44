// Sends for a slider until its value has settled. It stands in the part of the page that the slider changes, so
// Streamlit runs that part alone and at once; a message of the slider itself would run the script
// from its top first.

import { relay } from "./page.js";

export default function ({ data, setStateValue }) {
  relay.page = data.page;
  relay.send = (knob) => setStateValue("held", knob);
  return () => {
    relay.send = null;
  };
}
