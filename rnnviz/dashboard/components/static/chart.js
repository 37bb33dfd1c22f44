// A chart that plotly.js updates in place. One instance for each element Streamlit mounts.

import { Cursor } from "./cursor.js";
import { fitted, heightIn, part } from "./fit.js";
import { Layer } from "./layer.js";
import { live, sinks } from "./live.js";
import { afterPaint, inTurn, sendAlone, tellNews, training, wait } from "./page.js";
import {
  AXIS_EDIT,
  element,
  forget,
  guiEdits,
  isDark,
  keepZoom,
  loadPlotly,
  readTheme,
  sameBytes,
  themed,
} from "./plotting.js";
import { Picker } from "./picker.js";
import { roomy } from "./room.js";
import { Tracks } from "./tracks.js";
import { ICON, Values } from "./values.js";

// Windows in which page.css lets a figure be as high as it must, and pixels below which it is made to fit.
const [NARROW_WINDOW, NARROW] = [matchMedia("(max-width: 1050px)"), 700];
const isNarrow = (width) => NARROW_WINDOW.matches && width < NARROW;
const OUT_OF_SIGHT = 300; // ms without news, after which a chart that is scrolled away is drawn too

const charts = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = new Chart(parentElement);
    charts.set(parentElement, chart);
  }
  chart.update(data, setTriggerValue);
  return () => {
    chart.destroy();
    charts.delete(parentElement);
  };
}

