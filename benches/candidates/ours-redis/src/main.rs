//! This project's `#[cacheable]` with Redis: alone, below memory, and with a ttl that runs out.
//!
//! A package beside `ours`, so that what is measured in memory is built without Redis.

mod by_hand;
mod evicted;
mod short;
mod tiers;

use cache_runtime::{Cache, Memory};
use common::Run;

fn main() {
    let run = Run::from_arguments();
    let making = async {
        let cache = Cache::builder("bench")
            .memory(Memory::new().max_entries(run.capacity()))
            .redis(run.redis())
            .build()
            .expect("nothing of it can be wrong");
        cache.install().expect("nobody installed one before");
    };
    match run.variant() {
        "redis" => run.measure_made(async {
            making.await;
            tiers::RedisAlone
        }),
        "both" => run.measure_made(async {
            making.await;
            tiers::Both
        }),
        "ttl-1s" => run.measure_made(async {
            making.await;
            short::Second
        }),
        "ttl-1h" => run.measure_made(async {
            making.await;
            short::Hour
        }),
        "evicted" => run.measure_made(async {
            making.await;
            evicted::Evicted
        }),
        "evicted-by-hand" => run.measure_made(async {
            making.await;
            by_hand::ByHand::at(run.redis()).await
        }),
        _ => run.unknown(),
    }
}
