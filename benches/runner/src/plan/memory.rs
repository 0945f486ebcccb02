//! What is measured inside one process.

use super::{Better, Candidate, Figure, Measure, ONE_POINT, Plot, Point, Way, candidate, point};

const OURS: Candidate = candidate("ours", "memory", "**`#[cacheable]`**");
const TABLE: Candidate = candidate("none", "table", "no cache: index a `Vec`, clone the `Arc`");
const READY: Candidate = candidate(
    "quick_cache",
    "ready",
    "`quick_cache`, ready `u64` key, no ttl",
);
const DEADLINE: Candidate = candidate(
    "quick_cache",
    "deadline",
    "`quick_cache` with a deadline and `Instant::now()`",
);
const TEXTED: Candidate = candidate(
    "quick_cache",
    "text",
    "keys are texts: rendered, hashed, compared",
);
const MIXED: Candidate = candidate(
    "quick_cache",
    "mixed",
    "values of any type in one map: pointers that do not know it, a downcast",
);
const TIMED: Candidate = candidate("quick_cache", "timed", "a deadline, and the clock for it");
const CONCURRENT: Candidate = candidate(
    "cached",
    "concurrent",
    "cached `#[concurrent_cached]`, no ttl",
);
const CONCURRENT_TTL: Candidate = candidate(
    "cached",
    "concurrent-ttl",
    "cached `#[concurrent_cached(ttl_secs)]`",
);
const CONCURRENT_BOUNDED: Candidate = candidate(
    "cached",
    "concurrent-bounded",
    "cached `#[concurrent_cached(max_size)]`, no ttl",
);
const CONCURRENT_BOUNDED_TTL: Candidate = candidate(
    "cached",
    "concurrent-bounded-ttl",
    "cached `#[concurrent_cached(max_size, ttl_secs)]`",
);
const CACHED: Candidate = candidate("cached", "cached", "cached `#[cached]`");
const CACHED_READS: Candidate = candidate(
    "cached",
    "cached-unsync-reads",
    "cached `#[cached(unsync_reads)]`",
);
const CACHED_BY_KEY: Candidate = candidate(
    "cached",
    "cached-by-key",
    "cached `#[cached(sync_writes = \"by_key\")]`",
);
const MOKA_SYNC: Candidate = candidate("moka", "sync", "`moka::sync` get, ttl");
const MOKA_FUTURE: Candidate = candidate("moka", "future", "`moka::future` get_with, ttl");
const READY_FLIGHT: Candidate = candidate(
    "quick_cache",
    "ready",
    "`quick_cache` `get_or_insert_async`",
);
const CACHET: Candidate = candidate(
    "cachet",
    "protected",
    "cachet with stampede protection, ttl",
);
const CACHET_PLAIN: Candidate = candidate("cachet", "plain", "cachet, ttl");
const AMALGAM: Candidate = candidate("amalgam-cache", "get_or_set", "amalgam `get_or_set`, ttl");
const MULTI_TIER: Candidate = candidate(
    "multi-tier-cache",
    "moka",
    "multi-tier-cache over moka, ttl",
);
const MULTI_TIER_QUICK: Candidate = candidate(
    "multi-tier-cache",
    "quick_cache",
    "multi-tier-cache over quick_cache, ttl",
);
const CACHEKIT: Candidate = candidate("cachekit-rs", "macro", "cachekit `#[cachekit(ttl)]`");
const OXCACHE: Candidate = candidate("oxcache", "macro", "oxcache `#[cached(ttl)]`");
const HITBOX: Candidate = candidate("hitbox", "plain", "hitbox `#[cached]` over moka, ttl");
const HITBOX_BROADCAST: Candidate = candidate(
    "hitbox",
    "broadcast",
    "hitbox `#[cached]` with its concurrency manager, ttl",
);

const EVICTED: Candidate = candidate("ours", "evicted", "**`#[cache_evict]`**");

const NS: Figure = Figure {
    name: "ns_per_op",
    label: "ns per hit",
    decimals: 1,
    absent: "—",
    better: Better::Less,
    plot: Plot::Bars,
};

pub(super) const HIT: Measure = Measure {
    name: "memory-hit",
    title: "A hit in memory",
    way: Way::Program("hits"),
    candidates: &[
        READY,
        OURS,
        TABLE,
        DEADLINE,
        CONCURRENT,
        CONCURRENT_TTL,
        CONCURRENT_BOUNDED,
        CONCURRENT_BOUNDED_TTL,
        CACHED,
        CACHED_READS,
        CACHED_BY_KEY,
        MOKA_SYNC,
        MOKA_FUTURE,
        AMALGAM,
        CACHET,
        CACHET_PLAIN,
        MULTI_TIER,
        MULTI_TIER_QUICK,
        CACHEKIT,
        OXCACHE,
        HITBOX,
        HITBOX_BROADCAST,
    ],
    points: &[
        point("1 task", 1.0, &["tasks=1"]),
        point("8 tasks", 8.0, &["tasks=8"]),
    ],
    figures: &[NS],
    baseline: Some(0),
    repetitions: 7,
};

