//! A load that registers in the very moment in which an eviction sets a hold: it is held, or it is evicted.
//!
//! No test can stop a thread between the two steps, so two threads meet a few thousand times, each time a little later
//! or earlier.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Policy};
use tests::caches::in_memory;
use tokio::runtime::{Builder, Runtime};

const ROUNDS: usize = 10_000;
const HOLD: Duration = Duration::from_secs(600);

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// Both threads come to round `round` before either goes on; spinning, because waking takes longer than the race.
fn meet(arrived: &AtomicUsize, round: usize) {
    arrived.fetch_add(1, Ordering::AcqRel);
    let mut spins = 0_u32;
    while arrived.load(Ordering::Acquire) < 2 * (round + 1) {
        spins += 1;
        if spins.is_multiple_of(1_000) {
            std::thread::yield_now();
        }
        std::hint::spin_loop();
    }
}

fn evict_all(cache: &Cache, keys: &[Key], arrived: &AtomicUsize) {
    let runtime = runtime();
    for (round, key) in keys.iter().enumerate() {
        let what = Evict::key(key.clone()).hold(HOLD);
        meet(arrived, round);
        (0..round % 64).for_each(|_| std::hint::spin_loop());
        runtime
            .block_on(cache.evict(what))
            .expect("there is no Redis");
    }
}

fn load_all(cache: &Cache, keys: &[Key], arrived: &AtomicUsize) {
    let (runtime, policy) = (runtime(), Policy::new());
    for (round, key) in keys.iter().enumerate() {
        meet(arrived, round);
        (0..round / 64 % 64).for_each(|_| std::hint::spin_loop());
        runtime.block_on(cache.get_or_load(key, &policy, || async { 1_u8 }));
    }
}

#[test]
fn a_load_that_registers_while_a_hold_is_set_is_not_cached() {
    let cache = in_memory();
    let keys: Vec<Key> = (0..ROUNDS)
        .map(|n| Key::new(&format!("held:{n}")))
        .collect();
    let arrived = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| evict_all(&cache, &keys, &arrived));
        scope.spawn(|| load_all(&cache, &keys, &arrived));
    });
    let runtime = runtime();
    let cached = keys
        .iter()
        .filter(|key| runtime.block_on(cache.get::<u8>(key)).is_some());
    assert_eq!(cached.count(), 0);
}
