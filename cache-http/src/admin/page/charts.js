// Line charts in SVG: axes, units, a legend that is the readout, a line to read along by pointer or arrow keys, shared by all charts.
// Lines differ by dashes as well as by colour.

import { clock, el, say, span, svg } from "./dom.js";

const TALL = 168;
const LOW = 136;
const MARGIN = { top: 10, right: 10, bottom: 20, left: 48 };
// A line is not drawn over a time in which nobody looked.
const GAP_MS = 20_000;

// Between two marks of the time axis.
const STEPS = [15_000, 30_000, 60_000, 120_000, 300_000];

const charts = new Set();
let reading = null;

function read(t) {
  reading = t;
  for (const chart of charts) chart.drawReading();
}

// The next round figure, and the step of three to five marks below it.
function scale(max) {
  const power = 10 ** Math.floor(Math.log10(max));
  const top = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((it) => it * power >= max * 0.999) * power;
  const marks = { 1: 5, 1.5: 3, 2: 4, 2.5: 5, 3: 3, 4: 4, 5: 5, 6: 3, 8: 4, 10: 5 }[Math.round((top / power) * 10) / 10];
  return { top, step: top / marks };
}

export class Chart {
  // `lines`: key, label, and a colour's number; `format` of a value; `floor`: the least that the axis goes up to; `fixed`: its end.
  constructor(host, { title, unit, lines, format, axis, floor = 1, fixed = null, area = false, redis = false }) {
    Object.assign(this, { lines, format, axis: axis ?? format, floor, fixed, title, redis });
    this.points = [];
    this.values = lines.map(() => el("b", {}, "–"));
    const entry = (line, at) =>
      el(
        "li",
        {},
        svg("svg", { class: `swatch tone-${line.tone}`, viewBox: "0 0 22 8", "aria-hidden": "true" }, svg("path", { class: `line dash-${at}`, d: "M0 4H22" })),
        el("span", {}, line.label),
        this.values[at],
      );
    this.grid = svg("g", { class: "grid" });
    this.paths = lines.map((line, at) => svg("path", { class: `line tone-${line.tone} dash-${at}` }));
    this.fill = area ? svg("path", { class: `fill tone-${lines[0].tone}` }) : null;
    this.cross = svg("line", { class: "cross", y1: MARGIN.top });
    this.dots = lines.map((line) => svg("circle", { class: `dot tone-${line.tone}`, r: 3.5 }));
    this.marks = svg("g", { hidden: true }, this.cross, this.dots);
    this.when = el("span", { class: "when" });
    this.empty = el("p", { class: "chart-empty" }, "Nothing to show yet");
    this.drawing = svg(
      "svg",
      {
        class: "plot",
        tabindex: "0",
        role: "img",
        "aria-label": title,
        onpointermove: (event) => this.point(event),
        onpointerdown: (event) => this.point(event),
        onpointerleave: () => read(null),
        onblur: () => read(null),
        onkeydown: (event) => this.key(event),
      },
      this.grid,
      this.fill,
      this.paths,
      this.marks,
    );
    this.spoken = el("p", { class: "sr", "aria-live": "polite" });
    this.node = el(
      "figure",
      { class: "chart panel" },
      el("figcaption", {}, el("h3", {}, title), el("span", { class: "note" }, unit), this.when, el("ul", { class: "legend" }, lines.map(entry))),
      el("div", { class: "plot-box" }, this.drawing, this.empty),
      this.spoken,
    );
    host.append(this.node);
    this.width = 0;
    new ResizeObserver(([entry]) => {
      this.width = Math.floor(entry.contentRect.width);
      this.height = this.width < 360 ? LOW : TALL;
      this.drawing.setAttribute("height", this.height);
      this.drawing.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      this.cross.setAttribute("y2", this.height - MARGIN.bottom);
      this.draw(this.points, this.from, this.to);
    }).observe(this.drawing.parentNode);
    charts.add(this);
  }

  x(t) {
    return MARGIN.left + ((t - this.from) / (this.to - this.from)) * (this.width - MARGIN.left - MARGIN.right);
  }

  y(value) {
    return this.height - MARGIN.bottom - (Math.min(value, this.top) / this.top) * (this.height - MARGIN.top - MARGIN.bottom);
  }

  draw(points, from, to) {
    Object.assign(this, { points, from, to });
    if (!(to > from) || this.width < 60) return;
    // One point before the beginning, so that the line comes from the edge.
    const first = Math.max(0, points.findIndex((it) => it.t >= from) - 1);
    this.shown = points.slice(first);
    const values = this.lines.flatMap((line) => this.shown.map((it) => it[line.key] ?? 0));
    const { top, step } = scale(this.fixed ?? Math.max(this.floor, ...values));
    this.top = top;
    const steps = Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step);
    this.grid.replaceChildren(...steps.flatMap((value) => this.mark(value)), ...this.times());
    this.lines.forEach((line, at) => {
      const runs = this.runs(line.key);
      const path = runs.map((run) => "M" + run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")).join("");
      this.paths[at].setAttribute("d", path);
      if (at === 0 && this.fill) this.fill.setAttribute("d", runs.map((run) => this.below(run)).join(""));
    });
    this.empty.hidden = this.lines.some((line) => this.shown.some((it) => it[line.key] !== null));
    this.drawReading();
  }

