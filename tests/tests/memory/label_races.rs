//! Evictions by tag, region, scope and all that meet a load, a hold, a drop or a panic.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Served, cache_evict, cacheable, traced};
use tests::caches::{assert_nothing_left, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;

const SECOND: Duration = Duration::from_secs(1);

/// The value is the number of the load; its tag is known only then.
#[cacheable(key = "products:item:{id}", scope = "user:{id}", tags = ["static:{id}", "late:{id}:{result - result}"], ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

/// No tag is left for its value to name.
#[cacheable(key = "plain:{id}", tags = ["static:{id}"], ttl = "1h")]
async fn plain(origin: Arc<Origin>, id: u64) -> u64 {
    origin.run().await
}

#[cache_evict(tags = ["static:{id}"])]
async fn stuck(id: u64, origin: Arc<Origin>) {
    origin.run().await;
}

#[cache_evict(tags = ["static:{id}"])]
async fn panicking(id: u64) {
    tokio::task::yield_now().await;
    panic!("after the update, perhaps");
}

type CallOf = std::pin::Pin<Box<dyn Future<Output = (u64, Option<Served>)> + Send>>;

fn calls(cache: &Cache, origin: &Arc<Origin>) -> impl Fn(usize) -> CallOf {
    let (cache, origin) = (cache.clone(), Arc::clone(origin));
    move |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        Box::pin(async move { cache.as_current(traced(product(origin, 7))).await })
    }
}

async fn stored(cache: &Cache) -> Option<u64> {
    let key = Key::new("products:item:7").in_scope("user:7");
    cache.get(&key).await
}

/// A pattern that is no region can be evicted and not held.
fn kinds() -> Vec<Evict> {
    let mut kinds = holdable();
    kinds.push(Evict::pattern("products:*m:7"));
    kinds
}

fn holdable() -> Vec<Evict> {
    vec![
        Evict::tag("static:7"),
        Evict::tag("late:7:0"),
        Evict::scope("user:7"),
        Evict::region("products"),
        Evict::region("products:item"),
        Evict::pattern("products:item:*"),
        Evict::all(),
    ]
}

#[tokio::test]
async fn nothing_loaded_before_an_eviction_is_cached_or_joined_after_it() {
    for kind in kinds() {
        for expire in [false, true] {
            let (cache, origin) = (in_memory(), Origin::closed());
            let before = Crowd::of(5, calls(&cache, &origin)).await;
            let done = if expire {
                cache.expire(kind.clone()).await
            } else {
                cache.evict(kind.clone()).await
            };
            done.unwrap();
            assert_eq!(before.waiting(), 5);
            let after = Crowd::of(5, calls(&cache, &origin)).await;
            assert_eq!(origin.runs(), 2, "who comes later starts anew: {kind:?}");
            origin.let_through(1);
            assert!(before.answers().await.iter().all(|(run, _)| *run == 1));
            assert_eq!(stored(&cache).await, None, "{kind:?}");
            origin.let_through(1);
            assert!(after.answers().await.iter().all(|(run, _)| *run == 2));
            assert_eq!(stored(&cache).await, Some(2), "{kind:?}");
            assert_nothing_left(&cache);
        }
    }
}

#[tokio::test]
async fn the_eviction_of_anothers_tag_does_not_keep_a_load_out() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let loading = Crowd::of(1, |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(plain(origin, 7)).await }
    })
    .await;
    cache.evict(Evict::tag("static:8")).await.unwrap();
    origin.open_gate();
    assert_eq!(loading.answers().await, [1]);
    assert_eq!(cache.get(&Key::new("plain:7")).await, Some(1_u64));
}

#[tokio::test]
async fn a_hold_refuses_stores_as_long_as_it_stands() {
    for kind in holdable() {
        let (cache, clock) = on_manual_clock();
        let origin = Origin::open();
        let load = async || cache.as_current(product(Arc::clone(&origin), 7)).await;
        cache.evict(kind.clone().hold(5 * SECOND)).await.unwrap();
        load().await;
        assert_eq!(stored(&cache).await, None, "{kind:?}");
        clock.advance(3 * SECOND);
        // A shorter one, and an eviction without one, take nothing away.
        cache.evict(kind.clone().hold(SECOND)).await.unwrap();
        cache.evict(kind.clone()).await.unwrap();
        clock.advance(SECOND);
        load().await;
        assert_eq!(stored(&cache).await, None, "{kind:?}");
        clock.advance(SECOND);
        load().await;
        assert!(stored(&cache).await.is_some(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_load_that_began_during_a_hold_is_not_stored_after_it() {
    for tag in ["static:7", "late:7:0"] {
        let (cache, clock) = on_manual_clock();
        let origin = Origin::closed();
        cache.evict(Evict::tag(tag).hold(SECOND)).await.unwrap();
        let crowd = Crowd::of(3, calls(&cache, &origin)).await;
        clock.advance(2 * SECOND);
        origin.open_gate();
        assert_eq!(crowd.answers().await.len(), 3);
        assert_eq!(stored(&cache).await, None, "{tag}");
    }
}

#[tokio::test]
async fn a_dropped_or_panicking_write_evicts_its_tags_and_holds_them() {
    let (cache, clock) = on_manual_clock();
    let (open, closed) = (Origin::open(), Origin::closed());
    let load = async || cache.as_current(product(Arc::clone(&open), 7)).await;
    for panics in [false, true] {
        load().await;
        assert!(stored(&cache).await.is_some());
        if panics {
            let write = tokio::spawn(cache.as_current(panicking(7)));
            assert!(write.await.unwrap_err().is_panic());
        } else {
            let write = tokio::spawn(cache.as_current(stuck(7, Arc::clone(&closed))));
            closed.reached(1).await;
            write.abort();
            assert!(write.await.unwrap_err().is_cancelled());
        }
        assert_eq!(stored(&cache).await, None);
        load().await;
        assert_eq!(
            stored(&cache).await,
            None,
            "what it did is unknown for a while"
        );
        clock.advance(2 * SECOND);
        load().await;
        assert!(stored(&cache).await.is_some());
    }
}
