//! What is measured with a Redis server.

use super::{Better, Candidate, Figure, Measure, ONE_POINT, Plot, Point, Way, candidate, point};

const OURS: Candidate = candidate("ours-redis", "redis", "**`#[cacheable(l1 = false)]`**");
const BOTH: Candidate = candidate(
    "ours-redis",
    "both",
    "**`#[cacheable]`, memory over Redis**",
);
const RAW: Candidate = candidate("redis", "json", "`MultiplexedConnection` + serde_json");
const UNDECODED: Candidate =
    candidate("redis", "undecoded", "`MultiplexedConnection`, not decoded");
const FRED: Candidate = candidate("fred", "json", "`fred` + serde_json");
const CACHED: Candidate = candidate("cached-redis", "macro", "cached `#[concurrent_cached]`");
const CACHEKIT: Candidate = candidate("cachekit-redis", "redis", "cachekit `#[cachekit]`");
const AMALGAM: Candidate = candidate("amalgam-redis", "redis", "amalgam `get_or_set`");
const HITBOX: Candidate = candidate("hitbox-redis", "plain", "hitbox `#[cached]`");
const HITBOX_BROADCAST: Candidate = candidate(
    "hitbox-redis",
    "broadcast",
    "hitbox `#[cached]` with its concurrency manager",
);

const fn less(name: &'static str, label: &'static str, decimals: usize) -> Figure {
    Figure {
        name,
        label,
        decimals,
        absent: "—",
        better: Better::Less,
        plot: Plot::None,
    }
}

const KOPS: Figure = Figure {
    name: "kops",
    label: "thousand hits per second",
    decimals: 1,
    absent: "—",
    better: Better::More,
    plot: Plot::Lines,
};
const CPU: Figure = less("cpu_us", "µs of processor time of the client per hit", 2);
const P50: Figure = less("p50_us", "median, µs", 0);
const P99: Figure = less("p99_us", "99th percentile, µs", 0);

pub(super) const HIT: Measure = Measure {
    name: "redis-hit",
    title: "A hit in Redis",
    way: Way::Redis {
        told: "redis-hits",
        processes: 1,
    },
    candidates: &[
        RAW, OURS, UNDECODED, FRED, CACHED, HITBOX, CACHEKIT, AMALGAM, BOTH,
    ],
    points: &[
        point("1 task", 1.0, &["tasks=1"]),
        point("64 tasks", 64.0, &["tasks=64"]),
        point("256 tasks", 256.0, &["tasks=256"]),
        point(
            "256 tasks, every key as likely",
            256.0,
            &["tasks=256", "distribution=uniform"],
        ),
    ],
    figures: &[
        Figure {
            plot: Plot::Bars,
            ..KOPS
        },
        P50,
        P99,
        CPU,
        less("commands", "commands per hit", 3),
    ],
    baseline: Some(0),
    repetitions: 5,
};

pub(super) const SIZES: Measure = Measure {
    name: "redis-sizes",
    title: "Texts from 100 B to 1 MB in Redis",
    way: Way::Redis {
        told: "redis-hits",
        processes: 1,
    },
    candidates: &[RAW, OURS],
    points: &[
        point("100 B", 1e2, &["tasks=64", "value=document", "length=100"]),
        point("1 KB", 1e3, &["tasks=64", "value=document", "length=1000"]),
        point(
            "10 KB",
            1e4,
            &["tasks=64", "value=document", "length=10000", "entries=6000"],
        ),
        point(
            "100 KB",
            1e5,
            &["tasks=64", "value=document", "length=100000", "entries=600"],
        ),
        point(
            "1 MB",
            1e6,
            &["tasks=64", "value=document", "length=1000000", "entries=60"],
        ),
    ],
    figures: &[KOPS, P50, CPU],
    baseline: Some(0),
    repetitions: 5,
};

