//! `version`, `l1 = false`, `l2 = false`.

use cache_runtime::{Cache, Policy, Served, Why, cacheable};
use tests::model::silence;

use crate::case::{Desk, Failed, pass, site, timed};
use crate::origin::{Down, MILLI, Origin, SECOND, Way, ZERO, fleet, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

async fn ask(origin: &Origin, cache: &Cache, policy: &Policy) -> (Result<u64, Down>, Served) {
    origin.ask(cache, "a", policy).await
}

// Row: version: background_refresh, early_refresh, refresh_every
#[tokio::test(start_paused = true)]
async fn the_refreshes_of_an_older_build_go_into_its_own_memory() {
    let ([old, new, third], _) = fleet().await;
    let origin = Origin::new();
    let [first, second] = [1, 2].map(|version| policy().version(version).background_refresh(0.5));
    assert_eq!(ask(&origin, &new, &second).await.1, Served::Loaded);
    assert_eq!(ask(&origin, &old, &first).await.1, Served::Loaded);
    origin.becomes(1);
    pass(6.0).await;
    assert_eq!(ask(&origin, &old, &first).await.0, Ok(0));
    settle().await;
    assert_eq!(ask(&origin, &old, &first).await, (Ok(1), Served::Memory));
    assert_eq!(ask(&origin, &third, &second).await, (Ok(0), Served::Redis));
}

// Row: version: stale_while_revalidate, stale_if_error, soft_timeout, hard_timeout
// Row: version: retry_after
#[tokio::test(start_paused = true)]
async fn another_versions_entry_is_never_a_stale_value_and_an_older_build_tells_nobody_of_failures()
{
    let ([old, new], _) = fleet().await;
    let origin = Origin::new();
    let hidden = policy()
        .stale_if_error(60 * SECOND)
        .stale_while_revalidate(SECOND)
        .soft_timeout(MILLI);
    let [first, second] = [1, 2].map(|version| hidden.clone().version(version));
    assert_eq!(ask(&origin, &old, &first).await.0, Ok(0));
    origin.goes(Way::Fails);
    for after in [0.0, 10.5, 2.0] {
        pass(after).await;
        assert_eq!(
            ask(&origin, &new, &second).await,
            (Err(Down), Served::Loaded),
            "{after}"
        );
    }
    origin.goes(Way::Answers);
    assert_eq!(ask(&origin, &new, &second).await, (Ok(0), Served::Loaded));
    pass(12.0).await;
    origin.goes(Way::Fails);
    assert_eq!(ask(&origin, &old, &first).await, (Ok(0), FAILED));
    let loads = origin.loads();
    // It had no lease to note the failure under, because Redis has a higher version.
    assert_eq!(ask(&origin, &new, &second).await, (Ok(0), FAILED));
    assert_eq!(origin.loads(), loads + 1);
    for (cache, policy) in [(&old, &first), (&new, &second)] {
        assert_eq!(ask(&origin, cache, policy).await, (Ok(0), THROTTLED));
    }
    assert_eq!(origin.loads(), loads + 1);
}

// Row: version: consistency_check
#[tokio::test(start_paused = true)]
async fn a_difference_evicts_every_version() {
    let ([old, new], _) = fleet().await;
    let origin = Origin::new();
    let [first, second] = [1, 2].map(|version| policy().version(version).consistency_check(1.0));
    ask(&origin, &old, &first).await.0.expect("it answers");
    ask(&origin, &new, &second).await.0.expect("it answers");
    origin.becomes(1);
    assert_eq!(ask(&origin, &new, &second).await.0, Ok(0));
    pass(1.0).await;
    assert_eq!(new.stats().total.consistency_differences, 1);
    assert_eq!(ask(&origin, &old, &first).await, (Ok(1), Served::Loaded));
}

// Row: l1 = false: background_refresh, early_refresh
// Row: l1 = false: consistency_check
#[tokio::test(start_paused = true)]
async fn hits_in_redis_are_refreshed_and_checked() {
    for refreshed in [
        policy().background_refresh(0.5),
        policy().early_refresh(1e6),
    ] {
        let ([one, other], _) = fleet().await;
        let origin = Origin::new();
        origin.takes(10 * MILLI);
        let policy = refreshed.l1(false);
        ask(&origin, &one, &policy).await.0.expect("it answers");
        origin.becomes(1);
        pass(6.0).await;
        for cache in [&one, &other, &one] {
            assert_eq!(ask(&origin, cache, &policy).await, (Ok(0), Served::Redis));
        }
        pass(0.1).await;
        assert_eq!(ask(&origin, &other, &policy).await.0, Ok(1));
        assert!(origin.loads() >= 2);
    }
    let ([one], _) = fleet().await;
    let origin = Origin::new();
    let policy = policy().consistency_check(1.0).l1(false);
    ask(&origin, &one, &policy).await.0.expect("it answers");
    assert_eq!(ask(&origin, &one, &policy).await.1, Served::Redis);
    settle().await;
    assert_eq!(one.stats().total.consistency_checks, 1);
}

site!(hard_redis -> u64, ttl = "10s", stale_if_error = "60s", hard_timeout = "300ms", l1 = false);

// Row: l1 = false: stale_while_revalidate, stale_if_error, soft_timeout, hard_timeout
// Row: l1 = false: retry_after
#[tokio::test(start_paused = true)]
async fn a_stale_value_is_one_that_redis_has() {
    let ([one, other], model) = fleet().await;
    let origin = Origin::new();
    let policy = policy()
        .stale_if_error(60 * SECOND)
        .stale_while_revalidate(5 * SECOND)
        .soft_timeout(300 * MILLI)
        .retry_after(5 * SECOND)
        .l1(false);
    ask(&origin, &one, &policy).await.0.expect("it answers");
    origin.goes(Way::Fails);
    pass(12.0).await;
    let revalidating = (Ok(0), Served::Stale(Why::Revalidating));
    assert_eq!(ask(&origin, &other, &policy).await, revalidating);
    pass(6.0).await;
    assert_eq!(ask(&origin, &one, &policy).await, (Ok(0), FAILED));
    let loads = origin.loads();
    // The other reads the note.
    for cache in [&other, &one, &other] {
        assert_eq!(ask(&origin, cache, &policy).await, (Ok(0), THROTTLED));
    }
    assert_eq!(origin.loads(), loads);
    pass(6.0).await;
    origin.takes(2 * SECOND);
    let soft = (Ok(0), Served::Stale(Why::SoftTimeout));
    assert_eq!(ask(&origin, &other, &policy).await, soft);
    silence(&model);
    assert_eq!(ask(&origin, &one, &policy).await.0, Err(Down));
    let ([cache], model) = fleet().await;
    let origin = Origin::new();
    let desk = Desk {
        cache,
        origin: origin.clone(),
    };
    assert_eq!(hard_redis(desk.clone()).await, Ok(0));
    origin.takes(2 * SECOND);
    pass(12.0).await;
    assert_eq!(hard_redis(desk.clone()).await, Ok(0));
    pass(2.0).await;
    silence(&model);
    assert_eq!(hard_redis(desk).await, Err(Failed::Late(300 * MILLI)));
}

// Row: l1 = false: refresh_every, idle
#[tokio::test(start_paused = true)]
async fn a_process_notes_the_keys_that_it_calls() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    let policy = policy()
        .refresh_every(4 * SECOND)
        .idle(9 * SECOND)
        .l1(false);
    ask(&origin, &one, &policy).await.0.expect("it answers");
    pass(2.0).await;
    ask(&origin, &one, &policy).await.0.expect("it answers");
    origin.becomes(1);
    pass(2.5).await;
    assert_eq!(origin.loads(), 2);
    assert_eq!(
        ask(&origin, &other, &Policy::new().l1(false)).await.0,
        Ok(1)
    );
    pass(60.0).await;
    let loads = origin.loads();
    assert!((3..=4).contains(&loads), "{loads}");
    pass(60.0).await;
    assert_eq!(origin.loads(), loads);
}

