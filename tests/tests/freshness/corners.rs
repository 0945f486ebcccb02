//! Where refreshes, timeouts and comparisons meet what is slow, gone or switched off.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Key, Policy, Refresh, Served, Why, bypass, cacheable, known};
use tests::caches::assert_nothing_left;
use tests::model::silence;
use tokio::time::{Instant, sleep};

use crate::origin::{MILLI, Origin, SECOND, Way, alone, every_kind, fleet, settle};

fn stale() -> Policy {
    Policy::new().ttl(SECOND).stale_if_error(60 * SECOND)
}

/// The value that a load is to replace is the one of its key, and not of a load around it.
#[tokio::test(start_paused = true)]
async fn a_body_that_the_cache_takes_no_part_in_knows_nothing() {
    let (cache, policy) = (alone(), stale());
    let inside = {
        let (cache, policy) = (cache.clone(), policy.clone());
        move || {
            let (cache, policy) = (cache.clone(), policy.clone());
            async move {
                let load = async |_| Ok::<_, ()>(Refresh::Value(known::<u64>().is_some()));
                let load = move |known| load(known);
                let key = Key::new("b");
                bypass(cache.try_get_or_refresh(&key, &policy, load)).await
            }
        }
    };
    let ask = async || {
        let inside = inside.clone();
        let load = move |known: Option<cache_runtime::Known<u64>>| {
            let inside = inside.clone();
            async move {
                let leaked = inside().await.expect("it answers");
                Ok::<_, ()>(Refresh::Value(
                    u64::from(leaked) + 10 * u64::from(known.is_some()),
                ))
            }
        };
        let key = Key::new("a");
        cache.try_get_or_refresh(&key, &policy, load).await
    };
    assert_eq!(ask().await, Ok(0));
    sleep(2 * SECOND).await;
    assert_eq!(
        ask().await,
        Ok(10),
        "the outer load knows, the inner one does not"
    );
}

#[cacheable(key = "nested:{id}", ttl = "1m", condition = id > 100)]
async fn never_cached(id: u64) -> bool {
    known::<bool>().is_some()
}

#[cacheable(key = "outer:{id}", ttl = "1s", stale_if_error = "1m")]
async fn outer(id: u64) -> Result<bool, std::io::Error> {
    Ok(never_cached(id).await)
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_whose_condition_is_false() {
    let cache = alone();
    for _ in 0..2 {
        let answer = cache.as_current(outer(1)).await;
        assert!(!answer.expect("it answers"));
        sleep(2 * SECOND).await;
    }
}

static SLOW_LOADS: AtomicUsize = AtomicUsize::new(0);

#[cacheable(
    key = "slow:{id}", ttl = "1m",
    hard_timeout = "50ms",
    on_timeout = |timeout| std::io::Error::other(timeout.to_string()),
)]
async fn slow(id: u64) -> Result<u64, std::io::Error> {
    SLOW_LOADS.fetch_add(1, Ordering::SeqCst);
    sleep(200 * MILLI).await;
    Ok(id)
}

