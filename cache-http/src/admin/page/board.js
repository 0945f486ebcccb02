// The figures of now, and the charts of the last minutes: which there are, and what they show.

import { Chart } from "./charts.js";
import { $, NONE, bytes, count, el, percent, rate, say, took } from "./dom.js";
import { NOW_MS, errors } from "./figures.js";

// Of an axis: no more digits than it needs.
const plain = (it) => (Number.isInteger(it) ? count(it) : it.toFixed(1));

const charts = [
  new Chart($("charts"), {
    title: "Hit ratio",
    unit: "% of requests",
    lines: [{ key: "ratio", label: "Hits", tone: 1 }],
    format: percent,
    axis: (it) => `${Math.round(100 * it)} %`,
    fixed: 1,
    area: true,
  }),
  new Chart($("charts"), {
    title: "Requests",
    unit: "per second",
    lines: [
      { key: "calls", label: "All", tone: 1 },
      { key: "memory", label: "Memory", tone: 2 },
      { key: "redis", label: "Redis", tone: 3 },
      { key: "misses", label: "Misses", tone: 4 },
    ],
    format: rate,
    axis: plain,
    floor: 5,
    area: true,
  }),
  new Chart($("charts"), {
    title: "Load time",
    unit: "of the origin",
    lines: [
      { key: "load50", label: "p50", tone: 1 },
      { key: "load99", label: "p99", tone: 4 },
    ],
    format: took,
    floor: 1,
  }),
  new Chart($("charts"), {
    title: "Redis latency",
    redis: true,
    unit: "of a command",
    lines: [
      { key: "redis50", label: "p50", tone: 1 },
      { key: "redis99", label: "p99", tone: 4 },
    ],
    format: took,
    floor: 0.5,
  }),
  new Chart($("charts"), {
    title: "Work",
    unit: "per second",
    lines: [
      { key: "loads", label: "Loads", tone: 1 },
      { key: "evictions", label: "Evictions", tone: 3 },
      { key: "errors", label: "Errors", tone: 4 },
    ],
    format: rate,
    axis: plain,
    floor: 2,
  }),
  new Chart($("charts"), {
    title: "Memory",
    unit: "of this process",
    lines: [{ key: "entries", label: "Entries", tone: 2 }],
    format: count,
    floor: 10,
    area: true,
  }),
];

const inPoints = (now, before) => {
  if (now === null || before === null || now === undefined || before === undefined) return "";
  const change = 100 * (now - before);
  if (Math.abs(change) < 0.1) return "steady";
  return `${change > 0 ? "▲" : "▼"} ${Math.abs(change).toFixed(1)} pt`;
};

const share = (now, before) => {
  if (!before || now === null || now === undefined) return "";
  const change = now / before - 1;
  if (Math.abs(change) < 0.05) return "steady";
  // Beyond it a percentage says less than the figure does.
  if (change > 9.99) return "▲ ×" + count(now / before);
  return `${change > 0 ? "▲" : "▼"} ${Math.abs(100 * change).toFixed(0)} %`;
};

// Of the last ten seconds, with what is beside it and how it compares with the time shown.
const CARDS = [
  { id: "ratio", label: "Hit ratio", show: (now) => percent(now?.ratio), delta: (now, all) => inPoints(now?.ratio, all?.ratio) },
  { id: "calls", label: "Requests/s", show: (now) => rate(now?.calls), delta: (now, all) => share(now?.calls, all?.calls) },
  { id: "loads", label: "Loads/s", show: (now) => rate(now?.loads), beside: (now, all, total) => `${count(total.loading ?? 0)} running, ${count(total.waiting ?? 0)} wait` },
  { id: "load", label: "Load time p50", show: (now) => took(now?.load50), beside: (now) => `p99 ${took(now?.load99)}` },
  { id: "redis", redis: true, label: "Redis p50", show: (now) => took(now?.redis50), beside: (now) => `p99 ${took(now?.redis99)}` },
  { id: "evictions", label: "Evictions", show: (now, all, total) => count(total.evictions ?? 0), beside: (now) => `${rate(now?.evictions)}/s` },
  { id: "errors", label: "Errors", show: (now, all, total) => count(errors(total)), beside: (now) => `${rate(now?.errors)}/s`, bad: (now) => (now?.errors ?? 0) > 0 },
  { id: "entries", label: "Entries in memory", show: (now, all, total) => count(total.entries), beside: (now, all, total) => bytes(total.bytes) },
].map((card) => {
  const value = el("dd", { class: "value" }, NONE);
  const more = el("dd", { class: "more" });
  const node = el("dl", { class: "card panel", id: `card-${card.id}` }, el("dt", {}, card.label), value, more);
  $("cards").append(node);
  return { ...card, value, more, node };
});

// All of it: what a track of samples says at a moment, beside the time that is shown.
export function showBoard(track, total, to, windowMs, withRedis) {
  const now = track.over(NOW_MS);
  const all = track.over(windowMs);
  for (const card of CARDS) {
    say(card.value, card.show(now, all, total));
    say(card.more, card.beside ? card.beside(now, all, total) : card.delta(now, all));
    card.node.classList.toggle("is-bad", Boolean(card.bad?.(now)));
  }
  // Of what is not there nothing is shown.
  for (const { redis, node } of [...CARDS, ...charts]) node.hidden = Boolean(redis) && !withRedis;
  for (const chart of charts) chart.draw(track.points, to - windowMs, to);
  return now;
}