// Row: l2 = false: background_refresh, early_refresh, refresh_every
#[tokio::test(start_paused = true)]
async fn without_redis_each_process_refreshes() {
    for refreshed in [
        policy().background_refresh(0.5),
        policy().early_refresh(1e6),
        policy().refresh_every(6 * SECOND),
    ] {
        let ([one, other], model) = fleet().await;
        let origin = Origin::new();
        origin.takes(10 * MILLI);
        let policy = refreshed.l2(false);
        for cache in [&one, &other] {
            ask(&origin, cache, &policy).await.0.expect("it answers");
        }
        origin.becomes(1);
        pass(5.99).await;
        for cache in [&one, &other] {
            ask(&origin, cache, &policy).await.0.expect("it answers");
        }
        pass(0.1).await;
        assert_eq!((origin.loads(), model.leases()), (4, 0));
        for cache in [&one, &other] {
            assert_eq!(ask(&origin, cache, &policy).await.0, Ok(1));
        }
    }
}

// Row: l2 = false: stale_while_revalidate, stale_if_error, soft_timeout
// Row: l2 = false: retry_after
#[tokio::test(start_paused = true)]
async fn the_windows_are_those_of_this_processs_memory() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    let policy = policy()
        .stale_if_error(600 * SECOND)
        .soft_timeout(300 * MILLI)
        .retry_after(30 * SECOND)
        .l2(false);
    for cache in [&one, &other] {
        ask(&origin, cache, &policy).await.0.expect("it answers");
    }
    pass(12.0).await;
    origin.goes(Way::Fails);
    for cache in [&one, &other] {
        assert_eq!(ask(&origin, cache, &policy).await, (Ok(0), FAILED));
        assert_eq!(ask(&origin, cache, &policy).await, (Ok(0), THROTTLED));
    }
    assert_eq!(origin.loads(), 4);
    pass(31.0).await;
    origin.takes(SECOND);
    let soft = (Ok(0), Served::Stale(Why::SoftTimeout));
    assert_eq!(ask(&origin, &one, &policy).await, soft);
    pass(14.0).await;
    // Memory has it for a minute where there is Redis.
    assert_eq!(ask(&origin, &other, &policy).await.0, Ok(0));
    pass(3.0).await;
    assert_eq!(ask(&origin, &other, &policy).await.0, Err(Down));
    let ([cache], _) = fleet().await;
    let origin = Origin::new();
    let policy = policy_swr();
    ask(&origin, &cache, &policy).await.0.expect("it answers");
    pass(59.0).await;
    assert_eq!(
        ask(&origin, &cache, &policy).await.1,
        Served::Stale(Why::Revalidating)
    );
}

