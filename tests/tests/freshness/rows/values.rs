//! A `None`.

use std::cell::RefCell;

use cache_runtime::{Event, Policy, Served, Why, cacheable, refresh, traced};

use crate::case::{Failed, NOTHING, each, pass, site};
use crate::origin::{SECOND, Way, settle};

const MEMORY: Option<Served> = Some(Served::Memory);
const LOADED: Option<Served> = Some(Served::Loaded);

const fn stale(why: Why) -> Option<Served> {
    Some(Served::Stale(why))
}

site!(kept -> Option<u64>, ttl = "10s", negative_ttl = "4s", background_refresh = 0.5);
site!(not_kept -> Option<u64>, ttl = "10s", background_refresh = 0.5);

// Row: A None: background_refresh, early_refresh, refresh_every
#[tokio::test(start_paused = true)]
async fn a_none_is_refreshed_by_its_own_life_and_replaces_or_removes() {
    for case in each(Policy::new()).await {
        case.origin.becomes(NOTHING);
        let ask = async || traced(kept(case.desk())).await;
        assert_eq!(ask().await, (Ok(None), LOADED));
        pass(2.5).await;
        case.origin.becomes(1);
        assert_eq!(ask().await, (Ok(None), MEMORY));
        settle().await;
        assert_eq!(ask().await, (Ok(Some(1)), MEMORY), "{}", case.kind);
        case.origin.becomes(NOTHING);
        pass(6.0).await;
        assert_eq!(ask().await, (Ok(Some(1)), MEMORY));
        settle().await;
        assert_eq!(ask().await, (Ok(None), MEMORY), "{}", case.kind);
        case.loads(3);
    }
    for case in each(Policy::new()).await {
        let ask = async || traced(not_kept(case.desk())).await;
        assert_eq!(ask().await, (Ok(Some(0)), LOADED));
        case.origin.becomes(NOTHING);
        pass(6.0).await;
        assert_eq!(ask().await, (Ok(Some(0)), MEMORY));
        settle().await;
        assert_eq!(ask().await, (Ok(None), LOADED), "{}", case.kind);
        case.loads(3);
    }
}

site!(windows -> Option<u64>, ttl = "10s", negative_ttl = "4s", stale_while_revalidate = "5s", stale_if_error = "20s", retry_after = "2s");
site!(no_windows_for_none -> Option<u64>, ttl = "10s", stale_if_error = "20s", retry_after = "2s");

// Row: A None: stale_while_revalidate, stale_if_error
// Row: A None: retry_after
#[tokio::test(start_paused = true)]
async fn a_stale_none_is_served_and_one_that_is_found_is_no_failure() {
    for case in each(Policy::new()).await {
        case.origin.becomes(NOTHING);
        let ask = async || traced(windows(case.desk())).await;
        assert_eq!(ask().await, (Ok(None), LOADED));
        case.origin.goes(Way::Fails);
        pass(6.0).await;
        assert_eq!(ask().await, (Ok(None), stale(Why::Revalidating)));
        pass(5.0).await;
        assert_eq!(ask().await, (Ok(None), stale(Why::Failed)), "{}", case.kind);
        assert_eq!(ask().await, (Ok(None), stale(Why::Throttled)));
        // It ends a pause: the origin has answered.
        case.origin.goes(Way::Answers);
        assert_eq!(refresh(ask()).await, (Ok(None), LOADED));
        case.cache
            .expire(cache_runtime::Evict::all())
            .await
            .expect("it is confirmed");
        let loads = case.origin.loads();
        ask().await.0.expect("it is there");
        settle().await;
        case.loads(loads + 1);
    }
    for case in each(Policy::new()).await {
        let ask = async || traced(no_windows_for_none(case.desk())).await;
        assert_eq!(ask().await, (Ok(Some(0)), LOADED));
        case.origin.becomes(NOTHING);
        pass(12.0).await;
        assert_eq!(ask().await, (Ok(None), LOADED), "{}", case.kind);
        case.origin.goes(Way::Fails);
        assert_eq!(ask().await.0, Err(Failed::Down), "{}: gone", case.kind);
    }
}

