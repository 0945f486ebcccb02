//! The programmatic form: `get`, `get_or_load`, `put`, `inspect`, `stats`, `health`, `ready`, `close`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{
    Cache, Evict, Key, Policy, RedisHealth, Served, StampedeProtection, cache_evict, cacheable,
    key, traced,
};
use tests::caches::{assert_nothing_left, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;

static POLICY: Policy = Policy::new();

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> Result<u64, String> {
    let run = origin.run().await;
    if id == 0 {
        Err("zero".to_owned())
    } else {
        Ok(run)
    }
}

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn optional(id: u64) -> Option<u64> {
    Some(id)
}

#[cache_evict(key = "product:{id}")]
async fn rename(id: u64) {}

#[tokio::test]
async fn get_reads_and_creates_nothing() {
    let cache = in_memory();
    let key = Key::new("absent");
    for _ in 0..2 {
        assert_eq!(cache.get::<u64>(&key).await, None);
    }
    assert_eq!(cache.inspect(&key).await, None);
    let stats = cache.stats().total;
    assert_eq!((stats.misses, stats.loads, stats.l1_hits), (2, 0, 0));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn get_does_not_wait_for_a_load_that_runs() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(1, |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(product(origin, 7)).await }
    })
    .await;
    assert_eq!(cache.get::<u64>(&Key::new("product:7")).await, None);
    assert_eq!(crowd.waiting(), 1);
    origin.open_gate();
    assert_eq!(crowd.answers().await, [Ok(1)]);
    assert_eq!(cache.get::<u64>(&Key::new("product:7")).await, Some(1));
}

#[tokio::test]
async fn a_value_of_another_shape_reads_as_a_miss() {
    let cache = in_memory();
    let key = Key::new("text");
    cache.put(&key, "seven".to_owned(), &POLICY).await.unwrap();
    assert_eq!(cache.get::<u64>(&key).await, None);
    assert_eq!(
        cache.get::<Arc<str>>(&key).await.as_deref(),
        Some("seven"),
        "of the same shape it does not"
    );
    assert_eq!(
        cache.get_or_load(&key, &POLICY, || async { 7_u64 }).await,
        7
    );
    assert_eq!(cache.get::<u64>(&key).await, Some(7));
}

#[tokio::test]
async fn functions_of_related_types_share_a_key() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache
        .as_current(product(Arc::clone(&origin), 7))
        .await
        .unwrap();
    assert_eq!(
        cache.as_current(traced(optional(7))).await,
        (Some(1), Some(Served::Memory))
    );
    assert_eq!(
        cache.get::<Option<u64>>(&Key::new("product:7")).await,
        Some(Some(1))
    );
}

#[cacheable(key = "held:{id}", ttl = "1h")]
async fn held(id: u64) -> Arc<u64> {
    Arc::new(id)
}

#[cacheable(key = "held:{id}", ttl = "1h")]
async fn held_if_any(id: u64) -> Result<Option<Arc<u64>>, Infallible> {
    Ok(Some(Arc::new(id)))
}

