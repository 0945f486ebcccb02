//! Puts.

use cache_runtime::{Key, Policy, Served, Why, cache_put, cacheable, traced};

use crate::case::{Case, Desk, Failed, each, pass, site};
use crate::origin::{MILLI, SECOND, Way, settle};

const FAILED: Served = Served::Stale(Why::Failed);
const THROTTLED: Served = Served::Stale(Why::Throttled);

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

async fn put(case: &Case, policy: &Policy) {
    let put = case.cache.put(&Key::new("a"), 7_u64, policy).await;
    put.expect("it is stored");
}

// Row: #[cache_put], Cache::put: background_refresh
// Row: #[cache_put], Cache::put: early_refresh
// Row: #[cache_put], Cache::put: refresh_every
// Row: #[cache_put], Cache::put: consistency_check
#[tokio::test(start_paused = true)]
async fn a_put_gives_a_life_of_its_own_without_a_load_time() {
    for case in each(policy().background_refresh(0.5)).await {
        case.begin().await;
        case.origin.takes(SECOND);
        pass(6.0).await;
        case.ask().await.0.expect("it is there");
        settle().await;
        // It breaks the refresh, and has a longer life than the reader says.
        put(&case, &Policy::new().ttl(30 * SECOND)).await;
        pass(14.0).await;
        case.is(case.ask().await, Ok(7), Served::Memory);
        settle().await;
        case.loads(2);
        pass(1.5).await;
        case.is(case.ask().await, Ok(7), Served::Memory);
        settle().await;
        case.loads(3);
    }
    for case in each(policy().early_refresh(1e6)).await {
        put(&case, &policy()).await;
        for _ in 0..9 {
            case.is(case.ask().await, Ok(7), Served::Memory);
            pass(1.0).await;
        }
        case.loads(0);
    }
    for case in each(policy().refresh_every(6 * SECOND)).await {
        case.begin().await;
        pass(4.0).await;
        put(&case, &policy()).await;
        pass(5.0).await;
        case.loads(1);
        pass(1.5).await;
        case.loads(2);
    }
    for case in each(policy().consistency_check(1.0)).await {
        put(&case, &policy()).await;
        case.is(case.ask().await, Ok(7), Served::Memory);
        pass(1.0).await;
        assert_eq!(case.cache.stats().total.consistency_differences, 1);
        case.is(case.ask().await, Ok(0), Served::Loaded);
    }
}

#[cache_put(key = "a", ttl = "10s", jitter = 0.0, cache = desk.cache, stale_if_error = "5s", unless = |value| *value == 13)]
async fn write(desk: Desk, value: u64) -> Result<u64, Failed> {
    tokio::time::sleep(SECOND).await;
    let _ = &desk;
    Ok(value)
}

site!(reader -> u64, ttl = "10s", stale_while_revalidate = "60s", retry_after = "3s");
site!(hidden -> u64, ttl = "10s", stale_if_error = "60s", retry_after = "30s");
site!(soft -> u64, ttl = "10s", stale_if_error = "60s", soft_timeout = "300ms", wait_timeout = "5s");

// Row: #[cache_put], Cache::put: stale_while_revalidate, stale_if_error
#[tokio::test(start_paused = true)]
async fn a_put_names_the_windows_and_while_it_runs_no_refresh_begins() {
    for case in each(Policy::new()).await {
        write(case.desk(), 7).await.expect("it answers");
        case.origin.goes(Way::Fails);
        pass(13.0).await;
        let answer = traced(hidden(case.desk())).await;
        assert_eq!(answer, (Ok(7), Some(FAILED)), "{}", case.kind);
        pass(3.0).await;
        assert_eq!(
            hidden(case.desk()).await,
            Err(Failed::Down),
            "{}",
            case.kind
        );
    }
    for case in each(Policy::new()).await {
        assert_eq!(reader(case.desk()).await, Ok(0));
        pass(12.0).await;
        let (_, ()) = tokio::join!(write(case.desk(), 7), async {
            for _ in 0..5 {
                pass(0.1).await;
                let answer = traced(reader(case.desk())).await;
                let revalidating = Some(Served::Stale(Why::Revalidating));
                assert_eq!(answer, (Ok(0), revalidating), "{}", case.kind);
            }
        });
        case.loads(1);
        assert_eq!(reader(case.desk()).await, Ok(7), "{}", case.kind);
    }
}

// Row: #[cache_put], Cache::put: retry_after
// Row: #[cache_put], Cache::put: soft_timeout, hard_timeout
#[tokio::test(start_paused = true)]
async fn a_put_ends_the_pause_and_a_load_beside_it_is_not_stored() {
    for (value, then) in [(7, Ok(7)), (13, Err(Failed::Down))] {
        for case in each(Policy::new()).await {
            assert_eq!(hidden(case.desk()).await, Ok(0));
            case.origin.goes(Way::Fails);
            pass(12.0).await;
            assert_eq!(traced(hidden(case.desk())).await, (Ok(0), Some(FAILED)));
            assert_eq!(traced(hidden(case.desk())).await, (Ok(0), Some(THROTTLED)));
            write(case.desk(), value).await.expect("it answers");
            pass(11.0).await;
            let loads = case.origin.loads();
            assert_eq!(hidden(case.desk()).await, then, "{}", case.kind);
            // It tried.
            case.loads(loads + 1);
        }
    }
    for case in each(Policy::new()).await {
        assert_eq!(soft(case.desk()).await, Ok(0));
        case.origin.becomes(1);
        case.origin.takes(100 * MILLI);
        pass(12.0).await;
        let (_, answer) = tokio::join!(write(case.desk(), 7), async {
            pass(0.1).await;
            soft(case.desk()).await
        });
        assert_eq!(answer, Ok(1), "{}", case.kind);
        assert_eq!(soft(case.desk()).await, Ok(7), "{}", case.kind);
    }
}