site!(late -> Option<u64>, ttl = "10s", negative_ttl = "30s", stale_if_error = "20s", soft_timeout = "300ms");
site!(late_unkept -> Option<u64>, ttl = "10s", stale_if_error = "20s", soft_timeout = "300ms");

// Row: A None: soft_timeout, hard_timeout
#[tokio::test(start_paused = true)]
async fn a_load_that_ends_late_with_none_stores_it_or_removes_what_is_stored() {
    for case in each(Policy::new()).await {
        let ask = async || traced(late(case.desk())).await;
        ask().await.0.expect("it answers");
        case.origin.becomes(NOTHING);
        case.origin.takes(SECOND);
        pass(12.0).await;
        assert_eq!(ask().await, (Ok(Some(0)), stale(Why::SoftTimeout)));
        pass(1.0).await;
        assert_eq!(ask().await, (Ok(None), MEMORY), "{}", case.kind);
    }
    for case in each(Policy::new()).await {
        let ask = async || traced(late_unkept(case.desk())).await;
        ask().await.0.expect("it answers");
        case.origin.becomes(NOTHING);
        case.origin.takes(SECOND);
        pass(12.0).await;
        assert_eq!(ask().await, (Ok(Some(0)), stale(Why::SoftTimeout)));
        pass(1.0).await;
        case.origin.goes(Way::Fails);
        assert_eq!(ask().await.0, Err(Failed::Down), "{}", case.kind);
    }
}

site!(checked -> Option<u64>, ttl = "60s", negative_ttl = "60s", consistency_check = 1.0);
site!(checked_unkept -> Option<u64>, ttl = "60s", consistency_check = 1.0);

// Row: A None: consistency_check
#[tokio::test(start_paused = true)]
async fn a_none_and_a_value_differ() {
    for negative in [true, false] {
        for case in each(Policy::new()).await {
            let ask = async || match negative {
                true => checked(case.desk()).await,
                false => checked_unkept(case.desk()).await,
            };
            assert_eq!(ask().await, Ok(Some(0)));
            case.origin.becomes(NOTHING);
            assert_eq!(ask().await, Ok(Some(0)));
            pass(1.0).await;
            let stats = case.cache.stats().total;
            assert_eq!(
                stats.consistency_differences, 1,
                "{}, {negative}",
                case.kind
            );
            assert_eq!(ask().await, Ok(None), "{}", case.kind);
        }
    }
}

thread_local! {
    static TOLD: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn hit(_: &Event) {
    TOLD.with_borrow_mut(|told| told.push("hit"));
}

fn miss(_: &Event) {
    TOLD.with_borrow_mut(|told| told.push("miss"));
}

async fn told() -> Vec<&'static str> {
    settle().await;
    TOLD.with_borrow_mut(std::mem::take)
}

site!(told_kept -> Option<u64>, ttl = "60s", negative_ttl = "60s", on_hit = hit, on_miss = miss);
site!(told_unkept -> Option<u64>, ttl = "60s", on_hit = hit, on_miss = miss);
site!(told_refused -> u64, ttl = "60s", unless = is_odd, on_hit = hit, on_miss = miss);

// Row: A None: on_hit, on_miss
// Row: unless says true: on_hit, on_miss
#[tokio::test(start_paused = true)]
async fn a_stored_none_is_a_hit_and_what_is_not_stored_a_miss() {
    for case in each(Policy::new()).await {
        case.origin.becomes(NOTHING);
        for _ in 0..2 {
            told_unkept(case.desk()).await.expect("it answers");
        }
        assert_eq!(told().await, ["miss", "miss"], "{}", case.kind);
        for _ in 0..2 {
            told_kept(case.desk()).await.expect("it answers");
        }
        assert_eq!(told().await, ["miss", "hit"], "{}", case.kind);
        case.cache
            .evict(cache_runtime::Evict::all())
            .await
            .expect("it is confirmed");
        case.origin.becomes(1);
        for _ in 0..2 {
            told_refused(case.desk()).await.expect("it answers");
        }
        assert_eq!(told().await, ["miss", "miss"], "{}", case.kind);
    }
}

fn is_odd(value: &u64) -> bool {
    value % 2 == 1
}