class Chart {
  constructor(parent) {
    this.box = element("div", "rnnviz-chart");
    this.plot = element("div", "rnnviz-plot");
    this.cursors = element("div", "rnnviz-cursors");
    this.marks = element("div", "rnnviz-cursors");
    this.message = element("p", "rnnviz-message");
    this.message.hidden = true;
    this.box.append(this.plot, this.cursors, this.marks, this.message);
    this.box.dataset.painted = 0;
    this.scripts = null; // what the script sent last
    this.bytes = null; // what is shown, or about to be
    this.drawing = null; // tells when it is
    // Its buttons are within it, which nothing within an image would be to a screen reader.
    this.box.setAttribute("role", "group");
    parent.append(this.box);
    this.cursor = new Cursor(this);
    this.picker = new Picker(this);
    this.tracks = new Tracks(this, this.marks);
    this.values = new Values(this);
    this.layer = new Layer(this);
    this.plot.addEventListener("pointerenter", () => this.drawExactly());
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.box);
    this.watcher = new IntersectionObserver((all) => (this.hidden = !all.at(-1).isIntersecting));
    this.watcher.observe(this.box);
  }

  destroy() {
    this.gone = true;
    if (sinks.get(this.options?.key) === this) sinks.delete(this.options.key);
    this.resizer.disconnect();
    this.watcher.disconnect();
    this.cursor.destroy();
    this.tracks.destroy();
    this.Plotly?.purge(this.plot);
    this.box.remove();
  }

  // From the script, or because the theme changed: draw unless nothing is different. What was drawn
  // before a slider moved on is not drawn any more.
  update(bytes, setTriggerValue) {
    this.setTriggerValue = setTriggerValue;
    const theme = readTheme(this.box);
    const signature = Object.values(theme).join();
    const same = this.scripts && sameBytes(bytes, this.scripts);
    const worn = signature === this.signature;
    if (same && worn) return;
    this.theme = theme;
    this.signature = signature;
    this.scripts = bytes;
    const charts = document.querySelectorAll(".rnnviz-chart");
    tellNews(charts[charts.length - 1] === this.box);
    if (live.ahead.size && this.listening) return same ? this.draw() : undefined;
    if (training.plays && worn && !this.pointer && this.sketch(bytes)) return;
    if (same || !this.shows(bytes)) this.take(bytes);
  }

  adopt(bytes) {
    this.update(bytes, this.setTriggerValue);
  }

  // Whether plotly.js has drawn these, or is about to.
  shows(bytes) {
    return this.bytes !== null && !this.layer.on && sameBytes(bytes, this.bytes);
  }

  take(bytes) {
    this.bytes = bytes;
    return this.draw();
  }

  // While a knob moves: on the layer if that can, else by plotly.js. Tells when it is on the screen.
  follow(bytes) {
    if (this.hidden || !this.listening) return null;
    if (!this.sketch(bytes)) return this.take(bytes);
    this.box.dataset.live = "";
    return new Promise(afterPaint);
  }

  // On the layer, if that can. Says whether it does.
  sketch(bytes) {
    if (this.hidden || this.drawing || !this.listening) return false;
    const sent = this.read(bytes);
    const height = heightIn(sent.options.height);
    const another = String(sent.options.revision) !== this.box.dataset.revision;
    if (another || this.narrow || height !== this.plot.layout.height) return false;
    // Read once more: plotly.js has written into the figure that it drew.
    this.drawn ??= this.read(this.drawnBytes).figure;
    if (!this.layer.show(sent.figure, this.drawn, this.Plotly.version)) return false;
    this.bytes = bytes;
    this.countPaint(sent.options.shows);
    return true;
  }

  // What the layer shows, by plotly.js. Tells when it is on the screen, unless it is out of sight.
  drawExactly() {
    const drawn = this.layer.on ? this.draw() : this.drawing;
    return this.hidden ? null : drawn;
  }

  // The page is as the script drew it.
  catchUp() {
    delete this.box.dataset.live;
    if (this.scripts && !this.shows(this.scripts)) this.take(this.scripts);
  }

  // Of several updates that arrive while one is drawn, the last is drawn next. A chart without a
  // width (in a closed tab) stays stale until it has one.
  draw() {
    this.stale = true;
    this.box.toggleAttribute("data-behind", !live.ahead.size && !training.plays);
    this.news = performance.now();
    this.drawing ??= this.drawAll();
    return this.drawing;
  }

  async drawAll() {
    await null; // whoever asks meanwhile finds it begun
    while (this.stale && this.box.clientWidth && !this.gone) {
      await this.rightMoment();
      await inTurn(() => this.drawNow());
    }
    this.drawing = null;
    if (!this.stale) this.box.removeAttribute("data-behind");
  }

  async rightMoment() {
    const recent = () => performance.now() - this.news < OUT_OF_SIGHT;
    while (this.hidden && !this.gone && (training.plays || recent())) await wait(50);
  }

  // The first chart of the page is the one that stays in sight on a phone.
  leads() {
    return document.querySelector(".rnnviz-chart") === this.box;
  }

  async drawNow() {
    this.stale = false;
    if (!this.gone) await this.drawOnce().catch((error) => this.fail(error));
  }

  async drawOnce() {
    const { bytes } = this;
    const { figure, options, tracks } = this.read(bytes);
    this.describe(options);
    this.Plotly ??= await loadPlotly(options.plotly);
    if (this.gone) return;
    if (!figure.data?.length) throw new Error("a figure without traces");
    this.tracks.take(tracks, options.stepAxis, figure);
    const layout = this.layout(figure.layout ?? {}, options);
    this.box.style.height = `${layout.height}px`;
    keepZoom(this.plot, layout);
    // Given a configuration again, plotly.js would build the chart anew.
    const config = this.listening ? undefined : this.config();
    forget(this.plot);
    await this.Plotly.react(this.plot, figure.data, layout, config);
    this.drawnBytes = bytes;
    this.drawn = null;
    this.layer.hide();
    this.message.hidden = true;
    if (live.ahead.size) this.box.dataset.live = "";
    this.box.dataset.revision = options.revision;
    this.listen();
    this.overlay();
    this.values.follow();
    this.repeatHover();
    this.countPaint(options.shows);
  }

  // Models' colours have another shade on a dark page. Numbers come packed, without a "#".
  read(bytes = this.bytes) {
    const text = new TextDecoder().decode(bytes);
    const sent = JSON.parse(text);
    if (!isDark(this.theme.background)) return sent;
    const shades = sent.options.dark ?? {};
    return JSON.parse(text.replace(/#[0-9a-f]{6}/g, (colour) => shades[colour] ?? colour));
  }

  describe(options) {
    this.options = options;
    this.box.dataset.key = options.key;
    sinks.set(options.key, this);
    this.box.style.height ||= `${options.height}px`;
    this.box.toggleAttribute("data-first", this.leads());
    this.box.setAttribute("aria-label", options.alt);
    if (options.clicks) this.box.setAttribute("aria-description", options.words.keys);
    if (options.timeAxis || options.clicks) this.box.tabIndex = 0;
    else this.box.removeAttribute("tabindex");
  }

  layout(layout, options) {
    const { text } = this.theme;
    const width = this.box.clientWidth;
    const height = heightIn(options.height);
    this.narrow = isNarrow(width);
    const sized = this.narrow ? fitted(layout, width, height) : { ...layout, height };
    return {
      ...roomy(sized, width, sized.height, this.theme.font),
      uirevision: `${layout.uirevision ?? options.key} ${options.revision}`,
      width,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { ...layout.font, color: text, family: this.theme.font },
      template: themed(layout.template ?? {}, this.theme),
    };
  }

  config() {
    const save = (format, name) => ({
      name: `save-${format}`,
      title: name,
      icon: this.Plotly.Icons.camera,
      click: (plot) => this.save(plot, format, this.options.filename),
    });
    const home = { name: "home", title: this.options.words.home, icon: this.Plotly.Icons.home };
    return {
      displaylogo: false,
      showTips: false,
      doubleClick: false, // see resetView
      modeBarButtons: [
        [
          save("png", this.options.words.png),
          { ...save("svg", this.options.words.svg), icon: this.Plotly.Icons.disk },
          { ...home, click: () => this.resetView() },
          { name: "values", title: this.options.words.values, icon: ICON, click: () => this.values.toggle() },
        ],
      ],
    };
  }

  // A picture for paper: the page's background, so that dark text is not on a dark slide.
  save(plot, format, filename) {
    const { data, layout } = plot;
    const opaque = { ...layout, paper_bgcolor: this.theme.background };
    const { width, height } = layout;
    const size = { format, filename, width, height, scale: format === "png" ? 2 : 1 };
    return this.Plotly.downloadImage({ data, layout: opaque }, size);
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.plot.on("plotly_doubleclick", () => this.resetView()); // two taps of a finger
    this.plot.addEventListener("click", (event) => this.clickedAgain(event));
    this.plot.on("plotly_relayout", () => this.relaid());
    this.plot.on("plotly_click", (event) => this.clicked(event));
    this.plot.addEventListener("mousemove", (event) => (this.pointer = event));
    this.plot.addEventListener("mouseleave", () => (this.pointer = null));
  }

  clicked({ points }) {
    if (!this.options.clicks || !points?.length) return;
    const { x, y, z, curveNumber, pointNumber } = points[0];
    const point = { x, y, z: z ?? null, curve: curveNumber, point: pointNumber };
    sendAlone(() => this.setTriggerValue("click", point));
  }

  // A double click with a mouse. plotly.js takes the time between two clicks when it gets to them,
  // which on a busy page is later than they were; the browser counts them as they were made.
  clickedAgain(event) {
    if (event.detail === 2 && this.cursor.subplotAt(event)) this.resetView();
  }

  // Forget what the reader zoomed and take the figure's own ranges, those of now.
  resetView() {
    const edits = guiEdits(this.plot);
    for (const name of Object.keys(edits)) if (AXIS_EDIT.test(name)) delete edits[name];
    this.draw();
  }

  // An update removes the hover label under a resting pointer; put it back with the new numbers.
  repeatHover() {
    const subplot = this.pointer && this.cursor.subplotAt(this.pointer);
    if (subplot && this.Plotly.Fx) this.Plotly.Fx.hover(this.plot, this.pointer, subplot.id);
  }

  resize() {
    const width = this.box.clientWidth;
    const turned = this.narrow || isNarrow(width) || heightIn(this.options?.height) !== this.plot.layout?.height;
    if (width && (this.stale || (turned && this.listening && width !== this.plot.layout?.width))) return void this.draw();
    if (!width || !this.listening || width === this.plot.layout?.width) return;
    this.Plotly.relayout(this.plot, { width }).then(() => this.overlay());
  }

  // The reader has zoomed.
  relaid() {
    this.overlay();
    if (this.layer.on) this.draw();
  }

  // What lies over the figure.
  overlay() {
    if (this.narrow) part(this.plot);
    this.cursor.draw();
    this.tracks.draw();
  }

  // One count for a frame, after the frame is on the screen.
  countPaint(shows = this.box.dataset.shows) {
    this.painting = shows;
    if (this.counting) return;
    this.counting = true;
    afterPaint(() => {
      this.counting = false;
      this.box.dataset.painted = Number(this.box.dataset.painted) + 1;
      if (this.painting !== undefined && this.painting !== null) this.box.dataset.shows = this.painting;
    });
  }

  fail(error) {
    console.warn(`rnnviz chart ${this.options?.key}: ${error.message}`);
    this.message.textContent = this.options?.words?.failed ?? "✕";
    this.message.hidden = false;
    this.countPaint();
  }
}
