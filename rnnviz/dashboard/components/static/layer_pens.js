// Lines, dots, bars and shapes on a canvas, in plotly's words.

import { numbers } from "./plotting.js";

const DASHES = {
  solid: [], dot: [1, 1], dash: [3, 3], longdash: [5, 5],
  dashdot: [3, 1, 1, 1], longdashdot: [5, 2, 1, 2],
};

export function axesOf({ xaxis = "x", yaxis = "y" }, full) {
  return [full[`xaxis${xaxis.slice(1)}`], full[`yaxis${yaxis.slice(1)}`]];
}

const pixel = (axis, value) => axis._offset + axis.d2p(value);

// Draw inside of a panel, or also beside it.
export function within(pen, [xa, ya], draw, clips = true) {
  pen.save();
  if (clips) {
    pen.beginPath();
    pen.rect(xa._offset, ya._offset, xa._length, ya._length);
    pen.clip();
  }
  draw();
  pen.restore();
}

function pencil(pen, { color, width = 2, dash = "solid" }, opacity = 1) {
  const known = DASHES[dash];
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.globalAlpha = opacity;
  pen.setLineDash(known ? known.map((part) => part * Math.max(width, 3)) : dash.split(",").map(parseFloat));
}

const placeAt = ({ x, x0 = 0, dx = 1 }, at) => (x ? x[at] : x0 + at * dx);
const isGap = (value) => value === null || value === undefined || Number.isNaN(value);

export function line(pen, trace, full) {
  const axes = axesOf(trace, full), [xa, ya] = axes;
  const ys = numbers(trace.y), xs = trace.x && numbers(trace.x);
  within(pen, axes, () => {
    pen.beginPath();
    let down = false;
    for (let at = 0; at < ys.length; at += 1) {
      if (isGap(ys[at])) {
        down = down && trace.connectgaps === true;
        continue;
      }
      const x = pixel(xa, placeAt({ ...trace, x: xs }, at)), y = pixel(ya, ys[at]);
      if (down) pen.lineTo(x, y);
      else pen.moveTo(x, y);
      down = true;
    }
    pencil(pen, trace.line, trace.opacity);
    pen.stroke();
  }, trace.cliponaxis !== false);
}

export function marks(pen, trace, full) {
  const axes = axesOf(trace, full), [xa, ya] = axes;
  const ys = numbers(trace.y), xs = trace.x && numbers(trace.x), { color, size = 6 } = trace.marker;
  const of = (value, at) => (Array.isArray(value) ? value[at] : value);
  within(pen, axes, () => {
    pen.globalAlpha = trace.opacity ?? trace.marker.opacity ?? 1;
    for (let at = 0; at < ys.length; at += 1) {
      if (isGap(ys[at])) continue;
      const x = pixel(xa, placeAt({ ...trace, x: xs }, at));
      pen.fillStyle = of(color, at);
      pen.beginPath();
      pen.arc(x, pixel(ya, ys[at]), of(size, at) / 2, 0, 2 * Math.PI);
      pen.fill();
      if (trace.error_y) whiskers(pen, trace.error_y, x, ys[at], at, ya);
    }
  }, trace.cliponaxis !== false);
}

function whiskers(pen, { array, arrayminus = array, thickness = 2, width = 4, color }, x, y, at, ya) {
  const [top, foot] = [pixel(ya, y + array[at]), pixel(ya, y - arrayminus[at])];
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x, foot);
  for (const end of [top, foot]) {
    pen.moveTo(x - width, end);
    pen.lineTo(x + width, end);
  }
  pencil(pen, { color, width: thickness });
  pen.stroke();
}

// Those of one panel stand on each other, where the layout says so: up what is above 0, down what
// is below.
export function bars(pen, data, layout, full) {
  const stacks = new Map();
  for (const trace of data.filter(({ type }) => type === "bar")) {
    const panel = `${trace.xaxis ?? "x"} ${trace.yaxis ?? "y"}`;
    if (!stacks.has(panel)) stacks.set(panel, { above: new Map(), below: new Map() });
    barsOf(pen, trace, layout, full, stacks.get(panel));
  }
}

function barsOf(pen, trace, { barmode, bargap = 0.2 }, full, stack) {
  const axes = axesOf(trace, full), [xa, ya] = axes;
  const ys = numbers(trace.y), xs = trace.x && numbers(trace.x);
  const places = Array.from(ys, (_, at) => placeAt({ ...trace, x: xs }, at));
  const near = places.length > 1 ? Math.min(...places.slice(1).map((x, at) => Math.abs(x - places[at]))) : 1;
  within(pen, axes, () => {
    pen.fillStyle = trace.marker.color;
    pen.globalAlpha = trace.opacity ?? 1;
    places.forEach((x, at) => {
      if (isGap(ys[at])) return;
      const side = ys[at] < 0 ? stack.below : stack.above;
      const start = barmode === "relative" ? side.get(x) ?? 0 : 0;
      side.set(x, start + ys[at]);
      const wide = (Array.isArray(trace.width) ? trace.width[at] : trace.width) ?? near * (1 - bargap);
      const [left, right] = [pixel(xa, x - wide / 2), pixel(xa, x + wide / 2)];
      const [one, other] = [pixel(ya, start), pixel(ya, start + ys[at])];
      pen.fillRect(left, Math.min(one, other), right - left, Math.abs(one - other));
    });
  });
}

const axisOf = (ref, full, letter) => full[`${letter}axis${ref === "paper" ? "" : ref.split(" ")[0].slice(1)}`];

// Where a shape's end or a note lies: on the paper, at a share of an axis, or in its numbers.
export function placed(ref, value, full, letter) {
  if (ref === "paper") {
    const { l, t, w, h } = full._size;
    return letter === "x" ? l + value * w : t + (1 - value) * h;
  }
  const axis = axisOf(ref, full, letter);
  if (!ref.endsWith("domain")) return pixel(axis, value);
  return axis._offset + (letter === "x" ? value : 1 - value) * axis._length;
}

export function shape(pen, drawn, full) {
  const { xref = "x", yref = "y", type } = drawn;
  const [left, right] = [drawn.x0, drawn.x1].map((value) => placed(xref, value, full, "x"));
  const [one, other] = [drawn.y0, drawn.y1].map((value) => placed(yref, value, full, "y"));
  const axes = [axisOf(xref, full, "x"), axisOf(yref, full, "y")];
  within(pen, axes, () => {
    pen.beginPath();
    if (type === "line") {
      pen.moveTo(left, one);
      pen.lineTo(right, other);
    } else if (type === "circle") {
      pen.ellipse((left + right) / 2, (one + other) / 2, Math.abs(right - left) / 2, Math.abs(other - one) / 2, 0, 0, 2 * Math.PI);
    } else pen.rect(left, one, right - left, other - one);
    pen.globalAlpha = drawn.opacity ?? 1;
    if (drawn.fillcolor && type !== "line") {
      pen.fillStyle = drawn.fillcolor;
      pen.fill();
    }
    if (!(drawn.line?.width > 0) && drawn.line?.width !== undefined) return;
    pencil(pen, { color: full.font.color, ...drawn.line }, drawn.opacity);
    pen.stroke();
  }, xref !== "paper" && yref !== "paper");
}
