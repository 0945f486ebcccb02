// The page: asks once a second, and shows what it is told.

import { Actions } from "./actions.js";
import { showBoard } from "./board.js";
import { $, at, clock, el, percent, say, span } from "./dom.js";
import { Track } from "./figures.js";
import { showAllKinds, showBanner, showEvents, showFindings, showHealth } from "./panels.js";
import { Sites } from "./sites.js";

const EVERY_MS = 1000;
const HIDDEN_MS = 15_000;
const LONGEST_WAIT_MS = 30_000;
const PATIENCE_MS = 8000;

const state = { id: null, minutes: 5, paused: false, failures: 0, overview: null, timer: null, nextTry: 0, tracks: new Map() };

// ---- what does not change while the page is open

const THEMES = ["system", "light", "dark"];
const THEME = "cache-admin-theme";

// A browser may be told to store nothing, and then throws.
function stored(act) {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
}

function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  stored((storage) => storage.setItem(THEME, theme));
  say($("theme-name"), theme === "system" ? "Auto" : theme === "light" ? "Light" : "Dark");
  $("theme").setAttribute("aria-label", `Theme: ${theme}`);
  $("theme").dataset.theme = theme;
}

const chosen = stored((storage) => storage.getItem(THEME));
setTheme(THEMES.includes(chosen) ? chosen : "system");
$("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf($("theme").dataset.theme) + 1) % THEMES.length]));

const sites = new Sites();
new Actions(
  () => state.id,
  () => pollNow(),
);

for (const button of document.querySelectorAll("[data-minutes]")) {
  button.addEventListener("click", () => {
    state.minutes = Number(button.dataset.minutes);
    for (const it of document.querySelectorAll("[data-minutes]")) it.setAttribute("aria-pressed", String(it === button));
    show();
  });
}

$("pause").addEventListener("click", () => {
  state.paused = !state.paused;
  $("pause").setAttribute("aria-pressed", String(state.paused));
  say($("pause"), state.paused ? "Go on" : "Pause");
  showLive();
  if (!state.paused) pollNow();
});

$("cache-select").addEventListener("change", (event) => {
  state.id = event.target.value;
  sites.clear();
  $("inspect-result").replaceChildren();
  $("evict-result").replaceChildren();
  show();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) pollNow();
});

// ---- asking

async function get(path) {
  const response = await fetch(at(path), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  // A guard may send to a login instead.
  if (response.status === 401 || response.status === 403 || response.redirected) throw new Error("you are not let in any more; load the page again");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

const track = (id) => {
  if (!state.tracks.has(id)) state.tracks.set(id, new Track());
  return state.tracks.get(id);
};

async function remember() {
  for (const { at_ms, caches } of await get("api/history")) {
    for (const [id, figures] of caches) track(id).add(at_ms, figures);
  }
}

async function poll() {
  let overview;
  try {
    overview = await get("api/overview");
    if (state.overview === null) await remember();
  } catch (error) {
    state.failures += 1;
    state.why = error.name === "TimeoutError" ? "no answer" : error instanceof TypeError ? "the server cannot be reached" : error.message;
    return;
  }
  state.overview = overview;
  state.failures = 0;
  for (const cache of overview.caches) track(cache.id).add(overview.now_ms, cache.total);
  if (!overview.caches.some((it) => it.id === state.id)) state.id = overview.caches[0]?.id ?? null;
  show();
}

function wait() {
  if (state.failures > 0) return Math.min(LONGEST_WAIT_MS, EVERY_MS * 2 ** (state.failures - 1));
  return document.hidden ? HIDDEN_MS : EVERY_MS;
}

let polling = false;

async function pollNow() {
  clearTimeout(state.timer);
  if (polling || state.paused) return;
  polling = true;
  const began = performance.now();
  // Should showing fail, that is an error of the page; it goes on asking.
  await poll().catch((error) => console.error(error));
  polling = false;
  // Once a second, however long the answer took.
  const next = Math.max(state.failures > 0 ? wait() : 100, wait() - (performance.now() - began));
  state.nextTry = Date.now() + next;
  showLive();
  clearTimeout(state.timer);
  state.timer = setTimeout(pollNow, next);
}

// ---- showing

function showLive() {
  const lost = state.failures > 0;
  const seconds = Math.max(0, Math.round((state.nextTry - Date.now()) / 1000));
  $("live").dataset.level = lost ? "bad" : state.paused ? "off" : "good";
  say($("live-words"), lost ? "Connection lost" : state.paused ? "Paused" : "Live");
  document.body.classList.toggle("lost", lost);
  const next = state.paused ? "Paused." : `Next try in ${seconds} s.`;
  showBanner("lost", lost && "bad", `Connection lost: ${state.why}. The figures are those of ${state.overview ? clock(state.overview.now_ms) : "never"}.`);
  say($("retry"), lost ? next : "");
}

$("banners").after(el("span", { id: "retry", class: "retry" }));
setInterval(() => state.failures > 0 && showLive(), 1000);

function show() {
  const cache = state.overview?.caches.find((it) => it.id === state.id);
  if (!cache) {
    showBanner("none", state.overview && "warning", "This router was given no cache.");
    return;
  }
  const { points } = track(state.id);
  const to = state.overview.now_ms;
  // A page that was just opened has not the time that is asked for yet.
  const known = Math.max(60_000, to - (points[0]?.t ?? to));
  const windowMs = Math.min(state.minutes * 60_000, known);
  const words = windowMs <= 60_000 ? "minute" : span(windowMs);
  showCaches();
  showHealth(cache.health, cache.uptime_ms, to);
  const withRedis = cache.health.redis.level !== "off";
  const now = showBoard(track(state.id), cache.total, to, windowMs, withRedis);
  sites.update(to, cache.sites, windowMs, words);
  showAllKinds(cache.total);
  showFindings(cache.findings);
  showEvents(state.overview.events, state.id);
  const several = state.overview.caches.length > 1;
  say($("cache-name"), several ? "" : cache.name);
  say($("foot"), `cache-http ${state.overview.version}, watched for ${span(state.overview.uptime_ms)}. Figures above are of the last 10 seconds, compared with the last ${state.minutes} min.`);
  document.title = `${percent(now?.ratio)} ${cache.name} – Cache administration`;
}

function showCaches() {
  const ids = state.overview.caches.map((it) => it.id);
  const select = $("cache-select");
  $("cache-choice").hidden = ids.length < 2;
  if (ids.join("\n") !== [...select.options].map((it) => it.value).join("\n")) {
    select.replaceChildren(...ids.map((id) => el("option", { value: id }, id)));
  }
  select.value = state.id;
}

pollNow();
