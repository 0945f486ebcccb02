//! A ttl of zero, and a value that is refused.

use std::time::Duration;

use cache_runtime::{Policy, Served, Why, cacheable, traced};

use crate::case::{Failed, each, pass, site};
use crate::origin::{MILLI, SECOND, Way, settle};

const LOADED: Option<Served> = Some(Served::Loaded);

const fn stale(why: Why) -> Option<Served> {
    Some(Served::Stale(why))
}

fn life(value: &u64) -> Duration {
    if *value == 9 {
        Duration::ZERO
    } else {
        10 * SECOND
    }
}

site!(zero_background -> u64, ttl_from = life, background_refresh = 0.5);
site!(zero_revalidated -> u64, ttl_from = life, stale_while_revalidate = "20s");
site!(zero_timer -> u64, ttl_from = life, refresh_every = "8s", idle = "10s");

// Row: ttl_from says zero: background_refresh, early_refresh, stale_while_revalidate, refresh_every
#[tokio::test(start_paused = true)]
async fn a_refresh_whose_value_has_no_life_removes_the_old_one() {
    for (number, after) in [8.1, 8.1, 12.0].into_iter().enumerate() {
        for case in each(Policy::new()).await {
            let ask = async || match number {
                0 => zero_timer(case.desk()).await,
                1 => zero_background(case.desk()).await,
                _ => zero_revalidated(case.desk()).await,
            };
            assert_eq!(ask().await, Ok(0));
            case.origin.becomes(9);
            pass(after).await;
            if number > 0 {
                assert_eq!(ask().await, Ok(0), "{}, {number}", case.kind);
                settle().await;
            }
            case.loads(2);
            assert_eq!(ask().await, Ok(9), "{}, {number}", case.kind);
            case.loads(3);
        }
    }
}

site!(zero_hidden -> u64, ttl_from = life, stale_if_error = "20s", soft_timeout = "300ms");

// Row: ttl_from says zero: stale_if_error, retry_after
// Row: ttl_from says zero: soft_timeout, hard_timeout
#[tokio::test(start_paused = true)]
async fn a_value_without_a_life_is_an_answer_and_takes_the_stale_one_along() {
    for takes in [0, 1_000] {
        for case in each(Policy::new()).await {
            let ask = async || traced(zero_hidden(case.desk())).await;
            ask().await.0.expect("it answers");
            case.origin.becomes(9);
            case.origin.takes(takes * MILLI);
            pass(12.0).await;
            let answer = ask().await;
            if takes == 0 {
                assert_eq!(answer, (Ok(9), LOADED), "{}", case.kind);
            } else {
                assert_eq!(answer, (Ok(0), stale(Why::SoftTimeout)), "{}", case.kind);
                pass(1.0).await;
            }
            case.origin.goes(Way::Fails);
            assert_eq!(ask().await.0, Err(Failed::Down), "{}, {takes}", case.kind);
        }
    }
}

fn is_odd(value: &u64) -> bool {
    value % 2 == 1
}

site!(zero_checked -> u64, ttl_from = life, consistency_check = 1.0);
site!(refused_checked -> u64, ttl = "60s", unless = is_odd, consistency_check = 1.0);

// Row: ttl_from says zero: consistency_check
// Row: unless says true: consistency_check
#[tokio::test(start_paused = true)]
async fn what_would_not_be_stored_is_not_compared() {
    for case in each(Policy::new()).await {
        for (zero, value) in [(true, 9), (false, 1)] {
            case.origin.becomes(0);
            let ask = async || match zero {
                true => zero_checked(case.desk()).await,
                false => refused_checked(case.desk()).await,
            };
            case.cache
                .evict(cache_runtime::Evict::all())
                .await
                .expect("it is confirmed");
            assert_eq!(ask().await, Ok(0));
            case.origin.becomes(value);
            assert_eq!(ask().await, Ok(0));
            pass(1.0).await;
            assert_eq!(ask().await, Ok(0), "{}", case.kind);
            pass(1.0).await;
        }
        assert_eq!(
            case.cache.stats().total.consistency(),
            None,
            "{}",
            case.kind
        );
    }
}

site!(refused_revalidated -> u64, ttl = "10s", unless = is_odd, stale_while_revalidate = "20s", retry_after = "2s");
site!(refused_late -> u64, ttl = "10s", unless = is_odd, stale_if_error = "20s", soft_timeout = "300ms");

// Row: unless says true: stale_while_revalidate
// Row: unless says true: soft_timeout, hard_timeout
#[tokio::test(start_paused = true)]
async fn what_is_refused_leaves_the_stale_one_until_its_window_ends() {
    for case in each(Policy::new()).await {
        let ask = async || traced(refused_revalidated(case.desk())).await;
        ask().await.0.expect("it answers");
        case.origin.becomes(1);
        pass(12.0).await;
        for _ in 0..19 {
            assert_eq!(ask().await, (Ok(0), stale(Why::Revalidating)));
            tokio::time::sleep(100 * MILLI).await;
        }
        case.loads(2);
        pass(0.2).await;
        assert_eq!(ask().await.0, Ok(0));
        settle().await;
        case.loads(3);
        pass(18.0).await;
        assert_eq!(ask().await, (Ok(1), LOADED), "{}", case.kind);
    }
    for case in each(Policy::new()).await {
        let ask = async || traced(refused_late(case.desk())).await;
        ask().await.0.expect("it answers");
        case.origin.becomes(1);
        case.origin.takes(SECOND);
        pass(12.0).await;
        for _ in 0..2 {
            assert_eq!(
                ask().await,
                (Ok(0), stale(Why::SoftTimeout)),
                "{}",
                case.kind
            );
            pass(1.0).await;
        }
        case.loads(3);
    }
}
