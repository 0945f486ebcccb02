// From counters to what is shown: rates, ratios and quantiles between two moments.

const KEPT_MS = 10 * 60 * 1000;
// "Now": long enough to be steady, short enough to be now.
export const NOW_MS = 10 * 1000;
const LEAST_MS = 300;
// Quantiles of a second would be those of a handful of loads.
const QUANTILE_MS = 10 * 1000;

const of = (figures, name) => figures?.[name] ?? 0;
export const hits = (figures) => of(figures, "memory_hits") + of(figures, "redis_hits") + of(figures, "stale_hits");
export const calls = (figures) => hits(figures) + of(figures, "misses") + of(figures, "bypassed");
const asked = (figures) => hits(figures) + of(figures, "misses");
const answered = (figures) => hits(figures) + of(figures, "shared");
export const errors = (figures) =>
  ["load_errors", "redis_errors", "decode_errors", "timeouts", "wait_timeouts", "unserializable", "oversized"].reduce((sum, name) => sum + of(figures, name), 0);

// Buckets are a quarter wider than the one before at most, and are told by their upper bounds.
const BUCKET = 0.8;

// So many milliseconds a share took at most, of buckets of microseconds, interpolated within one; null of nothing.
export function quantile(buckets, share) {
  const total = buckets.reduce((sum, [, many]) => sum + many, 0);
  let left = share * total;
  for (const [bound, many] of buckets) {
    if (many > 0 && left <= many) return (bound * (BUCKET + (1 - BUCKET) * (left / many))) / 1000;
    left -= many;
  }
  return null;
}

function minus(later, earlier) {
  const before = new Map(earlier ?? []);
  return (later ?? []).map(([bound, many]) => [bound, many - (before.get(bound) ?? 0)]);
}

// What happened between two samples; null where nothing can be said.
export function between(earlier, later) {
  const seconds = (later.t - earlier.t) / 1000;
  if (!(seconds > 0)) return null;
  const [a, b] = [earlier.figures, later.figures];
  const grew = (what) => Math.max(0, what(b) - what(a));
  const perSecond = (what) => grew(what) / seconds;
  const named = (name) => perSecond((figures) => of(figures, name));
  const base = grew(asked);
  const loadTimes = minus(b.load_times, a.load_times);
  const redisTimes = minus(b.redis_times, a.redis_times);
  return {
    ratio: base > 0 ? Math.min(1, grew(answered) / base) : null,
    calls: perSecond(calls),
    memory: named("memory_hits"),
    redis: named("redis_hits"),
    stale: named("stale_hits"),
    misses: named("misses"),
    loads: named("loads"),
    evictions: named("evictions"),
    errors: perSecond(errors),
    load50: quantile(loadTimes, 0.5),
    load99: quantile(loadTimes, 0.99),
    redis50: quantile(redisTimes, 0.5),
    redis99: quantile(redisTimes, 0.99),
  };
}

// The samples of one cache, or of one site, oldest first.
export class Track {
  constructor() {
    this.samples = [];
    this.points = [];
  }

  add(t, figures) {
    const last = this.samples.at(-1);
    // A clock that was set back begins a time of its own.
    if (last && t < last.t - NOW_MS) return this.restart(t, figures);
    // Two looks within a moment make a rate of hardly anything: the next will do.
    if (last && t - last.t < LEAST_MS) return;
    // Another process answers, or this one anew: what it counts began again.
    if (last && calls(figures) < calls(last.figures)) this.samples = [];
    const sample = { t, figures };
    const before = this.samples.at(-1);
    this.samples.push(sample);
    if (before) {
      const point = between(before, sample);
      const steady = between(this.atOrBefore(t - QUANTILE_MS), sample);
      for (const name of ["load50", "load99", "redis50", "redis99"]) point[name] = steady[name];
      point.t = t;
      point.entries = figures.entries ?? null;
      point.bytes = figures.bytes ?? null;
      this.points.push(point);
    }
    while (this.samples[0].t < t - KEPT_MS) this.samples.shift();
    while (this.points.length > 0 && this.points[0].t < t - KEPT_MS) this.points.shift();
  }

  restart(t, figures) {
    this.samples = [];
    this.points = [];
    this.add(t, figures);
  }

  // The youngest sample that is so old, or the oldest.
  atOrBefore(t) {
    for (let at = this.samples.length - 1; at > 0; at -= 1) {
      if (this.samples[at].t <= t) return this.samples[at];
    }
    return this.samples[0];
  }

  // What happened within the last milliseconds; null before the second sample.
  over(ms) {
    const last = this.samples.at(-1);
    if (!last || this.samples.length < 2) return null;
    return between(this.atOrBefore(last.t - ms), last);
  }
}
