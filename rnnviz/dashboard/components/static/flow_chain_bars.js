// The bars of one step, stacked side by side: decades of each factor, or shares of each path.

import { part } from "./arrow.js";

const [WIDTH, HEIGHT, PAD] = [150, 16, 1];
const SHARES = [-0.1, 1.1]; // what is always shown of shares, which add up to 1
const DECADES = [-0.1, 0.1];

// The least and the greatest end that the bars of any step have.
export function scaleOf({ parts, kind }) {
  let [low, high] = kind === "shares" ? SHARES : DECADES;
  const count = parts[0]?.values.length ?? 0;
  for (let k = 0; k < count; k += 1) {
    const [down, up] = ends(parts, k);
    [low, high] = [Math.min(low, down), Math.max(high, up)];
  }
  return [low, high];
}

function ends(parts, k) {
  const values = parts.map(({ values }) => values[k] ?? 0), sum = (all) => all.reduce((a, b) => a + b, 0);
  return [sum(values.filter((v) => v < 0)), sum(values.filter((v) => v > 0))];
}

export function bars(svg, { parts, start }, node, [low, high], shade) {
  const some = node !== null && node < start && parts.some(({ values }) => values[node] !== null);
  svg.style.display = some ? "" : "none";
  if (!some) return svg.replaceChildren();
  const at = (value) => PAD + ((value - low) / (high - low)) * (WIDTH - 2 * PAD), drawn = [];
  const so = { down: 0, up: 0 };
  for (const { key, colour, values } of parts) {
    const value = values[node] ?? 0, side = value < 0 ? "down" : "up", from = so[side];
    so[side] += value;
    const [left, right] = [at(from), at(so[side])].sort((a, b) => a - b);
    const bar = part("rect", { x: left, width: right - left, y: 2, height: HEIGHT - 4 });
    bar.style.fill = shade(colour);
    bar.dataset.part = key;
    bar.dataset.value = value;
    drawn.push(bar);
  }
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.replaceChildren(...drawn, part("line", { x1: at(0), x2: at(0), y1: 0, y2: HEIGHT }));
}
