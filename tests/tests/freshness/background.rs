//! `background_refresh`: nobody waits for a value that is about to end.

use cache_runtime::{Key, Policy, Served};

use crate::origin::{MILLI, Origin, SECOND, Way, alone, every_kind, fleet, settle};
use tests::caches::assert_nothing_left;
use tokio::time::{Instant, sleep};

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND).background_refresh(0.8)
}

#[tokio::test(start_paused = true)]
async fn the_first_hit_after_the_share_is_answered_at_once_and_the_next_has_the_new_value() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        assert_eq!(ask().await, (Ok(0), Served::Loaded), "{kind}");
        origin.becomes(1);
        origin.takes(SECOND);
        sleep(8 * SECOND - 10 * MILLI).await;
        assert_eq!(ask().await, (Ok(0), Served::Memory), "{kind}: too early");
        settle().await;
        assert_eq!(origin.loads(), 1, "{kind}");
        sleep(20 * MILLI).await;
        for _ in 0..50 {
            assert_eq!(ask().await, (Ok(0), Served::Memory), "{kind}");
            sleep(MILLI).await;
        }
        assert_eq!(origin.loads(), 2, "{kind}: one refresh, however many hits");
        sleep(SECOND).await;
        assert_eq!(ask().await, (Ok(1), Served::Memory), "{kind}");
        // A whole new life.
        sleep(7 * SECOND).await;
        assert_eq!(ask().await, (Ok(1), Served::Memory), "{kind}");
        assert_eq!(origin.loads(), 2, "{kind}");
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_refresh_of_what_only_redis_has() {
    let ([cache, _], _) = fleet().await;
    let (origin, policy) = (Origin::new(), policy().l1(false));
    let ask = async || origin.ask(&cache, "a", &policy).await;
    assert_eq!(ask().await, (Ok(0), Served::Loaded));
    origin.becomes(1);
    origin.takes(3 * SECOND);
    sleep(8 * SECOND + 10 * MILLI).await;
    for _ in 0..20 {
        let before = Instant::now();
        assert_eq!(ask().await, (Ok(0), Served::Redis));
        assert!(before.elapsed() < 100 * MILLI);
        sleep(MILLI).await;
    }
    assert_eq!(origin.loads(), 2);
    // It ends before its refresh does: now there is nothing else to do.
    sleep(2 * SECOND).await;
    assert_eq!(ask().await, (Ok(1), Served::Shared));
    assert_eq!(ask().await, (Ok(1), Served::Redis));
    assert_eq!(origin.loads(), 2);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn one_refresh_in_the_fleet_and_the_others_get_its_value() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    for cache in [&one, &other] {
        origin
            .ask(cache, "a", &policy())
            .await
            .0
            .expect("it answers");
    }
    assert_eq!(origin.loads(), 1);
    origin.becomes(1);
    origin.takes(SECOND / 2);
    sleep(8 * SECOND + 10 * MILLI).await;
    for cache in [&one, &other] {
        let answer = origin.ask(cache, "a", &policy()).await;
        assert_eq!(answer, (Ok(0), Served::Memory));
    }
    sleep(SECOND).await;
    for cache in [&one, &other] {
        let answer = origin.ask(cache, "a", &policy()).await;
        assert_eq!(answer, (Ok(1), Served::Memory));
    }
    assert_eq!(origin.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_leaves_the_value_and_waits_longer_each_time() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new().ttl(1_000 * SECOND).background_refresh(0.1);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.goes(Way::Fails);
        sleep(100 * SECOND).await;
        let mut begun = Vec::new();
        for second in 0..100 {
            let before = origin.loads();
            // Memory gives a value up after a minute where there is Redis; the refreshes go on.
            assert_eq!(ask().await.0, Ok(0), "{kind}");
            settle().await;
            if origin.loads() > before {
                begun.push(second);
            }
            sleep(SECOND).await;
        }
        let pauses: Vec<_> = begun.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(pauses.starts_with(&[1, 2, 4, 8, 16]), "{kind}: {begun:?}");
        let stats = cache.stats().total;
        assert_eq!(stats.refreshes, stats.refresh_errors, "{kind}");
        origin.goes(Way::Answers);
        origin.becomes(1);
        sleep(61 * SECOND).await;
        ask().await.0.expect("it is there");
        settle().await;
        assert_eq!(
            ask().await.0,
            Ok(1),
            "{kind}: found when the origin is back"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_eviction_during_a_refresh_keeps_its_value_out() {
    for (kind, cache) in every_kind().await {
        for tagged in [false, true] {
            let origin = Origin::new();
            let policy = policy().tags(["t"]);
            let key = format!("a{tagged}");
            let ask = async || origin.ask(&cache, &key, &policy).await;
            ask().await.0.expect("it answers");
            origin.takes(SECOND);
            sleep(9 * SECOND).await;
            ask().await.0.expect("it is there");
            settle().await;
            assert_eq!(origin.loads(), 2, "{kind}: a refresh runs");
            origin.becomes(1);
            let evicted = if tagged {
                cache.evict(cache_runtime::Evict::tag("t")).await
            } else {
                cache.evict(Key::new(&key)).await
            };
            evicted.expect("it is confirmed");
            assert_eq!(ask().await.0, Ok(1), "{kind}");
            sleep(2 * SECOND).await;
            assert_eq!(
                ask().await,
                (Ok(1), Served::Memory),
                "{kind}: not resurrected"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_dropped_after_calling_for_a_refresh_does_not_take_it_along() {
    let (cache, origin) = (alone(), Origin::new());
    origin
        .ask(&cache, "a", &policy())
        .await
        .0
        .expect("it answers");
    origin.becomes(1);
    origin.takes(SECOND);
    sleep(9 * SECOND).await;
    let (task, asked) = (cache.clone(), origin.clone());
    let caller = tokio::spawn(async move { asked.ask(&task, "a", &policy()).await });
    assert_eq!(caller.await.expect("no panic").0, Ok(0));
    sleep(SECOND + 10 * MILLI).await;
    assert_eq!(origin.ask(&cache, "a", &policy()).await.0, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_panics_is_one_that_failed() {
    let (cache, origin) = (alone(), Origin::new());
    let ask = async || origin.ask(&cache, "a", &policy()).await;
    ask().await.0.expect("it answers");
    origin.goes(Way::Panics);
    sleep(8 * SECOND + 10 * MILLI).await;
    for _ in 0..10 {
        assert_eq!(ask().await, (Ok(0), Served::Memory));
        settle().await;
    }
    assert_eq!(origin.loads(), 2, "it waits before it tries again");
    origin.goes(Way::Answers);
    origin.becomes(1);
    sleep(SECOND).await;
    ask().await.0.expect("it is there");
    settle().await;
    assert_eq!(ask().await, (Ok(1), Served::Memory));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_dies_during_its_refresh_is_waited_for_and_loaded_once() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        ask().await.0.expect("it answers");
        origin.becomes(1);
        origin.takes(3 * SECOND);
        sleep(9 * SECOND).await;
        ask().await.0.expect("it is there");
        sleep(SECOND + 10 * MILLI).await;
        assert_eq!(ask().await, (Ok(1), Served::Shared), "{kind}");
        assert_eq!(origin.loads(), 2, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_load_ends_with_it_refreshes_in_its_own_time() {
    let cache = alone();
    let (key, policy) = (Key::new("a"), policy());
    let get = async |value: u64| cache.get_or_load(&key, &policy, async || value).await;
    assert_eq!(get(1).await, 1);
    sleep(9 * SECOND).await;
    assert_eq!(get(2).await, 2, "the one whose turn it is loads");
    assert_eq!(get(3).await, 2);
}

#[tokio::test(start_paused = true)]
async fn more_refreshes_than_the_bound_are_skipped_and_counted() {
    let (cache, origin) = (alone(), Origin::new());
    let keys: Vec<_> = (0..300).map(|n| format!("k{n}")).collect();
    for key in &keys {
        origin
            .ask(&cache, key, &policy())
            .await
            .0
            .expect("it answers");
    }
    origin.takes(SECOND / 2);
    sleep(9 * SECOND).await;
    for key in &keys {
        origin
            .ask(&cache, key, &policy())
            .await
            .0
            .expect("it is there");
    }
    settle().await;
    assert_eq!(origin.loads() - keys.len(), 256);
    assert_eq!(cache.stats().total.refreshes_skipped, 44);
    sleep(SECOND / 2 + 10 * MILLI).await;
    // Those that had no place call again.
    for key in &keys {
        origin
            .ask(&cache, key, &policy())
            .await
            .0
            .expect("it is there");
    }
    sleep(SECOND).await;
    assert_eq!(origin.loads(), 2 * keys.len());
}
