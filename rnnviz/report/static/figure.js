// A figure of a file, in the colours of the page it stands on, as wide as its place.

import { fitted, heightIn, part } from "./fit.js";
import { forget, isDark, keepZoom, readTheme, themed } from "./plotting.js";
import { plotlyHere } from "./packed.js";
import { roomy } from "./room.js";

const NARROW = 700; // pixels below which a figure is made to fit
const figures = new Set();
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => redraw());

// Every figure that is in sight, anew; for paper in its colours and at its width.
export function redraw() {
  return Promise.all([...figures].map((figure) => figure.draw()));
}

export class Figure {
  // held: {arrays, dark} of the file; words: what stands on the buttons.
  constructor(box, held, words) {
    Object.assign(this, { box, held, words });
    this.plot = document.createElement("div");
    this.plot.className = "rnnviz-plot";
    box.replaceChildren(this.plot);
    figures.add(this);
    this.watch = new ResizeObserver(() => box.clientWidth !== this.width && this.draw());
    this.watch.observe(box);
  }

  destroy() {
    figures.delete(this);
    this.watch.disconnect();
    window.Plotly?.purge(this.plot);
  }

  // shown: {key, height, alt, figure}.
  show(shown) {
    this.shown = shown;
    this.box.dataset.key = shown.key;
    this.box.setAttribute("aria-label", shown.alt);
    return this.draw();
  }

  // Of several times that it is asked to while it draws, once more is enough; without a width it
  // waits until it has one.
  draw() {
    this.stale = true;
    this.drawing ??= this.drawAll().finally(() => (this.drawing = null));
    return this.drawing;
  }

  async drawAll() {
    await null; // whoever asks meanwhile finds it begun
    while (this.stale && this.shown && this.box.clientWidth) {
      this.stale = false;
      this.width = this.box.clientWidth;
      await this.drawOnce();
    }
  }

  async drawOnce() {
    try {
      this.Plotly ??= await plotlyHere();
      await this.drawNow();
      this.box.dataset.painted = Number(this.box.dataset.painted ?? 0) + 1;
    } catch (error) {
      console.error(error);
      this.box.textContent = this.words.failed;
    }
  }

  drawNow() {
    const theme = readTheme(this.box);
    const { data, layout } = this.figure(isDark(theme.background));
    const width = this.box.clientWidth, height = heightIn(this.shown.height), narrow = width < NARROW;
    const sized = narrow ? fitted(layout, width, height) : { ...layout, height };
    const whole = {
      ...roomy(sized, width, sized.height, theme.font),
      width,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { ...layout.font, color: theme.text, family: theme.font },
      template: themed(layout.template ?? {}, theme),
    };
    this.box.style.height = `${whole.height}px`;
    keepZoom(this.plot, whole);
    // Given a configuration again, plotly.js would build the figure anew.
    const config = this.configured === this.words ? undefined : this.config();
    this.configured = this.words;
    forget(this.plot);
    const drawn = this.Plotly.react(this.plot, data, whole, config);
    if (narrow) part(this.plot);
    return drawn;
  }

  // Models' colours have another shade on a dark page; an array is where {"$": number} stands.
  figure(onDark) {
    const text = JSON.stringify(this.shown.figure), shades = onDark ? this.held.dark : {};
    return JSON.parse(
      text.replace(/#[0-9a-f]{6}/g, (colour) => shades[colour] ?? colour),
      (_, value) => (value?.$ === undefined ? value : { ...this.held.arrays[value.$] }),
    );
  }

  config() {
    const { Icons } = this.Plotly, { words } = this;
    const button = (name, icon, click) => ({ name, title: words[name], icon, click });
    return {
      displaylogo: false,
      showTips: false,
      modeBarButtons: [[
        button("png", Icons.camera, () => this.save("png")),
        button("svg", Icons.disk, () => this.save("svg")),
        button("home", Icons.home, () => this.home()),
      ]],
    };
  }

  // A picture for paper: the page's background, so that dark text is not on a dark slide.
  save(format) {
    const { data, layout } = this.plot, { width, height } = layout;
    const opaque = { ...layout, paper_bgcolor: readTheme(this.box).background };
    const size = { format, filename: `rnnviz-${this.shown.key}`, width, height, scale: format === "png" ? 2 : 1 };
    return this.Plotly.downloadImage({ data, layout: opaque }, size);
  }

  home() {
    this.Plotly.purge(this.plot);
    this.configured = null;
    return this.draw();
  }
}

// Around printing: `prepare` puts the page into the state of paper, `restore` back.
export function onPaper(prepare = () => {}, restore = () => {}) {
  const root = document.documentElement;
  window.addEventListener("beforeprint", () => {
    root.classList.add("paper");
    prepare();
    redraw();
  });
  window.addEventListener("afterprint", () => {
    root.classList.remove("paper");
    restore();
    redraw();
  });
}
