//! The work on each path: a set-up that does not depend on how often, and then the same call so many times.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Policy};
use quick_cache::sync::Cache as Map;

use crate::functions::{Product, forget, named, owned, page, product, remote, shelved, tagged};

/// What is counted, and how.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// Calls of the shorter run and of the longer one; what they differ in is the calls.
    pub(crate) runs: (u64, u64),
    /// How far two counts of the same program may be apart, in percent, with room to spare: hashes are seeded at random, and with
    /// Redis there are beats by the clock.
    pub(crate) tolerance: u64,
}

/// So many that what the set-up costs more or less, as its hashes fall, does not show in one of them.
const BARE: (u64, u64) = (10_000, 510_000);
const HIT: (u64, u64) = (10_000, 110_000);
const SLOWER: (u64, u64) = (500, 2_500);

/// The first is what the memory hits stand on.
pub(crate) const PATHS: [Path; 10] = [
    path("bare_map", BARE, 3),
    path("hit_u64", HIT, 3),
    path("hit_three_arguments", HIT, 3),
    path("hit_40_byte_string", HIT, 3),
    path("hit_one_tag", HIT, 3),
    path("hit_rendered_tag", HIT, 3),
    path("hit_owned", HIT, 3),
    path("hit_redis", SLOWER, 5),
    path("miss_in_memory", SLOWER, 3),
    path("evict_key", SLOWER, 3),
];

const fn path(name: &'static str, runs: (u64, u64), tolerance: u64) -> Path {
    Path {
        name,
        runs,
        tolerance,
    }
}

/// Keys in turn: what a hash does to one of them is not what is counted. All have five digits.
const FIRST: u64 = 10_000;
const KEYS: u64 = 2_000;
/// Where a load costs more, and the hash less of the whole.
const REMOTE_KEYS: u64 = 200;

fn turns(calls: u64, keys: u64) -> impl Iterator<Item = u64> {
    (0..calls).map(move |call| FIRST + call % keys)
}

/// Runs the set-up of a path, and `calls` calls. False if there is no such path.
pub(crate) async fn run(name: &str, calls: u64) -> bool {
    match name {
        "bare_map" => bare_map(calls),
        "hit_u64" => hits(calls, async |id| drop(black_box(product(id).await))).await,
        "hit_three_arguments" => {
            hits(calls, async |id| {
                drop(black_box(page(id, "furniture", 1).await));
            })
            .await;
        }
        "hit_40_byte_string" => hit_40_byte_string(calls).await,
        "hit_one_tag" => hits(calls, async |id| drop(black_box(tagged(id).await))).await,
        "hit_rendered_tag" => hits(calls, async |id| drop(black_box(shelved(id).await))).await,
        "hit_owned" => hits(calls, async |id| drop(black_box(owned(id).await))).await,
        "hit_redis" => hit_redis(calls).await,
        "miss_in_memory" => miss_in_memory(calls).await,
        "evict_key" => evict_key(calls).await,
        _ => return false,
    }
    true
}

fn bare_map(calls: u64) {
    let map = Map::new(100_000);
    for id in turns(KEYS, KEYS) {
        map.insert(id, Arc::new(Product::of(id)));
    }
    for id in turns(calls, KEYS) {
        black_box(map.get(black_box(&id)).expect("there is room for all"));
    }
}

/// Loads each key once, and then calls.
async fn hits(calls: u64, call: impl AsyncFn(u64)) {
    for id in turns(KEYS, KEYS) {
        call(id).await;
    }
    for id in turns(calls, KEYS) {
        call(black_box(id)).await;
    }
    let stats = Cache::current().stats().total;
    assert_eq!((stats.loads, stats.l1_hits), (KEYS, calls));
}

async fn hit_40_byte_string(calls: u64) {
    let names: Vec<String> = turns(KEYS, KEYS)
        .map(|id| format!("a-name-that-is-as-long-as-a-uuid-is-{id}"))
        .collect();
    hits(calls, async |id| {
        let name = &names[usize::try_from(id - FIRST).expect("there are few")];
        drop(black_box(named(name).await));
    })
    .await;
}

async fn hit_redis(calls: u64) {
    let url = std::env::var("REDIS_URL").expect("this path needs a server of its own");
    let cache = Cache::builder("shop")
        .redis(url)
        // An emulated processor is slow, and what is counted is not a timeout.
        .redis_budget(Duration::from_secs(20))
        .defaults(Policy::new().jitter(0.0))
        .build()
        .expect("the settings make sense");
    cache.install().expect("nobody has asked for a cache yet");
    let ready = cache.ready(Duration::from_secs(60)).await;
    ready.unwrap_or_else(|health| panic!("no Redis: {health:?}"));
    for id in turns(REMOTE_KEYS, REMOTE_KEYS) {
        remote(id).await;
    }
    for id in turns(calls, REMOTE_KEYS) {
        black_box(remote(black_box(id)).await);
    }
    let stats = cache.stats().total;
    assert_eq!(
        (stats.loads, stats.l2_hits),
        (REMOTE_KEYS, calls),
        "{stats:?}"
    );
}

async fn miss_in_memory(calls: u64) {
    for id in (FIRST..).take(usize::try_from(calls).expect("there are few")) {
        black_box(product(black_box(id)).await);
    }
    assert_eq!(Cache::current().stats().total.loads, calls);
}

async fn evict_key(calls: u64) {
    // As many in both runs, so that their loads are no part of the difference.
    let all = FIRST..FIRST + SLOWER.1;
    for id in all.clone() {
        product(id).await;
    }
    for id in all
        .clone()
        .take(usize::try_from(calls).expect("there are few"))
    {
        forget(black_box(id)).await;
    }
    let stats = Cache::current().stats().total;
    assert_eq!((stats.loads, stats.evictions), (SLOWER.1, calls));
}
