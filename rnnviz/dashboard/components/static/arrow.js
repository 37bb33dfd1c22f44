// Arrows as thick as an error, and what any drawing is made of.

const SPACE = "http://www.w3.org/2000/svg";
export const HEADS = 0.725; // of a thickness: half the width of an arrow's head

export function part(name, attributes, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The outline of one from one place to another, left or right of it, at a height. most: how long
// its head may be.
export function arrow(from, to, y, width, most, least = 4) {
  const half = width / 2, wide = Math.max(HEADS * width, least);
  const neck = to + Math.sign(from - to) * Math.min(most, Math.abs(from - to) / 2);
  return `M${from} ${y - half}H${neck}V${y - wide}L${to} ${y}L${neck} ${y + wide}V${y + half}H${from}Z`;
}
