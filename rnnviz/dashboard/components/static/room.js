// Texts of a figure in the room that they have: titles of axes beside each other, headlines up to
// the next one, notes inside a panel. One that is longer, as in another language it may be, has
// smaller letters, as far as they can be read, and then several lines.

const LEAST = 0.65; // of a letter's size
const SIZE = 14;
const APART = 8; // pixels between two texts
const ASIDE = 45; // and from an upright axis to its title
const MOST = 2000; // lengths that are kept
const lengths = new Map();
const pen = document.createElement("canvas").getContext("2d");

// The layout for so many pixels, with letters of this family.
export function roomy(layout, width, height, family) {
  const made = { ...layout };
  const place = placeOf(layout, width, height, family), { margin, inner } = place;
  for (const letter of ["x", "y"]) {
    const lead = letter === "x" ? margin.l : margin.b, whole = letter === "x" ? width : height;
    for (const title of titles(layout, letter, lead, inner[letter])) {
      const { name, text, size, middle } = title;
      const top = letter === "y" && covered(title, place) ? margin.b + inner.y : whole;
      const [low, high] = title.between(0, top);
      const room = 2 * Math.min(middle - low, high - middle);
      const said = LEAST * lengthOf(text, size, family) > room ? text.replace(", ", ",<br>") : text;
      const long = Math.max(...said.split("<br>").map((line) => lengthOf(line, size, family)));
      const font = { ...layout[name].title.font, size: smaller(size, room, long) };
      if (font.size < size || said !== text) made[name] = { ...layout[name], title: { ...layout[name].title, text: said, font } };
    }
  }
  if (layout.annotations) made.annotations = place.notes.map((note) => inRoom(note, place));
  return made;
}

// Its notes alone.
export function roomyNotes(layout, width, height, family) {
  const place = placeOf(layout, width, height, family);
  return place.notes.map((note) => inRoom(note, place));
}

function placeOf(layout, width, height, family) {
  const margin = { l: 80, r: 80, t: 100, b: 80, ...layout.margin };
  const inner = { x: width - margin.l - margin.r, y: height - margin.t - margin.b };
  return { width, margin, inner, family, notes: layout.annotations ?? [], layout };
}

const smaller = (size, room, length) => size * Math.max(LEAST, Math.min(1, room / length));
const short = (name) => name.replace("axis", "");

// The titles of the axes of one direction; `between` finds where a title's neighbours in its line end.
function titles(layout, letter, lead, inner) {
  const found = Object.keys(layout)
    .filter((name) => new RegExp(`^${letter}axis\\d*$`).test(name) && layout[name].title?.text)
    .map((name) => {
      const axis = layout[name], domain = axis.domain ?? [0, 1];
      const across = Object.keys(layout).find((other) => short(other) === axis.anchor)
        ?? (letter === "x" ? "yaxis" : "xaxis");
      const [text, size] = [axis.title.text, axis.title.font?.size ?? SIZE + 1];
      const [start, end] = domain.map((share) => lead + share * inner);
      const at = (layout[across]?.domain ?? [0, 1])[axis.side === "right" ? 1 : 0];
      const line = `${axis.side} ${at}`;
      return { name, text, size, start, end, middle: (start + end) / 2, line, at, side: axis.side };
    });
  for (const title of found) {
    const beside = found.filter((other) => other !== title && other.line === title.line);
    title.between = (first, last) => [
      Math.max(first, ...beside.filter((o) => o.middle < title.middle).map((o) => (o.end + title.start + APART) / 2)),
      Math.min(last, ...beside.filter((o) => o.middle > title.middle).map((o) => (o.start + title.end - APART) / 2)),
    ];
  }
  return found;
}

// Whether a headline passes above the title of an upright axis.
function covered({ at, side }, place) {
  const x = place.margin.l + at * place.inner.x + (side === "right" ? ASIDE : -ASIDE);
  return place.notes.some((note) => {
    if (note.xref !== "paper" || note.y < 0.99 || !note.text) return false;
    const [start, end] = ends(note, place);
    return start < x + APART && end > x - APART;
  });
}

// From where to where a note on the paper goes.
function ends({ x, xshift = 0, xanchor, text, font }, { margin, inner, family }) {
  const at = margin.l + x * inner.x + xshift;
  const long = lengthOf(text, font?.size ?? SIZE, family);
  return { left: [at, at + long], right: [at - long, at] }[xanchor] ?? [at - long / 2, at + long / 2];
}

