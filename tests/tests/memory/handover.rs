//! A load that ends without a value: who takes over, who gets the error, and that nothing is left behind.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Key, Policy, Served, cacheable, traced};
use serde::{Deserialize, Serialize};
use tests::caches::{assert_nothing_left, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;

/// Enough that a leak or a lost wake-up per waiter would show.
const WAITERS: usize = 400;

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: Arc<Origin>, id: u64) -> u64 {
    id * 1_000 + origin.run().await
}

/// The first run panics.
#[cacheable(key = "fragile", ttl = "1h")]
async fn fragile(origin: Arc<Origin>) -> u64 {
    let run = origin.run().await;
    assert!(run > 1, "the first run panics");
    run
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cloneable(u64);

/// What most errors are: not `Clone`.
#[derive(Debug, PartialEq, Eq)]
struct Unique(u64);

impl fmt::Display for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} failed", self.0)
    }
}

#[cacheable(key = "cloneable", ttl = "1h")]
async fn cloneable(origin: Arc<Origin>) -> Result<u64, Cloneable> {
    Err(Cloneable(origin.run().await))
}

#[cacheable(key = "unique", ttl = "1h")]
async fn unique(origin: Arc<Origin>) -> Result<u64, Unique> {
    Err(Unique(origin.run().await))
}

#[cacheable(key = "recovering", ttl = "1h")]
async fn recovering(origin: Arc<Origin>) -> Result<u64, Unique> {
    match origin.run().await {
        1 => Err(Unique(1)),
        run => Ok(run),
    }
}

#[cacheable(key = "made", ttl = "1h", share_errors = |error| Unique(error.0 + 100))]
async fn made(origin: Arc<Origin>) -> Result<u64, Unique> {
    Err(Unique(origin.run().await))
}

#[cacheable(key = "unshared", ttl = "1h", share_errors = false)]
async fn unshared(origin: Arc<Origin>) -> Result<u64, Cloneable> {
    Err(Cloneable(origin.run().await))
}

/// The first one panics when it is dropped, once the test says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bomb {
    run: u64,
    #[serde(skip)]
    armed: Arc<AtomicBool>,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(
            self.run > 1 || !self.armed.swap(false, Ordering::SeqCst),
            "on purpose"
        );
    }
}

#[cacheable(key = "bomb", ttl = "1s", wait_timeout = "1h")]
async fn bomb(origin: Arc<Origin>, armed: Arc<AtomicBool>) -> Bomb {
    let run = origin.run().await;
    Bomb { run, armed }
}

macro_rules! calls {
    ($cache:expr, $origin:expr, $function:ident $(, $argument:expr)*) => {{
        let (cache, origin) = ($cache.clone(), Arc::clone(&$origin));
        move |_| {
            let (cache, origin) = (cache.clone(), Arc::clone(&origin));
            async move { cache.as_current($function(origin $(, $argument)*)).await }
        }
    }};
}