fn policy_swr() -> Policy {
    policy().stale_while_revalidate(600 * SECOND).l2(false)
}

site!(hard_alone -> u64, ttl = "10s", hard_timeout = "300ms", l2 = false);

// Row: l2 = false: hard_timeout, on_timeout
// Row: l2 = false: consistency_check
#[tokio::test(start_paused = true)]
async fn timeouts_are_as_always_and_a_difference_reaches_the_fleet() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    let desk = Desk {
        cache: one.clone(),
        origin: origin.clone(),
    };
    origin.takes(SECOND);
    let (answer, took) = timed(hard_alone(desk.clone())).await;
    assert_eq!(answer, Err(Failed::Late(300 * MILLI)));
    assert!(took < 320 * MILLI);
    pass(1.0).await;
    assert_eq!(hard_alone(desk).await, Ok(0));
    origin.takes(ZERO);
    let policy = policy().consistency_check(1.0).l2(false);
    ask(&origin, &other, &policy).await.0.expect("it answers");
    origin.becomes(1);
    assert_eq!(ask(&origin, &one, &policy).await.0, Ok(0));
    pass(1.0).await;
    assert_eq!(one.stats().total.consistency_differences, 1);
    assert_eq!(ask(&origin, &other, &policy).await, (Ok(1), Served::Loaded));
}
