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

fn live_bytes_of_each(memory: Memory) -> i64 {
    let cache = Cache::builder("room").memory(memory).build();
    let cache = cache.expect("nothing is wrong with it");
    let runtime = on_one_thread();
    runtime.block_on(number(&cache, 0));
    // Beyond the bound there are also those that were pushed out and are remembered.
    let counted = allocation_counter::measure(|| {
        runtime.block_on(async {
            for id in 0..2 * BOUND {
                number(&cache, id).await;
            }
        });
    });
    counted.bytes_current / BOUND.cast_signed()
}

#[test]
fn a_cache_that_fills_up_allocates_its_values_and_nothing_for_the_map() {
    let room_was_made = live_bytes_of_each(Memory::new().max_entries(BOUND as usize));
    assert!(room_was_made <= VALUE, "{room_was_made} bytes each");
    // As many by weight: the map grows.
    let grown = live_bytes_of_each(Memory::new().max_bytes(BOUND * 16));
    assert!(grown > VALUE + 80, "{grown} bytes each");
}