function inRoom(note, place) {
  if (!note.text || note.textangle || !["left", "right"].includes(note.xanchor)) return note;
  const size = note.font?.size ?? SIZE;
  const room = roomOf(note, place);
  const length = lengthOf(note.text, size, place.family);
  if (room === null || length <= room) return note;
  const headline = note.xref === "paper" && note.x < 1;
  const small = headline ? smaller(size, room, length) : Math.max(size * 0.85, smaller(size, room, length));
  const made = { ...note, font: { ...note.font, size: small } };
  made.text = note.text.replace(/font-size:([\d.]+)px/g, (_, px) => `font-size:${(px * small) / size}px`);
  made.text = made.text.split("<br>")
    .map((line) => (headline ? ended : lines)(line, small, room, place.family)).join("<br>");
  return { ...made, align: note.align ?? note.xanchor };
}

// Pixels from where a note begins to the next one in its line, or to the figure's edge; null of notes
// at data.
function roomOf(note, place) {
  const { width, margin, inner, family, notes, layout } = place;
  const level = (other) => other !== note && other.text && other.yref === note.yref
    && other.xref === note.xref && Math.abs(other.y - note.y) < 0.02;
  if (/ domain$/.test(note.xref ?? "")) {
    const axis = layout[note.xref.replace(" domain", "").replace("x", "xaxis")];
    const [low, high] = axis?.domain ?? [0, 1];
    const panel = (high - low) * inner.x;
    const across = notes.filter((o) => level(o) && o.xanchor !== note.xanchor)
      .map((o) => lengthOf(o.text, o.font?.size ?? SIZE, family));
    return Math.max(0.45 * panel, 0.96 * panel - Math.max(0, ...across.map((long) => long + APART)));
  }
  if (note.xref !== "paper" || note.xanchor !== "left") return null;
  const [begins] = ends(note, place);
  const next = notes.filter((o) => level(o) && note.yanchor === o.yanchor).map((o) => ends(o, place)[0]);
  const bar = Object.keys(layout).some((name) => /^coloraxis/.test(name) && layout[name].showscale !== false);
  const edge = note.x < 1 && bar ? margin.l + inner.x + APART : width - 2;
  return Math.min(edge, ...next.filter((at) => at > begins).map((at) => at - APART)) - begins;
}

// How long the longest line of a text is. Most are asked for again and again while a knob moves.
function lengthOf(text, size, family) {
  const key = `${size} ${family} ${text}`;
  if (!lengths.has(key)) {
    if (lengths.size >= MOST) lengths.clear();
    lengths.set(key, measured(text, size, family));
  }
  return lengths.get(key);
}

// Tags change the letters of a text.
function measured(text, size, family) {
  return Math.max(...text.split("<br>").map((line) => {
    const fonts = [{ size, bold: false }];
    let long = 0;
    for (const [piece] of line.matchAll(/<[^>]*>|[^<]+/g)) {
      const { size, bold } = fonts.at(-1);
      if (piece.startsWith("</")) fonts.length > 1 && fonts.pop();
      else if (piece.startsWith("<")) fonts.push({
        size: Number(piece.match(/font-size:([\d.]+)/)?.[1] ?? size * (/^<su[bp]/.test(piece) ? 0.7 : 1)),
        bold: bold || piece.startsWith("<b>"),
      });
      else {
        pen.font = `${bold ? "bold " : ""}${size}px ${family}`;
        long += pen.measureText(piece.replaceAll("&nbsp;", "\u00a0")).width;
      }
    }
    return long;
  }));
}

// The same words in lines that have room.
function lines(text, size, room, family) {
  return text.split(/\s+(?![^<]*>)/).reduce((whole, word) => {
    const last = `${whole.split("<br>").at(-1)} ${word}`;
    return whole + (lengthOf(last, size, family) > room ? "<br>" : " ") + word;
  });
}

// As many letters of its end left out as must be.
function ended(text, size, room, family) {
  if (lengthOf(text, size, family) <= room) return text;
  const pieces = text.match(/<[^>]*>|[^<]/gu);
  for (let at = pieces.length - 1; at > 0; at -= 1) {
    if (pieces[at].startsWith("<")) continue;
    pieces.splice(at, 1);
    const shorter = `${pieces.slice(0, at).join("")}…${pieces.slice(at).join("")}`;
    if (lengthOf(shorter, size, family) <= room) return shorter;
  }
  return text;
}