pub(super) const ACCOUNT: Measure = Measure {
    name: "account",
    title: "What a hit is made of",
    way: Way::Program("hits"),
    candidates: &[READY, TEXTED, MIXED, TIMED, OURS],
    points: &[point("1 task", 1.0, &["tasks=1"])],
    figures: &[Figure {
        plot: Plot::None,
        ..NS
    }],
    baseline: Some(0),
    repetitions: 9,
};

pub(super) const VALUES_AND_KEYS: Measure = Measure {
    name: "values-and-keys",
    title: "Owned values, other keys",
    way: Way::Program("hits"),
    candidates: &[READY, OURS, CONCURRENT, MOKA_SYNC, MOKA_FUTURE],
    points: &[
        point("`u64`, `Arc`", 1.0, &["key=id", "value=shared"]),
        point("`u64`, owned", 2.0, &["key=id", "value=owned"]),
        point(
            "three arguments, `Arc`",
            3.0,
            &["key=three", "value=shared"],
        ),
        point("40-byte text, `Arc`", 4.0, &["key=text", "value=shared"]),
    ],
    figures: &[Figure {
        plot: Plot::None,
        ..NS
    }],
    baseline: Some(0),
    repetitions: 5,
};

pub(super) const TAGS: Measure = Measure {
    name: "tags",
    title: "Tags",
    way: Way::Program("hits"),
    candidates: &[
        OURS,
        candidate("ours", "tag-1", "**`#[cacheable]` with 1 tag**"),
        candidate("ours", "tags-3", "**`#[cacheable]` with 3 tags**"),
        candidate(
            "ours",
            "tag-rendered",
            "**`#[cacheable]` with 1 tag that the key does not tell**",
        ),
    ],
    points: ONE_POINT,
    figures: &[NS],
    baseline: Some(0),
    repetitions: 7,
};

pub(super) const TASKS: Measure = Measure {
    name: "tasks",
    title: "From 1 to 1,024 tasks",
    way: Way::Program("hits"),
    candidates: &[
        DEADLINE,
        OURS,
        READY,
        CONCURRENT_TTL,
        MOKA_SYNC,
        MOKA_FUTURE,
    ],
    points: &[
        point("1", 1.0, &["tasks=1", "pause=64"]),
        point("4", 4.0, &["tasks=4", "pause=64"]),
        point("16", 16.0, &["tasks=16", "pause=64"]),
        point("64", 64.0, &["tasks=64", "pause=64"]),
        point("256", 256.0, &["tasks=256", "pause=64"]),
        point("1,024", 1024.0, &["tasks=1024", "pause=64"]),
    ],
    figures: &[Figure {
        name: "mops",
        label: "million hits per second",
        decimals: 1,
        absent: "—",
        better: Better::More,
        plot: Plot::Lines,
    }],
    baseline: Some(0),
    repetitions: 5,
};

pub(super) const SIZES: Measure = Measure {
    name: "sizes",
    title: "Values from 100 B to 1 MB",
    way: Way::Program("hits"),
    candidates: &[
        candidate(
            "quick_cache",
            "ready",
            "`quick_cache`, ready `u64` key, no ttl",
        ),
        OURS,
        CONCURRENT,
        MOKA_SYNC,
        MOKA_FUTURE,
    ],
    points: &[
        point("100 B, owned", 1e2, &["value=blob", "length=100"]),
        point("1 KB, owned", 1e3, &["value=blob", "length=1000"]),
        point(
            "10 KB, owned",
            1e4,
            &["value=blob", "length=10000", "entries=6000"],
        ),
        point(
            "100 KB, owned",
            1e5,
            &["value=blob", "length=100000", "entries=600"],
        ),
        point(
            "1 MB, owned",
            1e6,
            &["value=blob", "length=1000000", "entries=60"],
        ),
        point("100 B, `Arc`", 1e2, &["value=shared_blob", "length=100"]),
        point(
            "10 KB, `Arc`",
            1e4,
            &["value=shared_blob", "length=10000", "entries=6000"],
        ),
        point(
            "1 MB, `Arc`",
            1e6,
            &["value=shared_blob", "length=1000000", "entries=60"],
        ),
    ],
    figures: &[Figure {
        plot: Plot::None,
        ..NS
    }],
    baseline: Some(0),
    repetitions: 5,
};

