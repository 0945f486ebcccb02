//! A hit in memory allocates nothing; where the value is no reference, what its `Clone` does.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use allocation_counter::{AllocationInfo, measure};
use cache_runtime::Cache;
use tests::caches::in_memory;
use tokio::runtime::Runtime;

use super::functions::{
    NAMES, Product, named, of_tenant, owned, page, product, refreshed, tagged, thrice,
};

pub(crate) const KEYS: u64 = 16;
pub(crate) const HITS: u64 = 1_000;
const THREADS: u64 = 8;

fn nothing() -> AllocationInfo {
    AllocationInfo::default()
}

/// A hit is there when it is asked for.
pub(crate) fn at_once<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a hit in memory waits for something"),
    }
}

/// What so many hits allocate on this thread.
pub(crate) fn hits<T, F: Future<Output = T>>(call: impl Fn(u64) -> F) -> AllocationInfo {
    measure(|| {
        for hit in 0..HITS {
            drop(black_box(at_once(call(black_box(hit % KEYS)))));
        }
    })
}

/// How often the calls of a function were answered from memory.
fn from_memory(cache: &Cache, function: &str) -> u64 {
    let stats = cache.stats();
    let path = format!("{}::functions::{function}", env!("CARGO_CRATE_NAME"));
    stats.sites[&path].l1_hits
}

/// Loads what will be hit, and hits it: a hit may find that nobody watches the entry yet.
pub(crate) fn prepare<T, F: Future<Output = T>>(runtime: &Runtime, call: impl Fn(u64) -> F) {
    runtime.block_on(async {
        for turn in 0..4 * KEYS {
            drop(call(turn % KEYS).await);
        }
    });
}

/// Hits on one thread and on several at once allocate so much each time, and are hits.
fn each_allocates<T, F: Future<Output = T>>(
    cache: &Cache,
    function: &str,
    expected: AllocationInfo,
    call: impl Fn(u64) -> F + Sync,
) {
    let before = from_memory(cache, function);
    assert_eq!(hits(&call), expected, "`{function}`, one task");
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    // A thread may make what it counts in, once.
                    let first = measure(|| drop(at_once(call(0)))).count_total;
                    let usual = expected.count_total / HITS;
                    assert!((usual..=usual + 1).contains(&first), "{first}");
                    hits(&call)
                })
            })
            .collect();
        for thread in threads {
            let allocated = thread.join().expect("a hit does not panic");
            assert_eq!(
                allocated, expected,
                "`{function}`, one of {THREADS} threads"
            );
        }
    });
    let hits = from_memory(cache, function) - before;
    let all = HITS + THREADS * (1 + HITS);
    assert_eq!(hits, all, "`{function}`: these were no hits");
}

/// With the process's cache as it is, and with the same cache in a scope.
///
/// The order is part of the test: as long as no scope was opened in a process, none is looked for. No other test of this program
/// opens one, or uses this cache.
#[test]
fn hit_in_memory_allocates_nothing() {
    let runtime = Runtime::new().expect("a runtime can be had");
    let cache = Cache::current();
    macro_rules! each {
        ($how:ident) => {
            $how(&runtime, &cache, "product", product);
            $how(&runtime, &cache, "page", |id| page(id, "furniture", 1));
            $how(&runtime, &cache, "named", |id| named(name(id)));
            $how(&runtime, &cache, "tagged", tagged);
            $how(&runtime, &cache, "thrice", |id| thrice(7, id));
            // Two tags, which are rendered on every call.
            $how(&runtime, &cache, "of_tenant", |id| of_tenant(id, 7));
            $how(&runtime, &cache, "refreshed", refreshed);
        };
    }
    each!(freely);
    each!(in_a_scope);
    // Opening a scope does: the box that keeps it from doubling the size of the future in it.
    let opened = measure(|| drop(at_once(cache.as_current(product(0)))));
    assert_eq!(opened.count_total, 1, "{opened:?}");
}

fn freely<T, F: Future<Output = T>>(
    runtime: &Runtime,
    cache: &Cache,
    function: &str,
    call: impl Fn(u64) -> F + Sync,
) {
    prepare(runtime, &call);
    each_allocates(cache, function, nothing(), call);
}

/// Of what [`freely`] has put into memory.
fn in_a_scope<T, F: Future<Output = T>>(
    _: &Runtime,
    cache: &Cache,
    function: &str,
    call: impl Fn(u64) -> F + Sync,
) {
    let before = from_memory(cache, function);
    let allocated = at_once(cache.as_current(async { hits(&call) }));
    assert_eq!(allocated, nothing(), "`{function}`, in a scope");
    let hits = from_memory(cache, function) - before;
    assert_eq!(hits, HITS, "`{function}`: these were no hits");
}

fn name(id: u64) -> &'static str {
    &NAMES[usize::try_from(id).expect("there are few")]
}

#[test]
fn hit_on_an_owned_value_allocates_what_its_clone_does() {
    let runtime = Runtime::new().expect("a runtime can be had");
    let cache = in_memory();
    let call = |id| owned(&cache, id);
    prepare(&runtime, call);
    let values: Vec<Product> = (0..KEYS).map(Product::of).collect();
    let clones = measure(|| {
        for turn in 0..HITS {
            let value = &values[usize::try_from(turn % KEYS).expect("there are few")];
            drop(black_box(value.clone()));
        }
    });
    assert!(clones.count_total >= 4 * HITS, "{clones:?}");
    each_allocates(&cache, "owned", clones, call);
}