/// The time that Redis takes is longer than the timeout: the load begins all the same, and its value is there later.
#[tokio::test(start_paused = true)]
async fn a_timeout_shorter_than_redis_takes_does_not_keep_the_load_from_beginning() {
    let ([cache], model) = fleet::<1>().await;
    silence(&model);
    let began = Instant::now();
    let answer = cache.as_current(slow(1)).await;
    assert!(
        answer.is_err() && began.elapsed() < 100 * MILLI,
        "{answer:?}"
    );
    sleep(SECOND).await;
    assert_eq!(SLOW_LOADS.load(Ordering::SeqCst), 1);
    assert_eq!(cache.stats().total.timeouts, 1);
    assert_eq!(cache.stats().total.redis_timeouts, 1);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_in_memory_is_served_at_the_soft_timeout_whatever_redis_does() {
    let ([cache], model) = fleet::<1>().await;
    let (origin, policy) = (Origin::new(), stale().soft_timeout(20 * MILLI));
    let ask = async || origin.ask(&cache, "a", &policy).await;
    ask().await.0.expect("it answers");
    sleep(SECOND + 10 * MILLI).await;
    silence(&model);
    origin.takes(SECOND);
    let began = Instant::now();
    assert_eq!(ask().await, (Ok(0), Served::Stale(Why::SoftTimeout)));
    assert!(began.elapsed() < 50 * MILLI, "{:?}", began.elapsed());
    sleep(2 * SECOND).await;
    assert_eq!(origin.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_turn_at_the_origin_leaves_at_his_timeout() {
    let (cache, origin) = (alone(), Origin::new());
    let policy = Policy::new().ttl(100 * SECOND).soft_timeout(300 * MILLI);
    let ask = async || origin.ask(&cache, "a", &policy).await;
    ask().await.0.expect("it answers");
    cache
        .expire(Key::new("a"))
        .await
        .expect("there is no Redis");
    origin.goes(Way::Fails);
    origin.takes(200 * MILLI);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (cache, origin, policy) = (cache.clone(), origin.clone(), policy.clone());
        calls.spawn(async move {
            let began = Instant::now();
            let (answer, _) = origin.ask(&cache, "a", &policy).await;
            (answer, began.elapsed())
        });
    }
    origin.takes(3 * SECOND);
    while let Some(call) = calls.join_next().await {
        let (answer, took) = call.expect("no panic");
        assert!(took < 400 * MILLI, "{answer:?} after {took:?}");
    }
    sleep(20 * SECOND).await;
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_hangs_is_asked_less_and_less_often() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new()
            .ttl(10_000 * SECOND)
            .background_refresh(0.001)
            .retry_after(100 * SECOND);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.takes(Duration::from_secs(1_000_000));
        for _ in 0..900 {
            sleep(SECOND).await;
            assert_eq!(ask().await.0, Ok(0), "{kind}");
        }
        // 45 seconds each, and a hundred between two.
        assert!(
            (6..=8).contains(&origin.loads()),
            "{kind}: {}",
            origin.loads()
        );
        let stats = cache.stats().total;
        assert!(
            stats.refresh_errors >= stats.refreshes - 1,
            "{kind}: {stats:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_compared_once_at_a_time() {
    let (cache, origin) = (alone(), Origin::new());
    let policy = Policy::new().ttl(100 * SECOND).consistency_check(1.0);
    let ask = async || origin.ask(&cache, "a", &policy).await;
    ask().await.0.expect("it answers");
    origin.takes(SECOND);
    for _ in 0..500 {
        ask().await.0.expect("it is there");
        sleep(MILLI).await;
    }
    assert_eq!(origin.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_dropped_takes_its_timers_along() {
    let (cache, origin) = (alone(), Origin::new());
    let policy = Policy::new()
        .ttl(100 * SECOND)
        .refresh_every(10 * SECOND)
        .idle(Duration::from_secs(1_000_000));
    origin
        .ask(&cache, "a", &policy)
        .await
        .0
        .expect("it answers");
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 1);
    drop(cache);
    settle().await;
    assert_eq!(metrics.num_alive_tasks(), 0);
    sleep(1_000 * SECOND).await;
    assert_eq!(origin.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_without_a_place_for_its_timer_is_refreshed_by_its_hits() {
    let (cache, origin) = (alone(), Origin::new());
    let policy = Policy::new()
        .ttl(1_000 * SECOND)
        .refresh_every(100 * SECOND);
    for n in 0..=10_000 {
        origin
            .ask(&cache, &n.to_string(), &policy)
            .await
            .0
            .expect("it answers");
    }
    let before = origin.loads();
    sleep(50 * SECOND).await;
    assert_eq!(origin.loads(), before);
    origin.becomes(1);
    sleep(51 * SECOND).await;
    // The others have turned by themselves, 256 at a time.
    origin
        .ask(&cache, "10000", &policy)
        .await
        .0
        .expect("it is there");
    sleep(SECOND).await;
    let answer = origin.ask(&cache, "10000", &policy).await;
    assert_eq!(answer, (Ok(1), Served::Memory));
}

/// A memory-only cache needs no runtime, and so neither do calls that could leave before their load ends.
#[test]
fn without_a_runtime_calls_wait_for_their_load() {
    let cache = Cache::builder("no-runtime").build().expect("it is valid");
    let origin = Origin::new();
    let policy = Policy::new()
        .ttl(MILLI)
        .jitter(0.0)
        .stale_if_error(60 * SECOND)
        .stale_while_revalidate(60 * SECOND)
        .soft_timeout(SECOND)
        .hard_timeout(SECOND)
        .background_refresh(0.5)
        .consistency_check(1.0)
        .refresh_every(SECOND);
    let mut asked = Vec::new();
    for value in 0..3 {
        origin.becomes(value);
        let mut call = Box::pin(origin.ask(&cache, "a", &policy));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match call.as_mut().poll(&mut cx) {
            std::task::Poll::Ready((answer, _)) => asked.push(answer),
            std::task::Poll::Pending => panic!("there is nothing to wait for"),
        }
        std::thread::sleep(30 * MILLI);
    }
    assert_eq!(asked, [Ok(0), Ok(1), Ok(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_none_does_nothing() {
    for share in [0.0, -1.0, f64::NAN] {
        let (cache, origin) = (alone(), Origin::new());
        let policy = Policy::new()
            .ttl(100 * SECOND)
            .background_refresh(share)
            .early_refresh(share)
            .consistency_check(share)
            .refresh_every(Duration::ZERO);
        for _ in 0..50 {
            origin
                .ask(&cache, "a", &policy)
                .await
                .0
                .expect("it answers");
            settle().await;
        }
        assert_eq!(origin.loads(), 1, "{share}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_no_error_for_its_timeout_is_none_that_timed_out() {
    let (cache, origin) = (alone(), Origin::new());
    let policy = Policy::new().ttl(SECOND).hard_timeout(10 * MILLI);
    origin.takes(SECOND);
    let answer = origin.ask(&cache, "a", &policy).await;
    assert_eq!(answer, (Ok(0), Served::Loaded));
    assert_eq!(cache.stats().total.timeouts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_load_ends_with_it_refreshes_what_only_redis_has() {
    let ([cache], _) = fleet::<1>().await;
    let policy = Policy::new()
        .ttl(10 * SECOND)
        .background_refresh(0.5)
        .l1(false);
    let key = Key::new("a");
    let get = async |value: u64| cache.get_or_load(&key, &policy, async || value).await;
    assert_eq!(get(1).await, 1);
    sleep(6 * SECOND).await;
    assert_eq!(get(2).await, 2);
    assert_eq!(get(3).await, 2);
}

/// What hooks have not been told when their runtime went is told when the cache is closed.
#[test]
fn hooks_are_told_on_the_runtime_that_closes_the_cache() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);

    #[cacheable(key = "told:{id}", ttl = "1m", on_miss = tell)]
    async fn told(id: u64) -> u64 {
        id
    }

    fn tell(_: &cache_runtime::Event) {
        TOLD.fetch_add(1, Ordering::SeqCst);
    }

    let cache = Cache::builder("hooks").build().expect("it is valid");
    let first = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("it starts");
    // Its task for hooks gets no turn.
    let call = first.block_on(cache.as_current(told(1)));
    assert_eq!(call, 1);
    drop(first);
    let second = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("it starts");
    let unfinished = second.block_on(cache.close(Duration::from_secs(60)));
    assert!(unfinished.is_nothing());
    assert_eq!(TOLD.load(Ordering::SeqCst), 1);
}