pub(super) const MISS: Measure = Measure {
    name: "redis-miss",
    title: "A miss with Redis",
    way: Way::Redis {
        told: "redis-misses",
        processes: 1,
    },
    candidates: &[RAW, OURS, BOTH, FRED, CACHED, HITBOX, CACHEKIT, AMALGAM],
    points: &[
        point("1 task", 1.0, &["tasks=1"]),
        point("64 tasks", 64.0, &["tasks=64"]),
    ],
    figures: &[
        P50,
        P99,
        Figure {
            label: "thousand misses per second",
            plot: Plot::None,
            ..KOPS
        },
        less("commands", "commands the server ran per miss", 3),
    ],
    baseline: Some(0),
    repetitions: 5,
};

const COLD_CANDIDATES: &[Candidate] = &[
    BOTH,
    OURS,
    RAW,
    CACHED,
    HITBOX_BROADCAST,
    HITBOX,
    candidate(
        "cachekit-redis",
        "both",
        "cachekit `#[cachekit]`, memory over Redis",
    ),
    candidate(
        "amalgam-redis",
        "both",
        "amalgam `get_or_set`, memory over Redis",
    ),
];

const COLD_FIGURES: &[Figure] = &[
    less(
        "origin_runs_median",
        "origin runs, all processes, median",
        0,
    ),
    less("origin_runs", "most origin runs", 0),
    less(
        "last_caller_ms",
        "last caller, ms after the first load's end",
        2,
    ),
    less("latest_ms", "the latest of all rounds", 1),
];

pub(super) const COLD: Measure = Measure {
    name: "cold-fleet",
    title: "A hundred callers of a cold key in each of four processes",
    way: Way::Redis {
        told: "cold-fleet",
        processes: 4,
    },
    candidates: COLD_CANDIDATES,
    points: ONE_POINT,
    figures: COLD_FIGURES,
    baseline: None,
    repetitions: 5,
};

pub(super) const COLD_IN_ONE: Measure = Measure {
    name: "cold-redis",
    title: "The same in one process",
    way: Way::Redis {
        told: "cold-fleet",
        processes: 1,
    },
    candidates: COLD_CANDIDATES,
    points: ONE_POINT,
    figures: COLD_FIGURES,
    baseline: None,
    repetitions: 5,
};

pub(super) const ABORTED: Measure = Measure {
    name: "aborted-redis",
    title: "The caller that loads is aborted, with Redis",
    way: Way::Redis {
        told: "aborted",
        processes: 1,
    },
    candidates: COLD_CANDIDATES,
    points: ONE_POINT,
    figures: super::memory::ABORTED_FIGURES,
    baseline: None,
    repetitions: 5,
};

pub(super) const CLIFF: Measure = Measure {
    name: "cliff",
    title: "A hot key expires",
    way: Way::Redis {
        told: "cliff",
        processes: 4,
    },
    candidates: &[
        candidate("ours-redis", "ttl-1h", "**`#[cacheable]`, ttl 1 h**"),
        candidate(
            "ours-redis",
            "ttl-1s",
            "**`#[cacheable(background_refresh)]`, ttl 1 s**",
        ),
        candidate("redis", "ttl-1h", "`MultiplexedConnection`, ttl 1 h"),
        candidate("redis", "ttl-1s", "`MultiplexedConnection`, ttl 1 s"),
        candidate("cached-redis", "ttl-1h", "cached, ttl 1 h"),
        candidate("cached-redis", "ttl-1s", "cached, ttl 1 s"),
        candidate("hitbox-redis", "ttl-1h", "hitbox, ttl 1 h"),
        candidate(
            "hitbox-redis",
            "ttl-1s",
            "hitbox, ttl 2 s, which it makes 1 s",
        ),
    ],
    points: ONE_POINT,
    figures: &[
        less("late", "calls over 10 ms", 0),
        less("p50_us", "median, µs", 0),
        less("p999_us", "99.9th percentile, µs", 0),
        less("most_ms", "longest, ms", 1),
        less("origin_runs", "origin runs, all processes", 0),
    ],
    baseline: None,
    repetitions: 5,
};

const EVICTED: Candidate = candidate("ours-redis", "evicted", "**`#[cache_evict]`**");

const MS: Figure = less("ms", "time, ms", 3);

