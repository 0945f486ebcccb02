//! `stale_while_revalidate` and `stale_if_error`: values past their ttl.

use cache_runtime::{Evict, Key, Policy, Served, Why, refresh};

use crate::origin::{Down, MILLI, Origin, SECOND, Way, alone, every_kind, fleet, settle};
use tests::caches::assert_nothing_left;
use tokio::time::sleep;

const REVALIDATING: Served = Served::Stale(Why::Revalidating);
const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn revalidated() -> Policy {
    Policy::new()
        .ttl(SECOND)
        .stale_while_revalidate(10 * SECOND)
}

fn hidden() -> Policy {
    Policy::new()
        .ttl(SECOND)
        .stale_if_error(20 * SECOND)
        .retry_after(2 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn in_the_window_nobody_waits_and_one_refresh_runs() {
    for memory in [true, false] {
        for (kind, cache) in every_kind().await {
            if !memory && kind == "memory alone" {
                continue;
            }
            let policy = revalidated().l1(memory);
            let origin = Origin::new();
            let ask = async || origin.ask(&cache, "a", &policy).await;
            assert_eq!(ask().await, (Ok(0), Served::Loaded), "{kind}");
            origin.becomes(1);
            origin.takes(SECOND);
            sleep(5 * SECOND).await;
            for _ in 0..20 {
                let before = tokio::time::Instant::now();
                assert_eq!(
                    ask().await,
                    (Ok(0), REVALIDATING),
                    "{kind}, memory {memory}"
                );
                assert!(before.elapsed() < 100 * MILLI);
                sleep(MILLI).await;
            }
            assert_eq!(origin.loads(), 2, "{kind}, memory {memory}");
            sleep(SECOND).await;
            assert_eq!(ask().await.0, Ok(1), "{kind}, memory {memory}");
            assert_eq!(cache.stats().total.stale_hits, 20, "{kind}");
            // After the window it is as if there were nothing.
            sleep(11 * SECOND).await;
            origin.becomes(2);
            assert_eq!(ask().await, (Ok(2), Served::Loaded), "{kind}");
            assert_nothing_left(&cache);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stale_values_are_revalidated_once_in_the_fleet() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    for cache in [&one, &other] {
        origin
            .ask(cache, "a", &revalidated())
            .await
            .0
            .expect("it answers");
    }
    origin.becomes(1);
    origin.takes(SECOND);
    sleep(2 * SECOND).await;
    for cache in [&one, &other, &one, &other] {
        assert_eq!(
            origin.ask(cache, "a", &revalidated()).await,
            (Ok(0), REVALIDATING)
        );
        settle().await;
    }
    sleep(2 * SECOND).await;
    assert_eq!(origin.loads(), 2);
    sleep(SECOND / 2).await;
    for cache in [&one, &other] {
        // The other process finds the new one in Redis, by the way of its own refresh.
        origin
            .ask(cache, "a", &revalidated())
            .await
            .0
            .expect("it is there");
        settle().await;
        assert_eq!(origin.ask(cache, "a", &revalidated()).await.0, Ok(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_is_hidden_and_the_origin_left_alone_by_the_fleet() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    let ask = async |cache| origin.ask(cache, "a", &hidden()).await;
    assert_eq!(ask(&one).await, (Ok(0), Served::Loaded));
    assert_eq!(ask(&other).await, (Ok(0), Served::Redis));
    origin.goes(Way::Fails);
    sleep(2 * SECOND).await;
    assert_eq!(ask(&one).await, (Ok(0), FAILED));
    for _ in 0..19 {
        for cache in [&one, &other] {
            assert_eq!(ask(cache).await, (Ok(0), THROTTLED));
        }
        sleep(100 * MILLI).await;
    }
    assert_eq!(origin.loads(), 2);
    sleep(100 * MILLI).await;
    assert_eq!(ask(&other).await, (Ok(0), FAILED), "it may be tried again");
    assert_eq!(ask(&one).await, (Ok(0), THROTTLED));
    assert_eq!(origin.loads(), 3);
    // Beyond the window the error is the origin's own, and nothing keeps from trying.
    sleep(20 * SECOND).await;
    for cache in [&one, &other] {
        let before = origin.loads();
        assert_eq!(ask(cache).await, (Err(Down), Served::Loaded));
        assert_eq!(origin.loads(), before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_whole_window_the_origin_is_tried_once_per_throttle() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &hidden()).await;
        ask().await.0.expect("it answers");
        origin.goes(Way::Fails);
        sleep(SECOND).await;
        for _ in 0..199 {
            assert_eq!(ask().await.0, Ok(0), "{kind}");
            sleep(100 * MILLI).await;
        }
        // 19.9 seconds, and two between two tries.
        assert_eq!(origin.loads(), 1 + 10, "{kind}");
        origin.goes(Way::Answers);
        origin.becomes(1);
        sleep(SECOND).await;
        assert_eq!(ask().await, (Ok(1), Served::Loaded), "{kind}");
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_option_an_error_is_an_error() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new().ttl(SECOND);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.goes(Way::Fails);
        sleep(SECOND).await;
        assert_eq!(ask().await, (Err(Down), Served::Loaded), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_load_that_fails_are_served_what_is_stale() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let (cache, origin) = (&cache, &origin);
        origin
            .ask(cache, "a", &hidden())
            .await
            .0
            .expect("it answers");
        origin.goes(Way::Fails);
        origin.takes(SECOND);
        sleep(2 * SECOND).await;
        let policy = hidden();
        let calls = (0..20).map(|_| origin.ask(cache, "a", &policy));
        let answers = futures_of(calls).await;
        assert!(
            answers.iter().all(|answer| answer.0 == Ok(0)),
            "{kind}: {answers:?}"
        );
        assert_eq!(origin.loads(), 2, "{kind}");
    }
}

/// All of them at once.
pub(crate) async fn futures_of<F: Future>(calls: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    let mut answers: Vec<Option<F::Output>> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (call, answer) in calls.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let std::task::Poll::Ready(it) = call.as_mut().poll(cx)
            {
                *answer = Some(it);
            }
        }
        if answers.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

#[tokio::test(start_paused = true)]
async fn what_expire_marked_is_stale_and_what_was_evicted_is_gone() {
    let selections: [fn() -> Evict; 4] = [
        || Evict::key(Key::new("r:a")),
        || Evict::tag("t"),
        || Evict::pattern("r:*"),
        Evict::all,
    ];
    for (kind, cache) in every_kind().await {
        for (number, select) in selections.iter().enumerate() {
            for memory in [true, false] {
                if !memory && kind == "memory alone" {
                    continue;
                }
                let about = format!("{kind}, selection {number}, memory {memory}");
                let policy = revalidated().ttl(100 * SECOND).tags(["t"]).l1(memory);
                let origin = Origin::new();
                let ask = async || origin.ask(&cache, "r:a", &policy).await;
                ask().await.0.expect("it answers");
                origin.becomes(1);
                cache.expire(select()).await.expect("it is confirmed");
                assert_eq!(ask().await, (Ok(0), REVALIDATING), "{about}");
                settle().await;
                assert_eq!(ask().await.0, Ok(1), "{about}");
                origin.becomes(2);
                cache.expire(select()).await.expect("it is confirmed");
                cache.evict(select()).await.expect("it is confirmed");
                assert_eq!(ask().await, (Ok(2), Served::Loaded), "{about}");
                cache.evict(Key::new("r:a")).await.expect("it is confirmed");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_eviction_during_a_revalidation_keeps_its_value_out() {
    let selections: [fn() -> Evict; 3] =
        [|| Evict::key(Key::new("a")), || Evict::tag("t"), Evict::all];
    for (kind, cache) in every_kind().await {
        for select in selections {
            let origin = Origin::new();
            let policy = revalidated().tags(["t"]);
            let ask = async || origin.ask(&cache, "a", &policy).await;
            ask().await.0.expect("it answers");
            origin.takes(SECOND);
            sleep(2 * SECOND).await;
            assert_eq!(ask().await, (Ok(0), REVALIDATING), "{kind}");
            settle().await;
            origin.becomes(1);
            cache.evict(select()).await.expect("it is confirmed");
            assert_eq!(
                ask().await.0,
                Ok(1),
                "{kind}: neither what was stale nor what is loaded"
            );
            sleep(SECOND / 2).await;
            assert_eq!(ask().await.0, Ok(1), "{kind}");
            cache.evict(select()).await.expect("it is confirmed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_forced_refresh_has_the_errors_of_its_origin() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = hidden().stale_while_revalidate(10 * SECOND);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.goes(Way::Fails);
        sleep(2 * SECOND).await;
        assert_eq!(refresh(ask()).await.0, Err(Down), "{kind}");
        origin.goes(Way::Answers);
        origin.becomes(1);
        assert_eq!(refresh(ask()).await, (Ok(1), Served::Loaded), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_call_that_loads_waits_where_a_load_ends_with_its_call() {
    let cache = alone();
    let (key, policy) = (Key::new("a"), revalidated());
    let get = async |value: u64, takes| {
        let load = async || {
            sleep(takes).await;
            value
        };
        cache.get_or_load(&key, &policy, load).await
    };
    get(0, MILLI).await;
    sleep(2 * SECOND).await;
    let (loading, meanwhile) = tokio::join!(get(1, SECOND), async {
        sleep(MILLI).await;
        get(2, MILLI).await
    });
    assert_eq!((loading, meanwhile), (1, 0));
    assert_eq!(get(3, MILLI).await, 1);
}
