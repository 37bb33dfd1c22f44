// A figure in the room that the window leaves it. Where it is narrow, panels that stood side by side
// stand below each other, titles have several lines, and there are fewer ticks; where the window is
// wide and high, figures are higher.

const PANEL = 190; // pixels below which panels are not put side by side
const LETTER = 0.6; // of a letter's size it is wide, on average
const LINE = 1.3; // of a letter's size a line is high
const BUTTONS = 28; // pixels that buttons take above a figure where no pointer calls them
const GAP = 46; // pixels between two rows of panels, for ticks and titles
const ASIDE = 86; // and between two columns
const [WIDE, HIGH, MOST] = [1600, 720, 1.5]; // what a window needs for higher figures

export function heightIn(height) {
  const room = innerWidth < WIDE ? 1 : innerHeight / HIGH;
  return Math.round(height * Math.min(MOST, Math.max(1, 0.9 * room)));
}

// The layout, and its height, in so many pixels.
export function fitted(layout, width, height) {
  const margin = { l: 80, r: 80, t: 100, b: 80, ...layout.margin };
  const size = { width: width - margin.l - margin.r, height: height - margin.t - margin.b };
  const stacked = stack(layout, size, margin);
  const wrapped = wrap(stacked.layout, size, margin);
  return {
    ...thinned(wrapped.layout, size),
    margin: { ...layout.margin, t: margin.t + wrapped.above, b: margin.b + wrapped.below },
    height: height + stacked.grown + wrapped.above + wrapped.below,
  };
}

const named = (layout, letter) =>
  Object.keys(layout).filter((name) => new RegExp(`^${letter}axis\\d*$`).test(name));
const short = (name) => name.replace("axis", "");
const share = (axis) => axis.domain ?? [0, 1];

// Panels in one row: [{x, y}], names of their axes, from left to right.
function rowOf(layout) {
  const panels = named(layout, "x").map((x) => {
    const y = named(layout, "y").find((y) => layout[y].anchor === short(x))
      ?? (layout[x].anchor ?? "y").replace("y", "yaxis");
    return { x, y };
  }).filter(({ y }) => layout[y] && !layout[y].overlaying);
  const same = panels.every(({ y }) => String(share(layout[y])) === String(share(layout[panels[0].y])));
  return same ? panels.sort((a, b) => share(layout[a.x])[0] - share(layout[b.x])[0]) : [];
}

function stack(layout, size, margin) {
  const panels = rowOf(layout);
  const narrow = panels.map(({ x }) => (share(layout[x])[1] - share(layout[x])[0]) * size.width);
  if (panels.length < 2 || Math.min(...narrow) >= PANEL) return { layout, grown: 0 };
  const most = Math.max(1, Math.floor((size.width + ASIDE) / (PANEL + ASIDE)));
  const rows = Math.ceil(panels.length / most);
  const columns = Math.ceil(panels.length / rows);
  const between = GAP + margin.t;
  const whole = rows * size.height + (rows - 1) * between;
  const high = size.height / whole;
  const wide = (1 - (columns - 1) * (ASIDE / size.width)) / columns;
  const made = { ...layout };
  const places = panels.map(({ x, y }, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const left = column * (wide + ASIDE / size.width);
    const top = 1 - row * (high + between / whole);
    const place = { x: [left, Math.min(1, left + wide)], y: [Math.max(0, top - high), top] };
    made[x] = { ...layout[x], domain: place.x, title: layout[x].title ?? layout[panels[0].x].title };
    made[y] = { ...layout[y], domain: place.y };
    if (!column && !layout[y].title?.text) Object.assign(made[y], said(layout[panels[0].y]));
    return { from: { x: share(layout[x]), y: share(layout[y]) }, to: place };
  });
  made.annotations = layout.annotations?.map((note) => moved(note, places, high));
  return { layout: made, grown: whole - size.height };
}

