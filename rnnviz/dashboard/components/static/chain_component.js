// By hand as a component of the page: the chain stands in the address, which the script writes. It
// hears of a change once that has come to rest.

import { ByHand } from "./by_hand.js";
import { sendAlone } from "./page.js";

const REST = 400; // ms without a change

const parts = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let part = parts.get(parentElement);
  if (!part) {
    part = new Component(parentElement);
    parts.set(parentElement, part);
  }
  part.update(JSON.parse(new TextDecoder().decode(data)), setStateValue);
  return () => {
    part.destroy();
    parts.delete(parentElement);
  };
}

class Component {
  constructor(root) {
    this.root = root;
  }

  // The server's chain is taken unless there is one of the visitor's that it has not heard of.
  update({ chain, seq, ...given }, setStateValue) {
    this.setStateValue = setStateValue;
    const said = JSON.stringify(given);
    if (said !== this.said) this.begin(given);
    this.said = said;
    const ahead = this.timer || (this.seq !== undefined && this.seq !== seq);
    if (ahead && this.hand.chain) return;
    this.seq = seq;
    if (!same(chain, this.hand.chain)) this.hand.show(chain);
  }

  begin(given) {
    const before = this.hand?.chain;
    this.destroy();
    this.root.querySelector(".hand")?.remove();
    this.hand = new ByHand(this.root, given, (changed) => this.changed(changed));
    if (before) this.hand.show(before);
  }

  destroy() {
    clearTimeout(this.timer);
    this.timer = null;
    this.hand?.destroy();
  }

  changed(chain) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.hand.timer ? this.changed(chain) : this.send()), REST);
  }

  send() {
    this.timer = null;
    this.seq = (this.seq ?? 0) + 1;
    const { seq } = this, asked = linkOf(this.hand.chain);
    sendAlone(() => this.setStateValue("chain", { seq, asked }));
  }
}

// As a link says it.
function linkOf(chain) {
  return Object.fromEntries(Object.entries(chain).map(([name, value]) => [name, String(value)]));
}

function same(one, other) {
  return Boolean(other) && Object.keys(one).every((name) => String(one[name]) === String(other[name]));
}