#[cacheable(key = "held:{id}", ttl = "1h")]
async fn held_by_value(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn a_value_is_one_value_behind_an_arc_or_not() {
    let cache = in_memory();
    let (by_arc, by_option, by_value) = (1, 2, 3);
    let first = cache.as_current(held(by_arc)).await;
    assert_eq!(
        cache.as_current(held_if_any(by_option)).await,
        Ok(Some(Arc::new(2)))
    );
    assert_eq!(cache.as_current(held_by_value(by_value)).await, 3);
    for id in [by_arc, by_option, by_value] {
        let from_memory = Some(Served::Memory);
        let value = cache.as_current(traced(held(id))).await;
        assert_eq!(value, (Arc::new(id), from_memory));
        let value = cache.as_current(traced(held_if_any(id))).await;
        assert_eq!(value, (Ok(Some(Arc::new(id))), from_memory));
        let value = cache.as_current(traced(held_by_value(id))).await;
        assert_eq!(value, (id, from_memory));
        let key = Key::new(&format!("held:{id}"));
        assert_eq!(cache.get::<Arc<u64>>(&key).await, Some(Arc::new(id)));
    }
    assert!(Arc::ptr_eq(&first, &cache.as_current(held(by_arc)).await));
    // Who has no name for the type has put a pointer to the `Arc`.
    cache
        .put(&Key::new("held:4"), Arc::new(4_u64), &POLICY)
        .await
        .unwrap();
    assert_eq!(
        cache.as_current(traced(held(4))).await,
        (Arc::new(4), Some(Served::Memory))
    );
}

#[tokio::test]
async fn get_or_load_loads_once_and_try_keeps_no_error() {
    let cache = in_memory();
    let key = Key::new("loaded");
    let failing = cache.try_get_or_load(&key, &POLICY, || async { Err::<u64, _>("down") });
    assert_eq!(failing.await, Err("down"));
    let loading = cache.try_get_or_load(&key, &POLICY, || async { Ok::<u64, &str>(1) });
    assert_eq!(loading.await, Ok(1));
    let hit = cache.try_get_or_load(&key, &POLICY, || async { Err("not asked") });
    assert_eq!(hit.await, Ok(1));
    assert_eq!(cache.get_or_load(&key, &POLICY, || async { 2 }).await, 1);
}

#[tokio::test]
async fn a_none_is_recognised_by_value() {
    let cache = in_memory();
    let key = Key::new("none");
    let policy = Policy::new().negative_ttl(Duration::from_secs(5));
    for policy in [&POLICY, &policy] {
        cache
            .get_or_load(&key, policy, || async { None::<u64> })
            .await;
        let negative = *policy != POLICY;
        assert_eq!(
            cache.get::<Option<u64>>(&key).await,
            negative.then_some(None)
        );
    }
}

#[tokio::test]
async fn a_policy_by_hand_has_the_options_of_the_attributes() {
    let (cache, clock) = on_manual_clock();
    let key = Key::new("policy");
    let policy = Policy::new()
        .ttl(Duration::from_secs(10))
        .version(3)
        .l1(Duration::from_secs(5))
        .stampede_protection(StampedeProtection::Off);
    cache.get_or_load(&key, &policy, || async { 1 }).await;
    clock.advance(Duration::from_secs(2));
    let info = cache.inspect(&key).await.unwrap().memory.unwrap();
    assert_eq!(
        (info.version, info.remaining, info.age),
        (3, Duration::from_secs(3), Duration::from_secs(2))
    );
    assert_eq!(
        cache
            .get_or_load(&key, &policy.clone().version(4), || async { 2 })
            .await,
        2
    );
    cache
        .get_or_load(&key, &policy.l1(false), || async { 3 })
        .await;
    assert_eq!(
        cache.get::<i32>(&key).await,
        Some(2),
        "what is not to be in memory was not put there"
    );
}

#[tokio::test]
async fn inspect_tells_what_is_stored_and_counts_as_nothing() {
    let (cache, clock) = on_manual_clock();
    let id = 7;
    let key = key!("product:{id}");
    cache
        .put(
            &key,
            "seven".to_owned(),
            &Policy::new().ttl(Duration::from_secs(60)),
        )
        .await
        .unwrap();
    clock.advance(Duration::from_secs(20));
    let before = cache.stats().total;
    let info = cache.inspect(&key).await.unwrap();
    assert_eq!(
        (info.key.as_str(), info.leased, info.held),
        ("product:7", false, None)
    );
    assert_eq!(info.redis, None);
    let memory = info.memory.unwrap();
    assert_eq!(
        (memory.age, memory.remaining),
        (Duration::from_secs(20), Duration::from_secs(40))
    );
    assert_eq!(
        (memory.size, memory.version, memory.absent, memory.codec),
        (7, 0, false, "typed")
    );
    assert_eq!(cache.stats().total, before);
    clock.advance(Duration::from_secs(41));
    assert_eq!(
        cache.inspect(&key).await.unwrap().memory.unwrap().remaining,
        Duration::ZERO
    );
}

#[tokio::test]
async fn a_get_that_finds_nothing_is_no_hit() {
    let cache = in_memory();
    let key = Key::new("product:7");
    assert_eq!(cache.get::<u64>(&key).await, None);
    assert_eq!(cache.stats().sites["get"].hit_ratio(), Some(0.0));
    cache.put(&key, 1_u64, &Policy::new()).await.unwrap();
    assert_eq!(cache.get::<u64>(&key).await, Some(1));
    assert_eq!(cache.stats().sites["get"].hit_ratio(), Some(0.5));
}

#[tokio::test]
async fn stats_are_kept_per_site_and_in_total() {
    let (cache, origin) = (in_memory(), Origin::open());
    let calls = async {
        for id in [1, 1, 1, 2] {
            product(Arc::clone(&origin), id).await.unwrap();
        }
        product(Arc::clone(&origin), 0).await.unwrap_err();
        optional(9).await;
        rename(1).await;
    };
    cache.as_current(calls).await;
    let stats = cache.stats();
    let site = &stats.sites["memory::handle::product"];
    assert_eq!(
        (site.l1_hits, site.misses, site.loads, site.load_errors),
        (2, 3, 3, 1)
    );
    assert_eq!(site.hit_ratio(), Some(0.4));
    assert_eq!(stats.sites["memory::handle::optional"].loads, 1);
    assert_eq!(stats.sites["memory::handle::rename"].evictions, 1);
    assert_eq!(
        (
            stats.total.l1_hits,
            stats.total.loads,
            stats.total.evictions
        ),
        (2, 4, 1)
    );
    assert_eq!(in_memory().stats().total.hit_ratio(), None);
}

#[tokio::test]
async fn health_and_ready_of_a_cache_in_memory() {
    let cache = in_memory();
    let health = cache.health();
    assert_eq!(
        (&health.redis, health.queued_evictions),
        (&RedisHealth::NotConfigured, 0)
    );
    assert_eq!(health.to_string(), "memory only");
    assert!(format!("{cache:?}").contains("memory"));
    // There is no Redis to wait for, and none will come.
    let ready = tokio::time::timeout(Duration::from_secs(30), cache.ready(Duration::ZERO)).await;
    drop(ready.expect("it does not hang"));
}

#[tokio::test]
async fn a_closed_cache_goes_on_in_memory() {
    let (cache, origin) = (in_memory(), Origin::open());
    cache
        .as_current(product(Arc::clone(&origin), 1))
        .await
        .unwrap();
    let unfinished = cache.close(Duration::from_secs(1)).await;
    assert!(unfinished.is_nothing());
    for id in [1, 2, 2] {
        cache
            .as_current(product(Arc::clone(&origin), id))
            .await
            .unwrap();
    }
    assert_eq!(origin.runs(), 2);
    cache.evict(Evict::all()).await.unwrap();
    assert_eq!(cache.get::<u64>(&Key::new("product:1")).await, None);
    assert!(
        cache.close(Duration::ZERO).await.is_nothing(),
        "closing twice does no harm"
    );
}

#[tokio::test(start_paused = true)]
async fn a_load_that_runs_when_the_cache_is_closed_answers() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(10, |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(product(origin, 7)).await }
    })
    .await;
    cache.close(Duration::ZERO).await;
    origin.open_gate();
    assert_eq!(crowd.answers().await, vec![Ok(1); 10]);
    assert_nothing_left(&cache);
}