pub(super) const ENTRIES: Measure = Measure {
    name: "entries",
    title: "From ten thousand to ten million entries",
    way: Way::Program("entries"),
    candidates: &[READY, OURS, MOKA_SYNC],
    points: &[
        point("10⁴", 1e4, &["entries=10000"]),
        point("10⁵", 1e5, &["entries=100000"]),
        point("10⁶", 1e6, &["entries=1000000"]),
        Point {
            slow: true,
            ..point("10⁷", 1e7, &["entries=10000000"])
        },
    ],
    figures: &[
        Figure {
            name: "zipf_ns",
            label: "ns per hit, Zipf",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::Lines,
        },
        Figure {
            name: "uniform_ns",
            label: "ns per hit, every key as likely",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::Lines,
        },
        Figure {
            name: "bytes_beyond",
            label: "allocated bytes per entry beyond key and value",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::Lines,
        },
        Figure {
            name: "resident_beyond",
            label: "resident bytes per entry beyond key and value",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::None,
        },
        Figure {
            name: "bytes_full",
            label: "allocated bytes per entry of a cache at its bound, beyond key and value",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::None,
        },
    ],
    baseline: Some(0),
    repetitions: 5,
};

pub(super) const MISS: Measure = Measure {
    name: "miss",
    title: "What a miss costs",
    way: Way::Program("misses"),
    candidates: &[
        candidate("none", "origin", "no cache: the origin itself"),
        OURS,
        READY,
        CONCURRENT,
        CONCURRENT_TTL,
        CACHED,
        CACHED_BY_KEY,
        MOKA_SYNC,
        MOKA_FUTURE,
        AMALGAM,
        CACHET,
        MULTI_TIER,
        CACHEKIT,
        OXCACHE,
        HITBOX,
        HITBOX_BROADCAST,
    ],
    points: ONE_POINT,
    figures: &[Figure {
        label: "ns per miss",
        decimals: 0,
        ..NS
    }],
    baseline: None,
    repetitions: 5,
};

/// Whoever can be asked for one key by many at once; those without single flight run the origin for each.
const SINGLE_FLIGHTS: &[Candidate] = &[
    OURS,
    READY_FLIGHT,
    MOKA_FUTURE,
    CACHED_BY_KEY,
    AMALGAM,
    CACHET,
    MULTI_TIER,
    CACHEKIT,
    HITBOX_BROADCAST,
    HITBOX,
    CONCURRENT,
    CACHED,
    CACHET_PLAIN,
    OXCACHE,
];

pub(super) const STAMPEDE: Measure = Measure {
    name: "stampede",
    title: "A hundred callers of a cold key",
    way: Way::Program("stampede"),
    candidates: SINGLE_FLIGHTS,
    points: ONE_POINT,
    figures: &[
        Figure {
            name: "origin_runs",
            label: "origin runs",
            decimals: 0,
            absent: "—",
            better: Better::Less,
            plot: Plot::None,
        },
        Figure {
            name: "last_caller_ms",
            label: "last caller, ms after the first load's end",
            decimals: 2,
            absent: "—",
            better: Better::Less,
            plot: Plot::None,
        },
    ],
    baseline: None,
    repetitions: 5,
};

pub(super) const ABORTED_FIGURES: &[Figure] = &[
    Figure {
        name: "hanging",
        label: "of 99 waiters, unanswered after 2 s",
        decimals: 0,
        absent: "—",
        better: Better::Less,
        plot: Plot::None,
    },
    Figure {
        name: "all_answered_ms",
        label: "all answered, ms after the abort",
        decimals: 0,
        absent: "never",
        better: Better::Less,
        plot: Plot::None,
    },
    Figure {
        name: "origin_runs",
        label: "origin runs",
        decimals: 0,
        absent: "—",
        better: Better::Less,
        plot: Plot::None,
    },
];

pub(super) const ABORTED: Measure = Measure {
    name: "aborted",
    title: "The caller that loads is aborted",
    way: Way::Program("aborted"),
    candidates: SINGLE_FLIGHTS,
    points: ONE_POINT,
    figures: ABORTED_FIGURES,
    baseline: None,
    repetitions: 5,
};

pub(super) const EVICTIONS: Measure = Measure {
    name: "memory-evictions",
    title: "Evicting in memory",
    way: Way::Program("evictions"),
    candidates: &[
        candidate("quick_cache", "ready", "`quick_cache`"),
        EVICTED,
        candidate("moka", "sync", "`moka::sync`"),
        candidate("amalgam-cache", "get_or_set", "amalgam"),
    ],
    points: &[
        point("key", 1.0, &["select=key", "entries=1000"]),
        point("tag, 10²", 1e2, &["select=tag", "entries=100"]),
        point("tag, 10⁴", 1e4, &["select=tag", "entries=10000"]),
        point("tag, 10⁶", 1e6, &["select=tag", "entries=1000000"]),
        point("region, 10²", 1e2, &["select=region", "entries=100"]),
        point("region, 10⁴", 1e4, &["select=region", "entries=10000"]),
        point("region, 10⁶", 1e6, &["select=region", "entries=1000000"]),
        point("pattern, 10⁴", 1e4, &["select=pattern", "entries=10000"]),
        point("pattern, 10⁶", 1e6, &["select=pattern", "entries=1000000"]),
    ],
    figures: &[Figure {
        name: "us",
        label: "time, µs",
        decimals: 1,
        absent: "—",
        better: Better::Less,
        plot: Plot::None,
    }],
    baseline: None,
    repetitions: 5,
};
