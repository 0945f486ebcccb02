// Elements, and figures as people read them. Text only ever becomes text: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

// Where a path below the page is. A browser that was given a password in the address asks for nothing relative to that.
const base = new URL(document.baseURI);
base.username = base.password = "";
export const at = (path) => new URL(path, base);

// Changes a text only if it differs, so that a screen reader and a selection are left alone.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

export function count(value) {
  if (value === null || value === undefined) return NONE;
  return value < 10000 ? whole.format(value) : short.format(value);
}

// A figure of a second.
export function rate(value) {
  if (value === null || value === undefined) return NONE;
  if (value === 0) return "0";
  if (value < 0.1) return "<0.1";
  return value < 10 ? value.toFixed(1) : count(value);
}

// From a share of 1. Only all is 100 %, and only nothing is 0 %.
export function percent(value) {
  if (value === null || value === undefined) return NONE;
  if (value > 0.999 && value < 1) return ">99.9 %";
  if (value > 0 && value < 0.001) return "<0.1 %";
  const shown = (100 * value).toFixed(1);
  return (value === 1 || value === 0 ? whole.format(100 * value) : shown) + " %";
}

export function bytes(value) {
  if (value === null || value === undefined) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

const digits = (value) => (value < 10 ? Number(value.toFixed(1)).toString() : value.toFixed(0));

// Of an operation, from milliseconds.
export function took(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 1) return `${digits(1000 * ms)} µs`;
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

// Of a life, from milliseconds: the two largest units.
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (seconds < 60) return `${seconds} s`;
  const parts = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`).join(" ");
}

export const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");