#[test]
fn handles_policies_and_keys_go_to_other_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Cache>();
    shared::<Policy>();
    shared::<Key>();
    shared::<Evict>();
}

#[test]
fn an_eviction_in_memory_needs_no_runtime() {
    let cache = in_memory();
    let mut evicting = std::pin::pin!(cache.evict(Evict::all()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(
        evicting.as_mut().poll(&mut context),
        std::task::Poll::Ready(Ok(()))
    ));
}

struct Users;
struct Orders;

impl Users {
    #[cacheable(skip(self))]
    async fn load(&self, id: u64) -> u64 {
        id
    }
}

impl Orders {
    #[cache_evict(key = "orders")]
    async fn clear(&self) {}

    #[cacheable(skip(self))]
    async fn load(&self, id: u64) -> u64 {
        id + 1
    }
}

#[tokio::test]
async fn functions_of_one_name_in_two_types_are_counted_apart() {
    let cache = in_memory();
    let calls = async {
        Users.load(1).await;
        Users.load(1).await;
        Orders.load(1).await;
        Orders.clear().await;
    };
    cache.as_current(calls).await;
    let sites = cache.stats().sites;
    let of = |site: &str| (sites[site].loads, sites[site].l1_hits);
    assert_eq!(of("memory::handle::Users::load"), (1, 1));
    assert_eq!(of("memory::handle::Orders::load"), (1, 0));
    assert_eq!(sites["memory::handle::Orders::clear"].evictions, 1);
}
