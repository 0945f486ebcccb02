// The table of functions: sorted by any column, one row for each function that has called the cache.

import { spark } from "./charts.js";
import { $, count, el, percent, rate, say, took } from "./dom.js";
import { Track, calls, errors } from "./figures.js";

// Programmatic calls are counted by the name of the method, where they are given no other.
const METHODS = new Set(["get", "get_or_load", "get_or_refresh", "put", "evict", "expire"]);
// Beside the cache, over its connection.
const COMMANDS = "redis";

// `of` a row, and how it is shown; `low` columns are left out where there is little room.
const COLUMNS = [
  { id: "name", label: "Function", of: (row) => row.short, text: true },
  { id: "spark", label: "Activity", low: true },
  { id: "calls", label: "Requests/s", of: (row) => row.now?.calls, show: rate },
  { id: "ratio", label: "Hit ratio", of: (row) => row.now?.ratio, show: percent },
  { id: "loads", label: "Loads/s", of: (row) => row.now?.loads, show: rate },
  { id: "load99", label: "Load p99", of: (row) => row.now?.load99, show: took },
  { id: "stale", label: "Stale/s", of: (row) => row.now?.stale, show: rate, low: true },
  { id: "evictions", label: "Evictions", of: (row) => row.figures.evictions ?? 0, show: count, low: true },
  { id: "errors", label: "Errors", of: (row) => errors(row.figures), show: count },
  { id: "total", label: "Requests", of: (row) => calls(row.figures), show: count },
];

export class Sites {
  constructor() {
    this.rows = new Map();
    this.order = { id: "calls", down: true };
    this.filter = "";
    this.head = COLUMNS.map((column) => this.heading(column));
    $("sites").tHead.append(el("tr", {}, this.head));
    $("sites-filter").addEventListener("input", (event) => {
      this.filter = event.target.value.trim().toLowerCase();
      this.arrange();
    });
    const options = COLUMNS.filter((it) => it.of).map((it) => el("option", { value: it.id }, `By ${it.label.toLowerCase()}`));
    $("sites-order").append(...options);
    $("sites-order").addEventListener("change", (event) => this.orderBy(event.target.value, event.target.value !== "name"));
    this.showOrder();
  }

  heading(column) {
    const cell = el("th", { scope: "col", class: this.kind(column) });
    if (!column.of) return filledWith(cell, column.label);
    const down = () => (this.order.id === column.id ? !this.order.down : !column.text);
    cell.append(el("button", { type: "button", onclick: () => this.orderBy(column.id, down()) }, column.label));
    return cell;
  }

  kind(column) {
    return [`c-${column.id}`, column.text || !column.of ? "" : "figure", column.low ? "low" : ""].join(" ").trim();
  }

  orderBy(id, down) {
    this.order = { id, down };
    this.showOrder();
    this.arrange();
  }

  showOrder() {
    COLUMNS.forEach((column, at) => {
      const way = this.order.down ? "descending" : "ascending";
      if (column.id === this.order.id) this.head[at].setAttribute("aria-sort", way);
      else this.head[at].removeAttribute("aria-sort");
    });
    $("sites-order").value = this.order.id;
  }

  // Another cache is shown.
  clear() {
    this.rows.clear();
    $("sites").tBodies[0].replaceChildren();
  }

  update(t, sites, windowMs, windowWords) {
    for (const site of sites) {
      const row = this.rows.get(site.name) ?? this.add(site.name);
      row.figures = site;
      row.track.add(t, site);
      row.now = row.track.over(windowMs);
      for (const column of COLUMNS) {
        if (column.show) say(row.cells.get(column.id), column.show(column.of(row)));
      }
      row.bar.value = row.now?.ratio ?? 0;
      row.bar.hidden = row.now?.ratio === null || row.now?.ratio === undefined;
      row.spark.update(row.track.points, t - windowMs, t, "calls");
    }
    say($("sites-note"), `Rates of the last ${windowWords}; the last three columns are since the start`);
    $("sites-empty").hidden = this.rows.size > 0;
    $("sites").hidden = this.rows.size === 0;
    this.arrange();
  }

  add(name) {
    const { short, path } = parts(name);
    const row = { name, short, track: new Track(), cells: new Map(), spark: spark(), figures: {} };
    row.bar = el("meter", { min: 0, max: 1, "aria-hidden": "true" });
    const cell = (column) => {
      if (column.id === "name") return el("th", { scope: "row", class: "c-name", title: name }, el("span", { class: "name" }, short), el("span", { class: "path" }, path));
      if (column.id === "spark") return el("td", { class: this.kind(column) }, row.spark);
      const value = el("span", {});
      row.cells.set(column.id, value);
      return el("td", { class: this.kind(column), "data-label": column.label }, column.id === "ratio" ? row.bar : null, value);
    };
    row.line = el("tr", {}, COLUMNS.map(cell));
    this.rows.set(name, row);
    return row;
  }

  arrange() {
    const { of } = COLUMNS.find((column) => column.id === this.order.id);
    const sign = this.order.down ? -1 : 1;
    const compare = (a, b) => {
      const [x, y] = [of(a) ?? null, of(b) ?? null];
      // What is not known comes last, whichever way.
      if (x === null || y === null) return (x === null) - (y === null) || (a.name < b.name ? -1 : 1);
      const order = typeof x === "string" ? x.localeCompare(y) : x - y;
      return sign * order || calls(b.figures) - calls(a.figures) || (a.name < b.name ? -1 : 1);
    };
    const rows = [...this.rows.values()].filter((row) => row.name.toLowerCase().includes(this.filter)).sort(compare);
    const body = $("sites").tBodies[0];
    const lines = rows.map((row) => row.line);
    // Only what is out of place moves, so that focus and selection stay where they are.
    if (lines.length !== body.rows.length || lines.some((line, at) => body.rows[at] !== line)) body.replaceChildren(...lines);
  }
}

function filledWith(node, text) {
  node.append(text);
  return node;
}

// The function, and where it is; generic arguments stay with the function.
function parts(name) {
  if (METHODS.has(name)) return { short: `${name}()`, path: "called on the cache" };
  if (name === COMMANDS) return { short: name, path: "commands of the service" };
  const plain = name.split("<")[0];
  const at = plain.lastIndexOf("::");
  return at < 0 ? { short: name, path: "" } : { short: name.slice(at + 2), path: name.slice(0, at) };
}
