// Health, evictions and errors by kind, what was found, what happened: in words.

import { $, clock, count, el, say, span } from "./dom.js";

// A banner for each reason to look, none twice: what is there already is not announced again.
export function showBanner(name, level, text) {
  const id = `banner-${name}`;
  const there = $(id);
  if (!level) return there?.remove();
  if (!there) {
    const banner = el("p", { id, class: "banner", "data-level": level }, text);
    return name === "lost" ? $("banners").prepend(banner) : $("banners").append(banner);
  }
  there.dataset.level = level;
  say(there, text);
}

export function showHealth(health, uptime, now) {
  const queued = health.queued_evictions;
  const facts = [
    ["Redis", health.redis],
    ["Messages", health.messages],
    ["Queued evictions", { level: queued > 0 ? "warning" : "good", words: count(queued) }],
    ["Cache", { level: "off", words: `Running for ${span(uptime)}` }],
  ];
  const list = $("health");
  if (list.children.length === 0) {
    for (const [name] of facts) list.append(el("div", {}, el("dt", {}, name), el("dd", {}, el("span", { class: "pill" }, el("i", { "aria-hidden": "true" }), el("span", {})), el("span", { class: "note" }))));
  }
  facts.forEach(([, fact], at) => {
    const [pill, note] = list.children[at].lastChild.children;
    pill.dataset.level = fact.level;
    say(pill.lastChild, fact.words);
    say(note, fact.since_ms ? `for ${span(Math.max(1000, now - fact.since_ms))}` : "");
  });
  for (const [name, fact] of facts.slice(0, 2)) {
    // That messages are not heard without a connection need not be said.
    const implied = name === "Messages" && health.redis.level === "bad";
    const level = !implied && (fact.level === "bad" || fact.level === "warning") ? fact.level : null;
    const since = fact.since_ms ? ` since ${clock(fact.since_ms)}` : "";
    const meaning = name === "Redis" ? "Functions go on: they answer from memory and from their origins." : "Memory is believed less, so more is loaded.";
    const why = (fact.details ?? []).join("; ");
    showBanner(name, level, `${name}: ${fact.words.toLowerCase()}${fact.level === "bad" ? since : ""}. ${why ? `${why}. ` : ""}${fact.level === "bad" ? meaning : ""}`.trim());
  }
}

const EVICTIONS = { Keys: "evicted_keys", Tags: "evicted_tags", Regions: "evicted_regions", Scopes: "evicted_scopes", Patterns: "evicted_patterns", Everything: "evicted_all" };

const ERRORS = {
  "Loads that failed": "load_errors",
  "Gave up on a load": "timeouts",
  "Gave up waiting": "wait_timeouts",
  "Redis: no answer in time": "redis_timeouts",
  "Redis: no connection": "redis_unavailable",
  "Redis: refused": "redis_refused",
  "Redis: too much at once": "redis_busy",
  "Redis: answered something else": "redis_protocol",
  "Stored bytes unreadable": "decode_errors",
  "Too large to store": "oversized",
  "No JSON form": "unserializable",
};

function showKinds(host, kinds, total) {
  if (host.children.length === 0) host.append(...Object.keys(kinds).map((name) => el("div", {}, el("dt", {}, name), el("dd", {}))));
  Object.values(kinds).forEach((field, at) => {
    const value = total[field] ?? 0;
    say(host.children[at].lastChild, count(value));
    host.children[at].classList.toggle("zero", value === 0);
  });
}

export function showAllKinds(total) {
  showKinds($("evictions-by-kind"), EVICTIONS, total);
  showKinds($("errors-by-kind"), ERRORS, total);
}

// What stands between backticks is code.
const coded = (text) => text.split("`").map((part, at) => (at % 2 === 1 ? el("code", {}, part) : part));

function showList(host, items, empty) {
  const key = JSON.stringify(items);
  if (host.dataset.shown === key) return;
  host.dataset.shown = key;
  host.replaceChildren(...(items.length === 0 ? [el("li", { class: "empty" }, empty)] : items.map(({ level, tag, text, more }) => el("li", {}, el("span", { class: "pill", "data-level": level }, el("i", { "aria-hidden": "true" }), tag), el("span", { class: "grow" }, ...coded(text), more && el("span", { class: "note block" }, ...coded(more)))))));
}

const SEVERITIES = { off: "Advice", warning: "Warning", bad: "Error" };

export function showFindings(findings) {
  const item = ({ level, site, what, means, advice }) => ({ level, tag: SEVERITIES[level], text: `${site ? `${site}: ` : ""}${what}: ${means}.`, more: advice });
  showList($("findings"), findings.map(item), "Nothing was found.");
}

export function showEvents(events, id) {
  const mine = events.filter((it) => it.cache === id).reverse();
  const level = (it) => (it.kind === "eviction" ? "off" : "warning");
  showList($("events"), mine.map((it) => ({ level: level(it), tag: clock(it.at_ms), text: it.says })), "Nothing happened yet.");
}
