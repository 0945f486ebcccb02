//! What surrounds a call without touching it: `as_current`, `bypass`, `refresh`, `traced`.

use std::sync::Arc;

use cache_runtime::{
    Cache, Key, Policy, Served, Why, bypass, cache_evict, cache_put, cacheable, refresh, traced,
};
use tests::caches::{assert_nothing_left, build, in_memory};
use tests::crowd::Crowd;
use tests::origin::Origin;

#[cacheable(key = "product", ttl = "1h")]
async fn product(origin: Arc<Origin>) -> u64 {
    origin.run().await
}

#[cacheable(key = "outer", ttl = "1h")]
async fn outer(origin: Arc<Origin>) -> u64 {
    product(origin).await
}

#[cacheable(key = "named", ttl = "1h", cache = cache)]
async fn named(cache: &Cache, origin: Arc<Origin>) -> u64 {
    origin.run().await
}

#[cache_evict(key = "product")]
async fn evicting() {}

#[cache_put(key = "product", ttl = "1h")]
async fn putting(value: u64) -> u64 {
    value
}

/// The name of the cache that is current where this is loaded.
#[cacheable(key = "current", ttl = "1h")]
async fn current_in_load() -> String {
    Cache::current().name().to_owned()
}

/// The same, asked by a task that the load spawned.
#[cacheable(key = "spawned", ttl = "1h")]
async fn current_in_spawned() -> String {
    tokio::spawn(async { Cache::current().name().to_owned() })
        .await
        .expect("it does not panic")
}

fn called(name: &str) -> Cache {
    build(Cache::builder(name))
}

#[tokio::test]
async fn without_anything_around_it_a_call_uses_a_memory_cache_of_its_own() {
    let origin = Origin::open();
    assert_eq!(Cache::current().name(), "cache");
    assert_eq!(product(Arc::clone(&origin)).await, 1);
    assert_eq!(traced(product(origin)).await, (1, Some(Served::Memory)));
    assert_eq!(
        Cache::current().get::<u64>(&Key::new("product")).await,
        Some(1)
    );
}

#[tokio::test]
async fn as_current_reaches_the_calls_inside_and_ends_with_them() {
    let (shop, other, origin) = (called("shop"), called("other"), Origin::open());
    let inside = shop.as_current(async {
        product(Arc::clone(&origin)).await;
        let inner = other
            .as_current(async { Cache::current().name().to_owned() })
            .await;
        (Cache::current().name().to_owned(), inner)
    });
    assert_eq!(inside.await, ("shop".to_owned(), "other".to_owned()));
    assert_eq!(Cache::current().name(), "cache");
    assert_eq!(shop.get::<u64>(&Key::new("product")).await, Some(1));
    assert_eq!(other.get::<u64>(&Key::new("product")).await, None);
}

#[tokio::test]
async fn loads_keep_the_current_cache_and_tasks_the_user_spawns_do_not() {
    let shop = called("shop");
    assert_eq!(shop.as_current(current_in_load()).await, "shop");
    let other = called("other");
    let in_programmatic = other.as_current(async {
        let load = || async { Cache::current().name().to_owned() };
        shop.get_or_load(&Key::new("programmatic"), &Policy::new(), load)
            .await
    });
    assert_eq!(
        in_programmatic.await,
        "other",
        "the task's cache, whichever cache loads"
    );
    assert_eq!(shop.as_current(current_in_spawned()).await, "cache");
}

#[tokio::test]
async fn the_cache_option_is_stronger_than_the_current_cache() {
    let (shop, other, origin) = (called("shop"), called("other"), Origin::open());
    other.as_current(named(&shop, origin)).await;
    assert_eq!(shop.get::<u64>(&Key::new("named")).await, Some(1));
    assert_eq!(other.get::<u64>(&Key::new("named")).await, None);
}

#[tokio::test]
async fn what_surrounds_a_call_nests_in_any_order() {
    let origin = Origin::open();
    let bypassed = Some(Served::Bypassed(Why::Asked));
    for outside in [true, false] {
        let cache = in_memory();
        let run = origin.runs();
        let call = || product(Arc::clone(&origin));
        let (first, second, third) = if outside {
            let first = cache.as_current(refresh(call())).await;
            (
                first,
                cache.as_current(traced(bypass(call()))).await,
                cache.as_current(traced(call())).await,
            )
        } else {
            let first = refresh(cache.as_current(call())).await;
            (
                first,
                traced(bypass(cache.as_current(call()))).await,
                traced(cache.as_current(call())).await,
            )
        };
        assert_eq!(
            (first, second, third),
            (
                run + 1,
                (run + 2, bypassed),
                (run + 1, Some(Served::Memory))
            )
        );
        let stats = cache.stats().total;
        assert_eq!(
            (stats.loads, stats.bypassed, stats.l1_hits),
            (1, 1, 1),
            "outside: {outside}"
        );
    }
}