// What the first of several axes says for all.
function said({ title, showticklabels = true, tickvals, ticktext, tickmode }) {
  const all = { title, showticklabels, tickvals, ticktext, tickmode };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

// A note on the paper goes with the panel it stands at.
function moved(note, places, high) {
  const [bottom] = places[0].from.y;
  const below = note.y < bottom - 1e-3 || (note.y <= bottom && note.yshift < -GAP / 2); // all panels
  if (note.yref === "paper" && below) return { ...note, y: note.y * high };
  const home = places.findLast(({ from }) => note.x >= from.x[0] - 1e-3) ?? places[0];
  const at = (letter) => {
    const [[a, b], [c, d]] = [home.from[letter], home.to[letter]];
    return c + ((note[letter] - a) / (b - a)) * (d - c);
  };
  const ofAll = note.x === 1 && note.xanchor === "right"; // above the colour bar
  const made = { ...note };
  if (note.xref === "paper" && !ofAll) made.x = at("x");
  if (note.yref === "paper" && !ofAll) made.y = at("y");
  return made;
}

// Headlines that begin at the left and have no room go on in another line.
function wrap(layout, size, margin) {
  let above = matchMedia("(hover: none)").matches ? BUTTONS : 0;
  let below = 0;
  const annotations = layout.annotations?.map((note) => {
    if (note.xref !== "paper" || note.xanchor === "right" || !note.text) return note;
    const letter = note.font?.size ?? 12;
    const middle = note.xanchor !== "left";
    const room = middle ? size.width + 2 * Math.min(margin.l, margin.r) : (1 - note.x) * size.width + margin.r - 6;
    const text = lines(note.text, room / (letter * LETTER));
    if (text === note.text) return note;
    const more = text.split("<br>").length - note.text.split("<br>").length;
    if (note.y >= 0.99) above = Math.max(above, more * letter * LINE);
    if (note.y <= 0) below = Math.max(below, more * letter * LINE);
    return { ...note, text, align: middle ? "center" : "left" };
  });
  return { layout: annotations ? { ...layout, annotations } : layout, above, below };
}

function lines(text, most) {
  return text.split("<br>").map((line) => {
    let used = 0;
    return line.split(/\s+(?![^<]*>)/).reduce((whole, word) => {
      const long = word.replace(/<.*?>/g, "").length + 1;
      const full = used && used + long > most;
      used = full ? long : used + long;
      return whole ? whole + (full ? "<br>" : " ") + word : word;
    }, "");
  }).join("<br>");
}

// No more ticks across than their numbers have room for.
function thinned(layout, size) {
  const made = { ...layout };
  for (const name of named(layout, "x")) {
    const axis = layout[name];
    const [left, right] = share(axis);
    const letter = axis.tickfont?.size ?? 12;
    const long = Math.max(3, ...(axis.ticktext ?? axis.tickvals ?? []).map((text) => String(text).length));
    const most = Math.max(2, Math.floor(((right - left) * size.width) / ((long + 2) * letter * LETTER)));
    if (!axis.tickvals) made[name] = { ...axis, nticks: Math.min(axis.nticks ?? most, most) };
    else if (axis.tickvals.length > most) made[name] = { ...axis, ...every(axis, most) };
  }
  return made;
}

function every({ tickvals, ticktext }, most) {
  const pace = Math.ceil(tickvals.length / most);
  const kept = (all) => all && Array.from(all).filter((_, at) => at % pace === 0);
  return { tickvals: kept(tickvals), ...(ticktext ? { ticktext: kept(ticktext) } : {}) };
}

// Of notes that lie over each other, or over an axis title, the first is seen.
export function part(plot) {
  const titles = plot.querySelectorAll(".infolayer > [class*=title] text");
  const seen = Array.from(titles, (title) => title.getBoundingClientRect());
  for (const note of plot.querySelectorAll(".annotation")) {
    note.style.visibility = "";
    const box = note.getBoundingClientRect();
    const hidden = seen.some((other) => other.left < box.right - 2 && box.left < other.right - 2
      && other.top < box.bottom - 2 && box.top < other.bottom - 2);
    note.style.visibility = hidden ? "hidden" : "";
    if (!hidden) seen.push(box);
  }
}
