//! The end of what runs in the background.

use cache_runtime::{Policy, Served, Why};

use crate::origin::{MILLI, Origin, SECOND, every_kind, settle};
use tests::caches::assert_nothing_left;
use tokio::time::{Instant, sleep};

fn policy() -> Policy {
    Policy::new()
        .ttl(SECOND)
        .stale_while_revalidate(60 * SECOND)
        .refresh_every(10 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn close_waits_for_a_refresh_and_ends_the_timers() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let ask = async || origin.ask(&cache, "a", &policy()).await;
        ask().await.0.expect("it answers");
        origin.takes(SECOND);
        sleep(2 * SECOND).await;
        ask().await.0.expect("it is there");
        settle().await;
        let began = Instant::now();
        let unfinished = cache.close(5 * SECOND).await;
        assert!(unfinished.is_nothing(), "{kind}: {unfinished:?}");
        assert!(began.elapsed() < 2 * SECOND, "{kind}");
        assert_nothing_left(&cache);
        let loads = origin.loads();
        sleep(60 * SECOND).await;
        assert_eq!(origin.loads(), loads, "{kind}: nothing runs any more");
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_is_cut_off_and_told() {
    for (kind, cache) in every_kind().await {
        let origin = Origin::new();
        let policy = policy().soft_timeout(MILLI).stale_if_error(60 * SECOND);
        for key in ["a", "b"] {
            origin
                .ask(&cache, key, &policy)
                .await
                .0
                .expect("it answers");
        }
        origin.takes(20 * SECOND);
        sleep(2 * SECOND).await;
        for key in ["a", "b"] {
            origin
                .ask(&cache, key, &policy)
                .await
                .0
                .expect("it is there");
        }
        settle().await;
        let unfinished = cache.close(SECOND).await;
        assert_eq!(unfinished.refreshes, 2, "{kind}");
        assert_eq!(unfinished.leases, 0, "{kind}: {unfinished:?}");
        settle().await;
        assert_nothing_left(&cache);
    }
}

#[tokio::test(start_paused = true)]
async fn after_close_stale_values_are_served_and_nothing_is_begun() {
    let (cache, origin) = (crate::origin::alone(), Origin::new());
    let ask = async || origin.ask(&cache, "a", &policy()).await;
    ask().await.0.expect("it answers");
    assert!(cache.close(SECOND).await.is_nothing());
    sleep(2 * SECOND).await;
    assert_eq!(ask().await, (Ok(0), Served::Stale(Why::Revalidating)));
    settle().await;
    assert_eq!(origin.loads(), 1);
}
