// Inspect and evict.

import { $, at, bytes, count, el, say, span } from "./dom.js";

const KINDS = {
  key: ["Key", "product:7", "The entry of one key, as it is typed in code or as it is shown here."],
  tag: ["Tag", "author:12", "Every entry that carries the tag, at one cost whatever their number."],
  region: ["Region", "products:list", "The key of this text and every key below it."],
  scope: ["Scope", "user:1", "Everything that belongs to one owner."],
  pattern: ["Pattern", "products:*", "Every key that matches: * any text, ? one character, [a-z] one of a class. Anything but a literal before one * at the end scans Redis."],
  all: ["", "", "Everything this cache holds, in Redis and in every process. What is asked for next is loaded anew."],
};

async function ask(path, options) {
  const response = await fetch(at(path), { cache: "no-store", ...options });
  const body = (response.headers.get("content-type") ?? "").includes("json") ? await response.json() : {};
  if (!response.ok) throw new Error(body.error ?? body.says ?? `the server answered ${response.status}`);
  return body;
}

function result(host, level, text, more) {
  host.replaceChildren(el("p", { class: "outcome", "data-level": level }, text), ...(more ? [more] : []));
}

export class Actions {
  // `cache()` tells which one is meant, `done()` that the figures have changed.
  constructor(cache, done) {
    Object.assign(this, { cache, done });
    this.inspecting = $("inspect");
    this.evicting = $("evict");
    this.inspecting.addEventListener("submit", (event) => {
      event.preventDefault();
      this.inspect();
    });
    this.evicting.addEventListener("submit", (event) => {
      event.preventDefault();
      this.evict();
    });
    this.evicting.elements.kind.addEventListener("change", () => this.showKind());
    this.showKind();
  }

  showKind() {
    const { kind, value, scope } = this.evicting.elements;
    const [label, example, help] = KINDS[kind.value];
    say($("evict-label"), label);
    say($("evict-help"), help);
    value.placeholder = example;
    const all = kind.value === "all";
    value.required = !all;
    value.closest("[data-part]").hidden = all;
    scope.closest("[data-part]").hidden = kind.value !== "key";
  }

  async inspect() {
    const host = $("inspect-result");
    const { key, scope } = this.inspecting.elements;
    const query = new URLSearchParams({ cache: this.cache(), key: key.value });
    if (scope.value) query.set("scope", scope.value);
    try {
      const found = await ask(`api/inspect?${query}`);
      if (found.found) host.replaceChildren(this.entry(found));
      else result(host, "off", "Nothing is stored under this key.", el("p", { class: "note" }, "Looked for ", el("code", {}, found.key)));
    } catch (error) {
      result(host, "bad", `Not inspected: ${error.message}`);
    }
  }

  entry(found) {
    const act = (label, expire) => el("button", { type: "button", class: "button", onclick: () => this.one({ kind: "key", value: found.key, expire }) }, label);
    const states = [
      found.leased && el("span", { class: "pill", "data-level": "warning" }, el("i", { "aria-hidden": "true" }), "Being loaded"),
      found.held_ms && el("span", { class: "pill", "data-level": "warning" }, el("i", { "aria-hidden": "true" }), `Held for ${span(found.held_ms)}`),
      found.scope && el("span", { class: "pill", "data-level": "off" }, `Scope ${found.scope}`),
    ];
    return el(
      "div",
      { class: "entry" },
      el("div", { class: "row" }, el("code", { class: "key" }, found.key), ...states),
      el("div", { class: "tiers" }, this.tier("Memory of this process", found.memory), this.tier("Redis", found.redis)),
      el("div", { class: "row end" }, act("Mark as stale", true), act("Evict this key", false)),
    );
  }

  tier(title, stored) {
    if (!stored) return el("div", { class: "tier" }, el("h3", {}, title), el("p", { class: "empty" }, "Not here"));
    const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
    const life = stored.age_ms + stored.remaining_ms;
    const left = life === 0 ? 0 : stored.remaining_ms / life;
    const fresh = stored.remaining_ms > 0;
    const chip = (tag) =>
      tag.digest
        ? el("span", { class: "chip", title: "A digest: evict by the full text of the tag" }, tag.text)
        : el("button", { type: "button", class: "chip", title: "Put this tag into the form for evictions", onclick: () => this.propose("tag", tag.text) }, tag.text);
    return el(
      "div",
      { class: "tier" },
      el("h3", {}, title, " ", el("span", { class: "pill", "data-level": fresh ? "good" : "warning" }, el("i", { "aria-hidden": "true" }), fresh ? "Fresh" : "Past its ttl")),
      el("meter", { min: 0, max: 1, value: left, "aria-label": "Life left" }),
      el(
        "dl",
        { class: "facts" },
        fact("Age", span(stored.age_ms)),
        fact("Life left", fresh ? span(stored.remaining_ms) : "none"),
        fact("Size", bytes(stored.bytes)),
        fact("Codec", stored.codec),
        fact("Version", count(stored.version)),
        stored.absent && fact("Value", "None"),
      ),
      el("div", { class: "chips" }, stored.tags.length === 0 ? el("span", { class: "note" }, "No tags") : stored.tags.map(chip)),
    );
  }

  propose(kind, value) {
    this.evicting.elements.kind.value = kind;
    this.showKind();
    this.evicting.elements.value.value = value;
    this.evicting.elements.value.focus();
  }

  async evict() {
    const { kind, value, scope, expire } = this.evicting.elements;
    const wish = { kind: kind.value, value: value.value, expire: expire.checked };
    if (wish.kind === "all") wish.value = "";
    if (wish.kind === "key" && scope.value) wish.scope = scope.value;
    if (wish.kind !== "key") {
      const name = await this.confirmed(wish);
      if (name === null) return;
      if (name) wish.confirm = name;
    }
    await this.carryOut(wish, $("evict-result"));
  }

  async one(wish) {
    await this.carryOut(wish, $("evict-result"));
    await this.inspect();
  }

  async carryOut(wish, host) {
    try {
      const done = await ask("api/evict", {
        method: "POST",
        headers: { "content-type": "application/json", "x-cache-admin": "1" },
        body: JSON.stringify({ cache: this.cache(), ...wish }),
      });
      result(host, done.outcome === "done" ? "good" : "warning", done.says);
    } catch (error) {
      result(host, "bad", `Not evicted: ${error.message}`);
    }
    this.done();
  }

  // What was typed to confirm, the empty text where nothing has to be, null if it is not wanted.
  confirmed({ kind, value, expire }) {
    const dialog = $("confirm");
    const everything = kind === "all" || (kind === "pattern" && /^\*+$/.test(value));
    const verb = expire ? "Mark as stale" : "Evict";
    say($("confirm-title"), everything ? `${verb}: everything?` : `${verb} by ${kind}?`);
    const loads = "What is asked for next is loaded from its origin.";
    say($("confirm-text"), everything ? `All entries of ${this.cache()}, in Redis and in every process. ${loads}` : `${KINDS[kind][0]} ${value}, in Redis and in every process. ${loads}`);
    const typed = $("confirm-name");
    $("confirm-field").hidden = !everything;
    say($("confirm-label"), `Type ${this.cache()} to confirm`);
    typed.value = "";
    say($("confirm-yes"), verb);
    const check = () => ($("confirm-yes").disabled = everything && typed.value !== this.cache());
    typed.oninput = check;
    check();
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.onclose = () => resolve(dialog.returnValue === "yes" ? typed.value : null);
    });
  }
}
