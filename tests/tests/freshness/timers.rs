//! `refresh_every`: keys in use are refreshed on a timer.

use cache_runtime::{Key, Policy, Served, refresh};

use crate::origin::{MILLI, Origin, SECOND, Way, every_kind, fleet};
use tokio::time::sleep;

fn policy() -> Policy {
    Policy::new()
        .ttl(60 * SECOND)
        .refresh_every(10 * SECOND)
        .idle(25 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn a_key_in_use_is_refreshed_until_it_is_idle() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        ask().await.0.expect("it answers");
        for second in 1..=50 {
            sleep(SECOND).await;
            origin.becomes(second);
            let (value, served) = ask().await;
            assert_eq!(served, Served::Memory, "{kind}");
            let age = second - value.expect("it is there");
            assert!(age <= 11, "{kind}: a value of {age} seconds ago");
        }
        assert!(
            (5..=6).contains(&origin.loads()),
            "{kind}: {}",
            origin.loads()
        );
        // Not used any more: two or three periods, and then no longer.
        sleep(30 * SECOND).await;
        let loads = origin.loads();
        sleep(120 * SECOND).await;
        assert_eq!(origin.loads(), loads, "{kind}");
        // Used again, it is refreshed again.
        ask().await.0.expect("it answers");
        sleep(12 * SECOND).await;
        assert_eq!(origin.loads(), loads + 2, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_process_refreshes_in_a_period() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    origin
        .ask(&one, "a", &policy())
        .await
        .0
        .expect("it answers");
    sleep(3 * SECOND).await;
    origin
        .ask(&other, "a", &policy())
        .await
        .0
        .expect("it is there");
    for second in 0..60 {
        origin.becomes(second);
        for cache in [&one, &other] {
            origin
                .ask(cache, "a", &policy())
                .await
                .0
                .expect("it is there");
        }
        sleep(SECOND).await;
    }
    assert!((6..=8).contains(&origin.loads()), "{}", origin.loads());
}

#[tokio::test(start_paused = true)]
async fn an_eviction_during_a_timers_refresh_keeps_its_value_out() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        ask().await.0.expect("it answers");
        origin.takes(SECOND);
        sleep(10 * SECOND + 500 * MILLI).await;
        assert_eq!(origin.loads(), 2, "{kind}: a refresh runs");
        origin.becomes(1);
        cache.evict(Key::new("a")).await.expect("it is confirmed");
        assert_eq!(ask().await.0, Ok(1), "{kind}");
        sleep(2 * SECOND).await;
        assert_eq!(ask().await, (Ok(1), Served::Memory), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_whose_origin_fails_leaves_the_value() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        ask().await.0.expect("it answers");
        origin.goes(Way::Fails);
        for _ in 0..4 {
            sleep(10 * SECOND).await;
            assert_eq!(ask().await, (Ok(0), Served::Memory), "{kind}");
        }
        assert!(
            (4..=8).contains(&origin.loads()),
            "{kind}: {}",
            origin.loads()
        );
    }
}

/// The call overtakes what runs, its timer does not.
#[tokio::test(start_paused = true)]
async fn the_timer_of_a_forced_refresh_is_one_for_the_fleet_too() {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    for cache in [&one, &other] {
        let forced = refresh(origin.ask(cache, "a", &policy())).await;
        forced.0.expect("it answers");
    }
    for _ in 0..60 {
        for cache in [&one, &other] {
            let asked = origin.ask(cache, "a", &policy()).await;
            asked.0.expect("it is there");
        }
        sleep(SECOND).await;
    }
    let loads = origin.loads();
    assert!((7..=9).contains(&loads), "{loads}");
}