pub(super) const TAGS_AND_REGIONS: Measure = Measure {
    name: "evictions",
    title: "Evicting a key, a tag, a region",
    way: Way::Redis {
        told: "evictions",
        processes: 1,
    },
    candidates: &[
        EVICTED,
        candidate("redis", "json", "`UNLINK` by hand"),
        AMALGAM,
    ],
    points: &[
        point("key", 1.0, &["select=key", "entries=1000"]),
        point("tag, 10²", 1e2, &["select=tag", "entries=100"]),
        point("tag, 10⁴", 1e4, &["select=tag", "entries=10000"]),
        slow("tag, 10⁶", 1e6, &["select=tag", "entries=1000000"]),
        point("region, 10²", 1e2, &["select=region", "entries=100"]),
        point("region, 10⁴", 1e4, &["select=region", "entries=10000"]),
        slow("region, 10⁶", 1e6, &["select=region", "entries=1000000"]),
        slow(
            "region, 10⁷",
            1e7,
            &["select=region", "entries=1000000", "copies=9"],
        ),
    ],
    figures: &[MS],
    baseline: None,
    repetitions: 5,
};

pub(super) const PATTERNS: Measure = Measure {
    name: "patterns",
    title: "Evicting by a pattern with `*` in its middle",
    way: Way::Redis {
        told: "evictions",
        processes: 1,
    },
    candidates: &[
        candidate(
            "ours-redis",
            "evicted-by-hand",
            "`SCAN` + `UNLINK` by hand, the same entries",
        ),
        EVICTED,
        candidate("redis", "json", "`SCAN` + `UNLINK` by hand, bare strings"),
    ],
    points: &[
        point("10⁴ keys", 1e4, &["select=pattern", "entries=10000"]),
        point("10⁵ keys", 1e5, &["select=pattern", "entries=100000"]),
        slow("10⁶ keys", 1e6, &["select=pattern", "entries=1000000"]),
        slow(
            "10⁷ keys",
            1e7,
            &["select=pattern", "entries=1000000", "copies=9"],
        ),
    ],
    figures: &[Figure {
        decimals: 1,
        plot: Plot::Lines,
        ..MS
    }],
    baseline: Some(0),
    repetitions: 5,
};

const fn slow(label: &'static str, at: f64, parameters: &'static [&'static str]) -> Point {
    Point {
        slow: true,
        ..point(label, at, parameters)
    }
}

pub(super) const ENTRY: Measure = Measure {
    name: "redis-entry",
    title: "What an entry takes in Redis",
    way: Way::Redis {
        told: "redis-memory",
        processes: 1,
    },
    candidates: &[
        candidate("redis", "json", "`SET … EX` by hand"),
        OURS,
        CACHED,
        HITBOX,
        CACHEKIT,
        AMALGAM,
    ],
    points: &[
        point("20,000 entries", 2e4, &["entries=20000"]),
        point("100,000 entries", 1e5, &["entries=100000"]),
    ],
    figures: &[
        less(
            "texts_beyond",
            "bytes of its key and value beyond key and payload",
            1,
        ),
        less("bytes_beyond", "bytes of memory beyond key and payload", 1),
        less("keys", "keys per entry", 2),
    ],
    baseline: Some(0),
    repetitions: 5,
};

const fn unless_hanging(name: &'static str, label: &'static str, decimals: usize) -> Figure {
    Figure {
        absent: "hangs",
        ..less(name, label, decimals)
    }
}

pub(super) const STOPPED: Measure = Measure {
    name: "stopped",
    title: "Redis stopped",
    way: Way::Redis {
        told: "stopped",
        processes: 1,
    },
    candidates: &[OURS, RAW, FRED, CACHED, HITBOX, CACHEKIT, AMALGAM],
    points: &[point("", 1.0, &["entries=2000"])],
    figures: &[
        less("unanswered", "of 100 callers at once, hang for 15 s", 0),
        unless_hanging("first_p50_ms", "their median, ms", 1),
        unless_hanging("first_most_ms", "the longest of them, ms", 1),
        unless_hanging("later_p50_us", "afterwards one by one: median, µs", 0),
        unless_hanging("later_p99_us", "99th percentile, µs", 0),
        unless_hanging("later_most_ms", "longest, ms", 1),
    ],
    baseline: None,
    repetitions: 5,
};