  // The stretches of a line without a gap.
  runs(key) {
    const runs = [];
    let run = [];
    let last = null;
    for (const point of this.shown) {
      const value = point[key];
      const gap = value === null || value === undefined || (last !== null && point.t - last > GAP_MS);
      if (gap && run.length > 0) {
        runs.push(run);
        run = [];
      }
      if (value === null || value === undefined) continue;
      run.push([Math.max(MARGIN.left, this.x(point.t)), this.y(value)]);
      last = point.t;
    }
    if (run.length > 0) runs.push(run);
    // A moment alone is a dot: round ends are drawn of a line without length.
    return runs.map((it) => (it.length === 1 ? [it[0], it[0]] : it));
  }

  below(run) {
    const base = this.height - MARGIN.bottom;
    return `M${run[0][0].toFixed(1)} ${base}L` + run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L") + `L${run.at(-1)[0].toFixed(1)} ${base}Z`;
  }

  mark(value) {
    const y = Math.round(this.y(value)) + 0.5;
    return [
      svg("line", { x1: MARGIN.left, x2: this.width - MARGIN.right, y1: y, y2: y, class: value === 0 ? "axis" : null }),
      svg("text", { x: MARGIN.left - 6, y: y + 3.5, "text-anchor": "end" }, value === 0 ? "0" : this.axis(value)),
    ];
  }

  times() {
    const length = this.to - this.from;
    const room = this.width - MARGIN.left - MARGIN.right;
    const step = STEPS.find((it) => (it / length) * room >= 56) ?? length;
    const marks = [];
    for (let ago = 0; ago <= length; ago += step) {
      // What would begin under the marks of the other axis is left out.
      const x = this.x(this.to - ago);
      if (ago > 0 && x < MARGIN.left + 20) break;
      const text = ago === 0 ? "now" : `−${span(ago)}`;
      marks.push(svg("text", { x, y: this.height - 5, "text-anchor": ago === 0 ? "end" : "middle" }, text));
    }
    return marks;
  }

  point(event) {
    const x = event.clientX - this.drawing.getBoundingClientRect().left;
    const share = (x - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right);
    if (share >= -0.02 && share <= 1.02) read(this.from + share * (this.to - this.from));
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    if (event.key === "Escape") return read(null);
    if (!(event.key in steps) || this.points.length === 0) return;
    event.preventDefault();
    const now = reading === null ? this.points.length : this.points.indexOf(this.nearest(reading));
    const next = Math.min(this.points.length - 1, Math.max(0, now + steps[event.key]));
    read(this.points[next].t);
    say(this.spoken, `${clock(this.points[next].t)}: ${this.words(this.points[next])}`);
  }

  nearest(t) {
    return this.points.reduce((best, it) => (Math.abs(it.t - t) < Math.abs(best.t - t) ? it : best), this.points[0]);
  }

  words(point) {
    return this.lines.map((line) => `${line.label} ${this.format(point?.[line.key])}`).join(", ");
  }

  // The legend shows the moment that is read, else the latest.
  drawReading() {
    const near = reading === null || this.points.length === 0 ? null : this.nearest(reading);
    // Who points at a time that nobody looked at reads nothing.
    const point = near && Math.abs(near.t - reading) < GAP_MS ? near : null;
    const shown = point ?? (reading === null ? this.points.at(-1) : null);
    this.lines.forEach((line, at) => say(this.values[at], this.format(shown?.[line.key])));
    this.drawing.setAttribute("aria-label", `${this.title}: ${this.words(shown)}`);
    say(this.when, point ? clock(point.t) : "");
    if (!point || point.t < this.from) return this.marks.setAttribute("hidden", "");
    this.marks.removeAttribute("hidden");
    const x = this.x(point.t);
    this.cross.setAttribute("x1", x);
    this.cross.setAttribute("x2", x);
    this.lines.forEach((line, at) => {
      const value = point[line.key];
      const known = value !== null && value !== undefined;
      this.dots[at].setAttribute("cx", x);
      this.dots[at].setAttribute("cy", known ? this.y(value) : -10);
    });
  }
}

const SPARK = { width: 96, height: 22 };

// A line as high as its own greatest value; what it says is beside it.
export function spark() {
  const path = svg("path", { class: "line tone-1" });
  const drawing = svg("svg", { class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" }, path);
  drawing.update = (points, from, to, key) => {
    const shown = points.filter((it) => it.t >= from);
    const max = Math.max(1e-9, ...shown.map((it) => it[key] ?? 0));
    const x = (t) => ((t - from) / (to - from)) * SPARK.width;
    const y = (value) => SPARK.height - 2 - (value / max) * (SPARK.height - 5);
    path.setAttribute("d", shown.length < 2 ? "" : "M" + shown.map((it) => `${x(it.t).toFixed(1)} ${y(it[key] ?? 0).toFixed(1)}`).join("L"));
  };
  return drawing;
}
