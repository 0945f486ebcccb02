//! An origin that fails slowly, for many callers whose error cannot be shared: few at it at a time, and nobody forgotten.
//!
//! Within `wait_timeout` waiters go four at a time; then one load is shared by all who are left; when that has failed as
//! well they go on in turns, and half a minute later at once.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Served, cacheable, traced};
use tests::caches::{assert_nothing_left, in_memory};
use tests::crowd::Crowd;
use tests::origin::Origin;
use tokio::time::{Instant, sleep};

const CALLERS: usize = 400;
const SECOND: Duration = Duration::from_secs(1);
/// Turns of four, and the shared load beside them.
const AT_ONCE: usize = 4 + 1;

#[derive(Debug)]
struct Unique;

#[cacheable(key = "slow", ttl = "1h", wait_timeout = "5s")]
async fn slow(origin: &Origin) -> Result<u64, Unique> {
    origin.run_for(SECOND).await;
    Err(Unique)
}

/// Fails until the sixth second has begun.
#[cacheable(key = "recovering", ttl = "1h", wait_timeout = "5s")]
async fn recovering(origin: &Origin, began: Instant) -> Result<u64, Unique> {
    let run = origin.run_for(SECOND).await;
    if began.elapsed() < 6 * SECOND {
        Err(Unique)
    } else {
        Ok(run)
    }
}

async fn callers<F>(
    cache: &Cache,
    call: impl Fn(Arc<Origin>) -> F,
) -> (Crowd<F::Output>, Arc<Origin>)
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let origin = Origin::open();
    let crowd = Crowd::of(CALLERS, |_| {
        let (cache, call) = (cache.clone(), call(Arc::clone(&origin)));
        async move { cache.as_current(call).await }
    })
    .await;
    (crowd, origin)
}

#[tokio::test(start_paused = true)]
async fn callers_of_an_origin_that_goes_on_failing_are_few_at_it_and_all_answered() {
    let cache = in_memory();
    let began = Instant::now();
    let call = |origin: Arc<Origin>| async move { slow(&origin).await };
    let (crowd, origin) = callers(&cache, call).await;
    sleep(30 * SECOND).await;
    assert!(
        origin.most_at_once() <= AT_ONCE,
        "{} at once",
        origin.most_at_once()
    );
    // The shared load takes a second in which nobody else begins.
    let turns = origin.runs();
    assert!(
        turns >= 4 * 27,
        "after the shared load they go on in turns: {turns} runs"
    );
    let answers = crowd.answers().await;
    assert_eq!(answers.len(), CALLERS);
    assert!(answers.iter().all(Result::is_err));
    assert!(
        began.elapsed() < 40 * SECOND,
        "nobody is held up any longer: {:?}",
        began.elapsed()
    );
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn the_load_shared_by_those_whose_turn_did_not_come_answers_them_all() {
    let cache = in_memory();
    let began = Instant::now();
    let call = move |origin: Arc<Origin>| async move { recovering(&origin, began).await };
    let (crowd, origin) = callers(&cache, call).await;
    let answers = crowd.answers().await;
    let answered = answers.iter().filter(|answer| answer.is_ok()).count();
    let failed = CALLERS - answered;
    assert!(
        (4..=4 * 5 + 1).contains(&failed),
        "those who had a turn before it recovered: {failed}"
    );
    assert!(
        origin.runs() <= 4 * 6 + 2 && origin.most_at_once() <= AT_ONCE,
        "{} runs, {} at once",
        origin.runs(),
        origin.most_at_once()
    );
    assert_nothing_left(&cache);
}

#[cacheable(key = "one key, two errors", ttl = "1h")]
async fn failing_with_a_number(origin: Arc<Origin>) -> Result<u64, u64> {
    Err(origin.run().await)
}

#[cacheable(key = "one key, two errors", ttl = "1h")]
async fn failing_with_a_text(origin: Arc<Origin>) -> Result<u64, String> {
    Ok(origin.run().await)
}

#[tokio::test]
async fn a_waiter_the_leaders_error_is_no_use_to_is_counted_as_the_load_it_makes() {
    let cache = in_memory();
    let origin = Origin::closed();
    let failing = {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        tokio::spawn(async move { cache.as_current(failing_with_a_number(origin)).await })
    };
    origin.reached(1).await;
    let crowd = Crowd::of(1, |_| {
        let (cache, origin) = (cache.clone(), Arc::clone(&origin));
        async move { cache.as_current(traced(failing_with_a_text(origin))).await }
    })
    .await;
    origin.open_gate();
    assert_eq!(failing.await.unwrap(), Err(1));
    assert_eq!(crowd.answers().await, [(Ok(2), Some(Served::Loaded))]);
    let total = cache.stats().total;
    assert_eq!((total.loads, total.shared, total.misses), (2, 0, 2));
    assert_nothing_left(&cache);
}
