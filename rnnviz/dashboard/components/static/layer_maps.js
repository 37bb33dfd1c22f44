// Heatmaps on a canvas: a pixel for each cell, made as large as the cells are.

import { axesOf, within } from "./layer_pens.js";
import { numbers } from "./plotting.js";

const tables = new Map(); // colour scale -> its colours, 256 of them, as pixels
const MOST_TABLES = 30;

export const maps = ({ type, visible }) => type === "heatmap" && visible !== false;

export function cells(pen, trace, full) {
  const axes = axesOf(trace, full);
  const shared = trace.coloraxis && full[trace.coloraxis];
  const { colorscale } = shared || trace;
  const [low, high] = shared ? [shared.cmin, shared.cmax] : [trace.zmin, trace.zmax];
  const picture = painted(trace.z, colours(colorscale), low, high);
  const columns = edges(axes[0], trace.x, trace.x0, trace.dx, picture.width);
  const rows = edges(axes[1], trace.y, trace.y0, trace.dy, picture.height);
  within(pen, axes, () => {
    pen.imageSmoothingEnabled = false;
    pen.globalAlpha = trace.opacity ?? 1;
    pen.translate(columns[0], rows[0]);
    pen.scale((columns[1] - columns[0]) / picture.width, (rows[1] - rows[0]) / picture.height);
    pen.drawImage(picture, 0, 0);
  });
}

// From the outer edge of the first cell to that of the last one, in pixels. Named rows lie in their
// own order, which plotly.js knows of the figure before.
function edges(axis, places, start = 0, step = 1, count) {
  const all = axis.type === "category" ? null : places && numbers(places);
  const [from, by] = places && !all ? [0, 1] : [start, step];
  const at = (index) => axis._offset + axis.c2p(all ? all[index] : from + index * by);
  const [first, last] = [at(0), at(count - 1)];
  const one = axis.c2p(1) - axis.c2p(0);
  const wide = count > 1 ? (last - first) / (count - 1) : one * (all ? 1 : by);
  return [first - wide / 2, last + wide / 2];
}

// One pixel a cell, the first row on top; a cell without a number is left out.
function painted(z, table, low, high) {
  const flat = z.bdata ? numbers(z) : null;
  const [height, width] = flat ? z.shape.split(",").map(Number) : [z.length, z[0].length];
  const picture = new ImageData(width, height), pixels = new Uint32Array(picture.data.buffer);
  const scale = 255 / (high - low || 1);
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, at += 1) {
      const value = flat ? flat[at] : z[row][column];
      if (value === null || Number.isNaN(value)) continue;
      pixels[at] = table[Math.max(0, Math.min(255, Math.round((value - low) * scale)))];
    }
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

function colours(scale) {
  const key = JSON.stringify(scale);
  if (tables.has(key)) return tables.get(key);
  const canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 1 });
  const pen = canvas.getContext("2d"), ramp = pen.createLinearGradient(0.5, 0, 255.5, 0);
  for (const [at, colour] of scale) ramp.addColorStop(at, colour);
  pen.fillStyle = ramp;
  pen.fillRect(0, 0, 256, 1);
  const found = new Uint32Array(pen.getImageData(0, 0, 256, 1).data.buffer);
  if (tables.size >= MOST_TABLES) tables.clear();
  tables.set(key, found);
  return found;
}
