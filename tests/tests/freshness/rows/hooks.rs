//! With each other: what hooks are told of.

use std::cell::RefCell;

use cache_runtime::{Event, Policy, Served, Why, cache_put, cacheable};

use crate::case::{Case, Desk, Failed, each, pass, site};
use crate::origin::{MILLI, SECOND, Way, settle};

thread_local! {
    // All tasks of a test run on its thread.
    static TOLD: RefCell<Vec<(&'static str, Served)>> = const { RefCell::new(Vec::new()) };
}

fn hit(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(("hit", event.served)));
}

fn miss(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(("miss", event.served)));
}

async fn told() -> Vec<(&'static str, Served)> {
    settle().await;
    TOLD.with_borrow_mut(std::mem::take)
}

site!(all -> u64, ttl = "10s", background_refresh = 0.5, stale_while_revalidate = "5s", stale_if_error = "20s", retry_after = "3s",
    consistency_check = 1.0, on_hit = hit, on_miss = miss);

// Row: With each other: on_hit or on_miss, any of them
#[tokio::test(start_paused = true)]
async fn hooks_are_told_of_calls_and_of_nothing_else() {
    for case in each(Policy::new()).await {
        let ask = async || all(case.desk()).await;
        assert_eq!(ask().await, Ok(0));
        assert_eq!(told().await, [("miss", Served::Loaded)], "{}", case.kind);
        assert_eq!(ask().await, Ok(0));
        // The hit was checked, the next is refreshed.
        assert_eq!(told().await, [("hit", Served::Memory)], "{}", case.kind);
        pass(6.0).await;
        assert_eq!(ask().await, Ok(0));
        assert_eq!(told().await, [("hit", Served::Memory)], "{}", case.kind);
        case.loads(3);
        case.origin.goes(Way::Fails);
        pass(12.0).await;
        assert_eq!(ask().await, Ok(0));
        assert_eq!(
            told().await,
            [("hit", Served::Stale(Why::Revalidating))],
            "{}",
            case.kind
        );
        pass(5.0).await;
        // It ran the body, and was answered with what was stale.
        assert_eq!(ask().await, Ok(0));
        assert_eq!(
            told().await,
            [("hit", Served::Stale(Why::Failed))],
            "{}",
            case.kind
        );
        pass(20.0).await;
        assert_eq!(ask().await, Err(Failed::Down));
        assert_eq!(told().await, [("miss", Served::Loaded)], "{}", case.kind);
        assert_eq!(case.cache.stats().total.events_dropped, 0);
    }
}

site!(bounded -> u64, ttl = "10s", hard_timeout = "300ms", stampede_protection, on_hit = hit, on_miss = miss);

// Row: With each other: on_miss, hard_timeout
#[tokio::test(start_paused = true)]
async fn a_call_that_gave_up_is_told_by_whose_load_it_waited_for() {
    for case in each(Policy::new()).await {
        case.origin.takes(SECOND);
        let (own, others) = tokio::join!(bounded(case.desk()), async {
            tokio::time::sleep(10 * MILLI).await;
            bounded(case.desk()).await
        });
        assert!(own.is_err() && others.is_err(), "{}", case.kind);
        assert_eq!(
            told().await,
            [("miss", Served::Loaded), ("miss", Served::Shared)],
            "{}",
            case.kind
        );
    }
}

site!(waiting -> u64, ttl = "10s", wait_timeout = "300ms", on_hit = hit, on_miss = miss);
site!(off -> u64, ttl = "10s", stampede_protection = "off", on_hit = hit, on_miss = miss);

async fn two<F: Future>(call: impl Fn(Desk) -> F, case: &Case) {
    case.origin.takes(SECOND);
    tokio::join!(call(case.desk()), async {
        tokio::time::sleep(10 * MILLI).await;
        call(case.desk()).await
    });
}

// Row: stampede_protection: on_miss
// Row: wait_timeout: consistency_check, on_hit, on_miss
#[tokio::test(start_paused = true)]
async fn who_waited_is_told_as_shared_and_without_protection_all_as_loaded() {
    const LOADED: (&str, Served) = ("miss", Served::Loaded);
    const SHARED: (&str, Served) = ("miss", Served::Shared);
    for case in each(Policy::new()).await {
        two(bounded_off, &case).await;
        assert_eq!(told().await, [LOADED, SHARED], "{}", case.kind);
        case.cache
            .evict(cache_runtime::Evict::all())
            .await
            .expect("confirmed");
        two(off, &case).await;
        assert_eq!(told().await, [LOADED, LOADED], "{}", case.kind);
        case.cache
            .evict(cache_runtime::Evict::all())
            .await
            .expect("confirmed");
        // The load that follows the wait is this call's own.
        two(waiting, &case).await;
        assert_eq!(told().await, [LOADED, LOADED], "{}", case.kind);
    }
}

site!(bounded_off -> u64, ttl = "10s", on_hit = hit, on_miss = miss);

#[cache_put(key = "a", ttl = "10s", cache = desk.cache)]
async fn write(desk: Desk) -> Result<u64, Failed> {
    Ok(desk.origin.answer().await?)
}

// Row: #[cache_put], Cache::put: on_hit, on_miss
#[tokio::test(start_paused = true)]
async fn a_put_is_told_to_neither() {
    for case in each(Policy::new()).await {
        write(case.desk()).await.expect("it answers");
        assert_eq!(told().await, [], "{}", case.kind);
        assert_eq!(all(case.desk()).await, Ok(0));
        assert_eq!(told().await, [("hit", Served::Memory)], "{}", case.kind);
    }
}
