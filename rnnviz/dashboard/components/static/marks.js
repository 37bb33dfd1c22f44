// Vertical marks that lie over a figure, so that moving them redraws nothing.

// The panels of a figure: [{id, xa, ya}].
export function panelsOf(plot) {
  const { _plots: plots, _subplots: subplots } = plot._fullLayout ?? {};
  return (subplots?.cartesian ?? []).map((id) => ({
    id,
    xa: plots[id].xaxis,
    ya: plots[id].yaxis,
  }));
}

// One line at x = `value` in each panel that shows it.
export function linesAt(plot, value) {
  return panelsOf(plot).map((panel) => lineAt(panel, value)).filter(Boolean);
}

function lineAt({ xa, ya }, value) {
  const x = xa.c2p(value);
  if (!(x >= 0 && x <= xa._length)) return null;
  const line = document.createElement("i");
  line.x = xa._offset + x;
  line.y = ya._offset;
  line.style.height = `${ya._length}px`;
  line.style.transform = `translate(${line.x}px, ${line.y}px)`;
  return line;
}

// A label at the top of a line, on the side where a figure of this width has room for it.
export function labelBeside({ x, y }, text, width, room) {
  const label = document.createElement("b");
  label.textContent = text;
  const turn = x > width - room ? "translateX(calc(-100% - 8px))" : "";
  label.style.transform = `translate(${x + 4}px, ${y + 2}px) ${turn}`;
  return label;
}
