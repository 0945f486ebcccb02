//! `soft_timeout` and `hard_timeout`: a call that does not wait for the end of its load.

use cache_runtime::{Policy, Served, Why};

use crate::origin::{MILLI, Origin, SECOND, Way, every_kind, settle};
use tests::caches::assert_nothing_left;
use tokio::time::{Instant, sleep};

fn policy() -> Policy {
    Policy::new()
        .ttl(SECOND)
        .stale_if_error(60 * SECOND)
        .soft_timeout(200 * MILLI)
}

#[tokio::test(start_paused = true)]
async fn with_a_stale_value_a_slow_load_is_waited_for_so_long_and_stores_all_the_same() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        origin.takes(SECOND);
        let began = Instant::now();
        assert_eq!(
            ask().await,
            (Ok(0), Served::Loaded),
            "{kind}: nothing to serve instead"
        );
        assert!(began.elapsed() >= SECOND);
        origin.becomes(1);
        sleep(2 * SECOND).await;
        let began = Instant::now();
        assert_eq!(
            ask().await,
            (Ok(0), Served::Stale(Why::SoftTimeout)),
            "{kind}"
        );
        assert!(
            began.elapsed() >= 200 * MILLI && began.elapsed() < 400 * MILLI,
            "{kind}"
        );
        // Who comes later joins the load that goes on.
        assert_eq!(
            ask().await,
            (Ok(0), Served::Stale(Why::SoftTimeout)),
            "{kind}"
        );
        sleep(SECOND).await;
        assert_eq!(ask().await, (Ok(1), Served::Memory), "{kind}");
        assert_eq!(origin.loads(), 2, "{kind}");
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_when_nobody_waits_leaves_the_value_and_a_pause() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || {
            origin
                .ask(&cache, "a", &policy().retry_after(5 * SECOND))
                .await
        };
        ask().await.0.expect("it answers");
        origin.goes(Way::Fails);
        origin.takes(SECOND);
        sleep(2 * SECOND).await;
        assert_eq!(
            ask().await,
            (Ok(0), Served::Stale(Why::SoftTimeout)),
            "{kind}"
        );
        sleep(SECOND).await;
        assert_eq!(
            ask().await,
            (Ok(0), Served::Stale(Why::Throttled)),
            "{kind}"
        );
        assert_eq!(origin.loads(), 2, "{kind}");
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn an_eviction_while_a_load_goes_on_keeps_its_value_out() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        ask().await.0.expect("it answers");
        origin.takes(SECOND);
        sleep(2 * SECOND).await;
        assert_eq!(
            ask().await,
            (Ok(0), Served::Stale(Why::SoftTimeout)),
            "{kind}"
        );
        origin.becomes(1);
        cache
            .evict(cache_runtime::Key::new("a"))
            .await
            .expect("it is confirmed");
        assert_eq!(ask().await, (Ok(1), Served::Loaded), "{kind}");
        sleep(2 * SECOND).await;
        origin.takes(MILLI);
        assert_eq!(ask().await.0, Ok(1), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_eviction_takes_what_a_waiting_call_has_in_hand() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = policy().soft_timeout(SECOND);
        origin
            .ask(&cache, "a", &policy)
            .await
            .0
            .expect("it answers");
        origin.takes(3 * SECOND);
        sleep(2 * SECOND).await;
        let (waiting, ()) = tokio::join!(origin.ask(&cache, "a", &policy), async {
            sleep(SECOND / 2).await;
            let gone = cache.evict(cache_runtime::Key::new("a")).await;
            gone.expect("it is confirmed");
        });
        assert_eq!(
            waiting,
            (Ok(0), Served::Loaded),
            "{kind}: the load's own value"
        );
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_expire_marked_is_served_after_the_soft_timeout_without_any_window() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new().ttl(100 * SECOND).soft_timeout(200 * MILLI);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.becomes(1);
        origin.takes(SECOND);
        cache
            .expire(cache_runtime::Key::new("a"))
            .await
            .expect("it is confirmed");
        assert_eq!(
            ask().await,
            (Ok(0), Served::Stale(Why::SoftTimeout)),
            "{kind}"
        );
        sleep(SECOND).await;
        assert_eq!(ask().await, (Ok(1), Served::Memory), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_hard_timeout_a_stale_value_is_served_where_errors_are_hidden() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = Policy::new()
            .ttl(SECOND)
            .stale_if_error(60 * SECOND)
            .hard_timeout(300 * MILLI);
        let ask = async || origin.ask(&cache, "a", &policy).await;
        ask().await.0.expect("it answers");
        origin.becomes(1);
        origin.takes(SECOND);
        sleep(2 * SECOND).await;
        // A call that cannot make an error of it is still served what is stale.
        let answer = ask().await;
        assert_eq!(answer, (Ok(0), Served::Stale(Why::HardTimeout)), "{kind}");
    }
}
