//! What the map needs for its entries it has asked for before they come.

use std::sync::Arc;

use cache_runtime::{Cache, Memory, cacheable};

use crate::allocations::on_one_thread;

const BOUND: u64 = 20_000;
/// An `Arc` of a number is 24 bytes, a slot of the map more than these.
const VALUE: i64 = 32;

#[cacheable(cache = cache, key = "room:{id}", ttl = "1h")]
async fn number(cache: &Cache, id: u64) -> Arc<u64> {
    Arc::new(id)
}

/// What a cache has allocated for each entry of its bound: when it is built, and more when it is full.
fn allocated(memory: Memory) -> (i64, i64) {
    let mut cache = None;
    let built = allocation_counter::measure(|| {
        let built = Cache::builder("room").memory(memory).build();
        cache = Some(built.expect("nothing is wrong with it"));
    });
    let (cache, runtime) = (cache.expect("it was built"), on_one_thread());
    runtime.block_on(number(&cache, 0));
    // Beyond the bound there are also those that were pushed out and are remembered.
    let filled = allocation_counter::measure(|| {
        runtime.block_on(async {
            for id in 0..2 * BOUND {
                number(&cache, id).await;
            }
        });
    });
    let of_each = |bytes: i64| bytes / BOUND.cast_signed();
    (of_each(built.bytes_current), of_each(filled.bytes_current))
}

#[test]
fn a_cache_that_fills_up_allocates_its_values_and_nothing_for_the_map() {
    let (built, filled) = allocated(Memory::new().max_entries(BOUND as usize));
    assert!((100..=120).contains(&built), "{built} bytes each");
    assert!(filled <= VALUE, "{filled} bytes each");
    // As many by weight: the map grows.
    let (built, filled) = allocated(Memory::new().max_bytes(BOUND * 16));
    assert!(built < 10, "{built} bytes each");
    assert!(filled > VALUE + 80, "{filled} bytes each");
}