#[tokio::test]
async fn bypass_neither_reads_nor_writes() {
    let (cache, origin) = (in_memory(), Origin::open());
    let call = || product(Arc::clone(&origin));
    let bypassed = Some(Served::Bypassed(Why::Asked));
    assert_eq!(
        cache.as_current(traced(bypass(call()))).await,
        (1, bypassed)
    );
    assert_eq!(cache.inspect(&Key::new("product")).await, None);
    assert_eq!(cache.as_current(call()).await, 2);
    assert_eq!(
        cache.as_current(traced(bypass(call()))).await,
        (3, bypassed)
    );
    assert_eq!(
        cache.as_current(traced(call())).await,
        (2, Some(Served::Memory))
    );
    assert_eq!(cache.stats().total.bypassed, 2);
}

#[tokio::test]
async fn a_bypassed_write_still_evicts() {
    let (cache, origin) = (in_memory(), Origin::open());
    let call = || product(Arc::clone(&origin));
    cache.as_current(call()).await;
    cache.as_current(bypass(evicting())).await;
    assert_eq!(cache.as_current(call()).await, 2);
    assert_eq!(cache.as_current(bypass(putting(70))).await, 70);
    assert_eq!(
        cache.as_current(call()).await,
        3,
        "a bypassed put evicts what is old now"
    );
}

#[tokio::test]
async fn refresh_skips_what_is_stored_and_stores_what_it_loads() {
    let (cache, origin) = (in_memory(), Origin::open());
    let call = || product(Arc::clone(&origin));
    cache.as_current(call()).await;
    assert_eq!(
        cache.as_current(traced(refresh(call()))).await,
        (2, Some(Served::Loaded))
    );
    assert_eq!(
        cache.as_current(traced(call())).await,
        (2, Some(Served::Memory))
    );
}

#[tokio::test]
async fn refresh_does_not_reach_the_calls_inside_loads() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache.as_current(outer(Arc::clone(&origin))).await;
    assert_eq!(
        cache.as_current(refresh(outer(Arc::clone(&origin)))).await,
        1
    );
    assert_eq!(origin.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn refresh_overtakes_the_load_that_runs() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let call = |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(product(origin)).await }
    };
    let before = Crowd::of(10, call).await;
    let refreshing = Crowd::of(1, |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(refresh(product(origin))).await }
    });
    let refreshing = refreshing.await;
    let after = Crowd::of(10, call).await;
    assert_eq!(
        origin.runs(),
        2,
        "who comes after the refresh began joins it"
    );
    // The older load ends first; its value goes to those who waited for it, and not into memory.
    origin.let_through(1);
    assert_eq!(before.answers().await, vec![1; 10]);
    assert_eq!(cache.get::<u64>(&Key::new("product")).await, None);
    assert_eq!(cache.stats().total.refused_stores, 1);
    origin.let_through(1);
    assert_eq!(
        (refreshing.answers().await, after.answers().await),
        (vec![2], vec![2; 10])
    );
    assert_eq!(cache.get::<u64>(&Key::new("product")).await, Some(2));
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn traced_reports_the_last_call_it_made_itself() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(cache.as_current(traced(async { 1 })).await, (1, None));
    cache.as_current(product(Arc::clone(&origin))).await;
    let last = cache.as_current(traced(async {
        product(Arc::clone(&origin)).await;
        outer(Arc::clone(&origin)).await
    }));
    assert_eq!(
        last.await,
        (1, Some(Served::Loaded)),
        "`outer` was loaded, though `product` inside it was a hit"
    );
    let inner = cache.as_current(traced(async {
        let (_, inner) = traced(product(Arc::clone(&origin))).await;
        assert_eq!(inner, Some(Served::Memory));
    }));
    assert_eq!(inner.await.1, None, "the innermost `traced` hears it");
}

#[tokio::test]
async fn traced_in_one_task_hears_nothing_of_another() {
    let (cache, origin) = (in_memory(), Origin::open());
    let (left, right) = tokio::join!(
        cache.as_current(traced(product(Arc::clone(&origin)))),
        cache.as_current(traced(async { tokio::task::yield_now().await })),
    );
    assert_eq!((left.1, right.1), (Some(Served::Loaded), None));
}