#[tokio::test(start_paused = true)]
async fn waiter_takes_over_when_leader_is_dropped() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(WAITERS + 1, calls!(cache, origin, product, 7)).await;
    assert_eq!(origin.runs(), 1);
    crowd.hang_up(0);
    origin.reached(2).await;
    assert_eq!(crowd.waiting(), WAITERS);
    origin.open_gate();
    assert_eq!(crowd.answers().await, vec![7_002; WAITERS]);
    assert_eq!((origin.runs(), origin.most_at_once()), (2, 1));
    assert_eq!(cache.stats().total.loads, 2);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn one_leader_after_the_other_is_dropped_and_the_last_caller_still_answers() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(20, calls!(cache, origin, product, 7)).await;
    // Whoever takes over is not known beforehand, so everybody but the last hangs up, in order.
    for number in 0..19 {
        crowd.hang_up(number);
        tokio::task::yield_now().await;
    }
    origin.open_gate();
    let answers = crowd.answers().await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0] / 1_000, 7);
    assert_eq!(origin.most_at_once(), 1);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn everybody_hangs_up_and_nothing_is_left_or_stored() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(WAITERS, calls!(cache, origin, product, 7)).await;
    drop(crowd);
    tokio::task::yield_now().await;
    assert_nothing_left(&cache);
    assert_eq!(cache.get::<u64>(&Key::new("product:7")).await, None);
    origin.open_gate();
    let runs = origin.runs();
    let next = cache
        .as_current(traced(product(Arc::clone(&origin), 7)))
        .await;
    assert_eq!(next, (7_000 + runs + 1, Some(Served::Loaded)));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_hangs_up_disturbs_nobody() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(100, calls!(cache, origin, product, 7)).await;
    for number in 50..100 {
        crowd.hang_up(number);
    }
    origin.open_gate();
    assert_eq!(crowd.answers().await, vec![7_001; 50]);
    assert_eq!(origin.runs(), 1);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn waiter_takes_over_when_leader_panics() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(WAITERS + 1, calls!(cache, origin, fragile)).await;
    origin.open_gate();
    let answers = crowd.answers().await;
    assert_eq!(
        answers,
        vec![2; WAITERS],
        "only the leader is lost with its panic"
    );
    assert_eq!(origin.runs(), 2);
    assert_eq!(
        cache.as_current(traced(fragile(origin))).await,
        (2, Some(Served::Memory))
    );
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn waiters_share_a_cloneable_error_and_it_is_not_cached() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(WAITERS + 1, calls!(cache, origin, cloneable)).await;
    origin.open_gate();
    assert_eq!(crowd.answers().await, vec![Err(Cloneable(1)); WAITERS + 1]);
    assert_eq!(origin.runs(), 1);
    let stats = cache.stats().total;
    assert_eq!(
        (stats.loads, stats.load_errors, stats.shared),
        (1, 1, WAITERS as u64)
    );
    assert_eq!(
        cache.as_current(cloneable(Arc::clone(&origin))).await,
        Err(Cloneable(2))
    );
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn waiters_run_the_origin_four_at_a_time_where_an_error_cannot_be_shared() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(WAITERS + 1, calls!(cache, origin, unique)).await;
    assert_eq!(origin.runs(), 1);
    let mut ended = 1;
    origin.let_through(1);
    while ended < WAITERS as u64 + 1 {
        // All who may be inside are, before anyone is let through.
        let inside = (WAITERS as u64 + 1 - ended).min(4);
        origin.reached(ended + inside).await;
        assert_eq!(origin.runs(), ended + inside);
        origin.let_through(1);
        ended += 1;
    }
    let mut runs: Vec<u64> = crowd
        .answers()
        .await
        .into_iter()
        .map(|answer| answer.unwrap_err().0)
        .collect();
    runs.sort_unstable();
    assert_eq!(
        runs,
        (1..=WAITERS as u64 + 1).collect::<Vec<_>>(),
        "each has an error of its own"
    );
    assert_eq!(origin.most_at_once(), 4);
    assert_eq!(cache.stats().total.load_errors, WAITERS as u64 + 1);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn the_first_waiter_to_succeed_answers_the_others() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(WAITERS + 1, calls!(cache, origin, recovering)).await;
    origin.open_gate();
    let answers = crowd.answers().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
    assert_eq!(
        answers.iter().filter(|answer| answer.is_ok()).count(),
        WAITERS
    );
    assert!(
        origin.runs() <= 6,
        "{} runs: those who had their turn before the value was there",
        origin.runs()
    );
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn share_errors_makes_one_error_from_the_leaders_for_each_waiter() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(WAITERS + 1, calls!(cache, origin, made)).await;
    origin.open_gate();
    let answers = crowd.answers().await;
    assert_eq!(origin.runs(), 1);
    assert_eq!(answers[0], Err(Unique(1)), "the leader keeps its own");
    // Made once from the leader's, and once more for each waiter.
    assert!(
        answers[1..]
            .iter()
            .all(|answer| *answer == Err(Unique(201)))
    );
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn share_errors_off_lets_each_waiter_see_for_itself() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(21, calls!(cache, origin, unshared)).await;
    origin.open_gate();
    assert_eq!(crowd.answers().await.len(), 21);
    assert_eq!(origin.runs(), 21);
    assert!(origin.most_at_once() <= 4);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_in_the_queue_may_hang_up() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(12, calls!(cache, origin, unique)).await;
    origin.let_through(1);
    origin.reached(5).await;
    for number in 1..12 {
        crowd.hang_up(number);
    }
    assert_eq!(crowd.answers().await, [Err(Unique(1))]);
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn a_failing_programmatic_load_hands_over_to_the_waiters_own_loaders() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let load = |cache: Cache, origin: Arc<Origin>, number: usize| async move {
        let load = || async move {
            let run = origin.run().await;
            if number == 0 {
                Err(Unique(run))
            } else {
                Ok(run)
            }
        };
        cache
            .try_get_or_load(&Key::new("own loaders"), &Policy::new(), load)
            .await
    };
    let crowd = Crowd::of(10, |number| {
        load(cache.clone(), Arc::clone(&origin), number)
    })
    .await;
    origin.open_gate();
    let answers = crowd.answers().await;
    assert_eq!(answers[0], Err(Unique(1)));
    assert!(answers[1..].iter().all(Result::is_ok));
    assert_nothing_left(&cache);
}

#[tokio::test(start_paused = true)]
async fn waiters_are_answered_though_the_value_they_replace_panics_when_it_is_dropped() {
    let ((cache, clock), origin) = (on_manual_clock(), Origin::closed());
    let armed = Arc::new(AtomicBool::new(false));
    origin.let_through(1);
    let call = |_| {
        let (cache, load) = (cache.clone(), bomb(Arc::clone(&origin), Arc::clone(&armed)));
        async move { cache.as_current(load).await }
    };
    assert_eq!(call(0).await.run, 1);
    clock.advance(Duration::from_secs(1));
    let crowd = Crowd::of(10, call).await;
    armed.store(true, Ordering::SeqCst);
    origin.open_gate();
    let answers = crowd.answers().await;
    assert!(!armed.load(Ordering::SeqCst), "the old value was dropped");
    assert!(answers.len() >= 9 && answers.iter().all(|bomb| bomb.run == 2));
    assert_eq!(origin.runs(), 2);
    assert_nothing_left(&cache);
}
