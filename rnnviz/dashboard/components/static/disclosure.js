// A line that opens a panel, with a button in it that asks for work, slice by slice. The panel stays
// open while its contents change; Escape closes it, and the focus is on the line again.

import { sinks } from "./live.js";
import { sendAlone } from "./page.js";
import { element } from "./plotting.js";
import { Ticker } from "./ticker.js";

const disclosures = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let disclosure = disclosures.get(parentElement);
  if (!disclosure) {
    disclosure = new Disclosure(parentElement);
    disclosures.set(parentElement, disclosure);
  }
  disclosure.update(JSON.parse(new TextDecoder().decode(data)), setTriggerValue);
  return () => {
    disclosure.destroy();
    disclosures.delete(parentElement);
  };
}

class Disclosure {
  constructor(parent) {
    this.box = element("div", "rnnviz-trust");
    this.status = element("span", "status");
    this.status.setAttribute("role", "status");
    this.toggle = element("button", "line");
    this.panel = element("div", "all");
    this.panel.id = `panel-${Math.random().toString(36).slice(2)}`;
    this.panel.setAttribute("role", "region");
    this.panel.hidden = true;
    this.contents = element("div", "contents");
    this.ask = element("button", "ask");
    for (const button of [this.toggle, this.ask]) button.type = "button";
    this.toggle.setAttribute("aria-controls", this.panel.id);
    this.status.append(this.toggle);
    this.panel.append(this.ask, this.contents);
    this.box.append(this.status, this.panel);
    parent.append(this.box);
    this.ticker = new Ticker();
    this.listen();
  }

  listen() {
    this.toggle.addEventListener("click", () => this.open(this.panel.hidden));
    this.ask.addEventListener("click", () => this.data.done || this.data.running || this.ticker.begin());
    this.hear = (event) => {
      if (event.key !== "Escape" || this.panel.hidden || event.defaultPrevented) return;
      this.open(false);
      this.toggle.focus();
    };
    document.addEventListener("keydown", this.hear);
  }

  destroy() {
    if (sinks.get(this.data.key) === this) sinks.delete(this.data.key);
    document.removeEventListener("keydown", this.hear);
    this.ticker.destroy();
    this.box.remove();
  }

  open(open) {
    this.panel.hidden = !open;
    this.toggle.setAttribute("aria-expanded", open);
  }

  update(data, setTriggerValue) {
    this.setTriggerValue = setTriggerValue;
    this.scripts = data;
    sinks.set(data.key, this);
    this.show(data);
  }

  // At a value that the script does not know yet.
  follow(content) {
    this.show(JSON.parse(new TextDecoder().decode(content)));
    return null;
  }

  catchUp() {
    if (this.data !== this.scripts) this.show(this.scripts);
  }

  drawExactly() {
    return null;
  }

  show(data) {
    this.data = data;
    this.box.dataset.run = data.run;
    // The same text is not written again: a screen reader would read it again.
    this.write(this.toggle, `<span class="now">${data.line}</span><span class="then">${data.otherwise}</span>`);
    this.write(this.contents, data.panel);
    this.write(this.ask, data.ask);
    this.ask.setAttribute("aria-disabled", data.done || data.running);
    this.panel.setAttribute("aria-label", data.name);
    this.toggle.disabled = !data.panel;
    this.open(Boolean(data.panel) && !this.panel.hidden);
    this.ticker.ask = () => sendAlone(() => this.setTriggerValue("ask", data.run));
    this.ticker.answered(data.running);
  }

  write(node, html) {
    if (node.written !== html) node.innerHTML = node.written = html;
  }
}
