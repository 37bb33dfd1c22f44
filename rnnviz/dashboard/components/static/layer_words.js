// A figure's notes as HTML, where plotly.js puts them.

import { placed } from "./layer_pens.js";

const SHIFT = { left: "0", right: "-100%", center: "-50%", top: "0", bottom: "-100%", middle: "-50%" };
const TAG = /<(\/?)(b|i|sub|sup|br|span)\b([^>]*)>/gi;
const STYLE = /^\s*style=(['"])([^'"]*)\1/;
const ALLOWED = ["color", "font-size", "font-weight"];

export function place(span, note, full) {
  const { xref = "x", yref = "y", font = {} } = note;
  const x = placed(xref, note.x, full, "x"), y = placed(yref, note.y, full, "y");
  const across = anchor(note.xanchor, xref, note.x, ["left", "center", "right"]);
  const up = anchor(note.yanchor, yref, note.y, ["bottom", "middle", "top"]);
  span.replaceChildren(...written(note.text));
  Object.assign(span.style, {
    color: font.color ?? full.font.color,
    fontFamily: full.font.family,
    fontSize: `${font.size ?? full.annotationdefaults?.font?.size ?? full.font.size}px`,
    textAlign: note.align ?? "center",
    transform: `translate(${x + (note.xshift ?? 0)}px, ${y - (note.yshift ?? 0)}px) `
      + `translate(${SHIFT[across]}, ${SHIFT[up]})`,
  });
}

// What plotly.js takes where the note does not say.
function anchor(said, ref, share, [low, middle, high]) {
  if (said && said !== "auto") return said;
  if (ref !== "paper") return middle;
  return share < 1 / 3 ? low : share > 2 / 3 ? high : middle;
}

// The few tags that a figure's texts have; everything else is text.
function written(text) {
  const root = document.createElement("span"), open = [root];
  let at = 0;
  const add = (part) => part && open.at(-1).append(entities(part));
  for (const { 0: whole, 1: ends, 2: tag, 3: more, index } of text.matchAll(TAG)) {
    add(text.slice(at, index));
    at = index + whole.length;
    if (ends) {
      if (open.length > 1) open.pop();
      continue;
    }
    const made = document.createElement(tag);
    open.at(-1).append(made);
    if (tag.toLowerCase() === "br") continue;
    for (const rule of (more.match(STYLE)?.[2] ?? "").split(";")) {
      const [name, value] = rule.split(":").map((part) => part.trim());
      if (ALLOWED.includes(name)) made.style.setProperty(name, value);
    }
    open.push(made);
  }
  add(text.slice(at));
  return root.childNodes;
}

const NAMED = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": "\u00a0", "&quot;": '"' };
const entities = (text) => text.replace(/&(lt|gt|amp|nbsp|quot);/g, (name) => NAMED[name]);
