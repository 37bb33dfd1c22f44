// What a chart asks of plotly.js beyond drawing: to be there, to keep a zoom, to wear the theme.

// plotly.js is loaded once for the page. Streamlit's own charts bring another version under the
// same global name, so the name is given back.
export function loadPlotly(url) {
  window.rnnvizPlotly ??= new Promise((resolve, reject) => {
    const before = window.Plotly;
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => {
      resolve(window.Plotly);
      if (before) window.Plotly = before;
    };
    script.onerror = () => {
      window.rnnvizPlotly = undefined;
      reject(new Error("plotly.js did not load"));
    };
    document.head.append(script);
  });
  return window.rnnvizPlotly;
}

export const AXIS_EDIT = /^[xy]axis\d*\.(range\[[01]\]|autorange)$/;

// plotly.js notes what the figure said before the reader changed it.
export function guiEdits(plot) {
  return plot._fullLayout?._preGUI ?? {};
}

// plotly.js gives up a reader's zoom when the figure's own range moves. Ranges here follow the
// knob, so tell it that the range it started from is the new one.
export function keepZoom(plot, layout) {
  const edits = guiEdits(plot);
  for (const name of Object.keys(edits)) {
    if (!AXIS_EDIT.test(name)) continue;
    const [axis, attribute] = name.split(".");
    const own = layout[axis] ?? {};
    const end = attribute.match(/\d/);
    edits[name] = (end ? own.range?.[end[0]] : own.autorange) ?? null;
  }
}

export function readTheme(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return {
    text: read("text-color"),
    background: read("background-color"),
    panel: read("secondary-background-color"),
    line: read("border-color"),
    font: read("font"),
  };
}

// Whether a colour of the theme, #rrggbb, is nearer to black than to white.
export function isDark(colour) {
  const [red, green, blue] = (colour.match(/\w\w/g) ?? []).map((part) => parseInt(part, 16));
  return 0.3 * red + 0.6 * green + 0.1 * blue < 128;
}

// The template with the page's colours in it. What the layout itself sets still wins.
export function themed(template, theme) {
  const axis = {
    gridcolor: theme.line,
    zerolinecolor: theme.line,
    linecolor: theme.text,
    tickcolor: theme.text,
  };
  const old = template.layout ?? {};
  const layout = {
    ...old,
    xaxis: { ...old.xaxis, ...axis },
    yaxis: { ...old.yaxis, ...axis },
    font: { ...old.font, color: theme.text },
    shapedefaults: { ...old.shapedefaults, line: { color: theme.text, ...old.shapedefaults?.line } },
    annotationdefaults: { arrowcolor: theme.text, ...old.annotationdefaults },
    legend: { ...old.legend, bgcolor: "rgba(0,0,0,0)" },
    hoverlabel: {
      ...old.hoverlabel,
      bgcolor: theme.panel,
      bordercolor: theme.line,
      font: { ...old.hoverlabel?.font, color: theme.text },
    },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.text, activecolor: theme.text },
  };
  return { ...template, layout };
}

// Where the points of a trace lie, of a heatmap its columns ("x") or its rows ("y"); without places
// of their own they are counted.
export function placesOf(trace, letter) {
  const { z } = trace;
  const count = z ? (letter === "x" ? z[0] : z).length : (trace[letter] ?? trace.y).length;
  const { [letter]: own, [`${letter}0`]: start = 0, [`d${letter}`]: step = 1 } = trace;
  return Array.from({ length: count }, (_, at) => own?.[at] ?? start + at * step);
}

export function element(tag, name) {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}

export function sameBytes(a, b) {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

const KINDS = {
  f4: Float32Array, f8: Float64Array, i4: Int32Array, i2: Int16Array, i1: Int8Array,
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array,
};

// Numbers as they were sent: a list, or packed.
export function numbers(sent) {
  if (!sent?.bdata) return sent;
  return new KINDS[sent.dtype](Uint8Array.from(atob(sent.bdata), (each) => each.charCodeAt(0)).buffer);
}

// A figure is drawn as if it were the first one, whatever stood there before.
export function forget(plot) {
  forgetFrames(plot);
  forgetColours(plot);
}

// plotly.js hands on the range and the place that axes of one scale had before it fitted them to
// each other, also where the figure has others.
function forgetFrames(plot) {
  const full = plot._fullLayout ?? {};
  for (const name of Object.keys(full)) {
    if (!/^[xy]axis\d*$/.test(name)) continue;
    delete full[name]._inputRange;
    delete full[name]._inputDomain;
  }
}

// plotly.js hands the colour axis of a trace on to the one that takes its place, also where that has
// a scale of its own.
function forgetColours(plot) {
  for (const trace of plot._fullData ?? []) delete trace._colorAx;
}
