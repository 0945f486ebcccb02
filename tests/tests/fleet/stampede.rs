//! One load per key in a whole fleet, and nobody stuck, whatever becomes of the one who loads.

use std::time::{Duration, Instant};

use tests::scenarios::Function::{Product, ProductOrAlone};
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::key;
use tests::scenarios::origin::End;
use tests::scenarios::{Answers, Function};

/// Waiters in each of four workers.
const EACH: usize = 100;

/// Longer than a lease, with room for a busy machine; far shorter than the waiters' own patience of a minute.
const A_LEASE_AND_MORE: Duration = Duration::from_secs(20);

/// A leader in worker 0 whose load is held, then 400 who wait for it: in workers `0..4`, or `1..5` beside the leader's.
struct Led {
    crew: Crew,
    first_waiting: usize,
}

impl Led {
    async fn with_waiters_from(first_waiting: usize) -> Led {
        let crew = Crew::of(first_waiting + 4).await;
        crew.origin.hold(1);
        Led {
            crew,
            first_waiting,
        }
    }

    /// Runs leader and waiters; `trouble` happens when all of them wait. Answers of the leader, and of the waiters.
    async fn run(
        &self,
        function: Function,
        trouble: impl AsyncFnOnce(&Crew),
    ) -> (Option<Answers>, Answers) {
        let crew = &self.crew;
        let from = self.first_waiting;
        let lead = async {
            // A killed worker does not answer; every other one does.
            let lead = crew.request("leader", function, 1);
            let answer = crew
                .worker(0)
                .ask("call", serde_json::json!(lead))
                .await
                .ok()?;
            serde_json::from_value(answer).ok()
        };
        let wait = async {
            crew.origin.begun(&key(7), 1).await;
            let all = async |worker| {
                crew.origin.begun(&key(7), 1).await;
                crew.call(worker, "waiters", function, EACH).await
            };
            let together = tokio::join!(all(from), all(from + 1), all(from + 2), all(from + 3));
            together.0.and(together.1).and(together.2).and(together.3)
        };
        let trouble = async {
            for worker in from..from + 4 {
                crew.waiting(worker, "waiters").await;
            }
            trouble(crew).await;
        };
        let (leader, waiters, ()) = tokio::join!(lead, wait, trouble);
        (leader, waiters)
    }
}

fn all_got(value: u64, answers: &Answers) {
    assert_eq!(answers.values.get(&value), Some(&(4 * EACH)), "{answers:?}");
    assert_eq!(answers.len(), 4 * EACH, "{answers:?}");
}

#[tokio::test]
async fn four_hundred_callers_in_four_processes_share_one_load() {
    let crew = Crew::of(4).await;
    crew.origin.delay(Duration::from_millis(50));
    let call = |worker| crew.call(worker, "callers", Product, EACH);
    let (a, b, c, d) = tokio::join!(call(0), call(1), call(2), call(3));
    all_got(1, &a.and(b).and(c).and(d));
    assert_eq!(crew.origin.loads(&key(7)), 1);
    assert_eq!(crew.figures("loads").await, 1);
    assert_eq!(crew.figures("wait_timeouts").await, 0);
    crew.nothing_is_left(0..4).await;
}

#[tokio::test]
async fn waiter_takes_over_when_leader_is_dropped() {
    let led = Led::with_waiters_from(0).await;
    let hang_up = async |crew: &Crew| {
        crew.origin.commit(&key(7));
        crew.worker(0)
            .ask("hang_up", "leader".into())
            .await
            .expect("it hangs up");
    };
    let (leader, waiters) = led.run(Product, hang_up).await;
    assert_eq!(leader.expect("its worker lives").dropped, 1);
    all_got(2, &waiters);
    assert_eq!(led.crew.origin.loads(&key(7)), 2);
    led.crew.nothing_is_left(0..4).await;
}

#[tokio::test]
async fn waiter_takes_over_when_leader_panics() {
    let led = Led::with_waiters_from(0).await;
    let panic = async |crew: &Crew| {
        crew.origin.commit(&key(7));
        crew.origin.release(End::Panic);
    };
    let (leader, waiters) = led.run(Product, panic).await;
    assert_eq!(leader.expect("its worker lives").panics, 1);
    all_got(2, &waiters);
    assert_eq!(led.crew.origin.loads(&key(7)), 2);
    led.crew.nothing_is_left(0..4).await;
}

#[tokio::test]
async fn failing_leader_shares_its_error_in_its_process_and_the_others_load_once() {
    let led = Led::with_waiters_from(0).await;
    let fail = async |crew: &Crew| crew.origin.release(End::Fail);
    let (leader, waiters) = led.run(Product, fail).await;
    assert_eq!(leader.expect("its worker lives").errors, 1);
    assert_eq!(
        waiters.errors, EACH,
        "those beside the leader share its error: {waiters:?}"
    );
    assert_eq!(waiters.values.get(&1), Some(&(3 * EACH)), "{waiters:?}");
    assert_eq!(led.crew.origin.loads(&key(7)), 2);
    led.crew.nothing_is_left(0..4).await;
}

#[tokio::test]
async fn failing_leader_whose_error_cannot_be_shared_leaves_nobody_without_an_answer() {
    let led = Led::with_waiters_from(0).await;
    led.crew.origin.delay(Duration::from_millis(5));
    let fail = async |crew: &Crew| crew.origin.release(End::Fail);
    let (leader, waiters) = led.run(ProductOrAlone, fail).await;
    assert_eq!(leader.expect("its worker lives").errors, 1);
    all_got(1, &waiters);
    // Each waiter of the leader's process may see for itself, the other processes load once.
    let (loads, most) = (
        led.crew.origin.loads(&key(7)),
        led.crew.origin.most_at_once(),
    );
    assert!(loads <= 1 + EACH as u64 + 1, "{loads} loads");
    assert!(
        most <= 4 + 1,
        "{most} loads at once: four for the process whose leader failed, one for the fleet"
    );
    led.crew.nothing_is_left(0..4).await;
}

#[tokio::test]
async fn killed_leader_is_replaced_within_a_lease() {
    let led = Led::with_waiters_from(1).await;
    let started = Instant::now();
    let kill = async |crew: &Crew| {
        crew.origin.commit(&key(7));
        crew.worker(0).kill().await;
        crew.origin.begun(&key(7), 2).await;
    };
    let (leader, waiters) = led.run(Product, kill).await;
    assert_eq!(leader, None, "its worker is dead");
    all_got(2, &waiters);
    assert!(
        started.elapsed() < A_LEASE_AND_MORE,
        "{:?}",
        started.elapsed()
    );
    assert_eq!(led.crew.origin.loads(&key(7)), 2);
    led.crew.nothing_is_left(1..5).await;
}

#[tokio::test]
async fn leader_paused_past_its_lease_is_replaced_and_its_store_refused() {
    let led = Led::with_waiters_from(1).await;
    let started = Instant::now();
    let pause = async |crew: &Crew| {
        crew.origin.commit(&key(7));
        crew.worker(0).stop();
        crew.origin.begun(&key(7), 2).await;
        assert!(
            started.elapsed() < A_LEASE_AND_MORE,
            "{:?}",
            started.elapsed()
        );
        tests::eventually::holds("the second leader has stored", async || {
            crew.in_redis().await
        })
        .await;
        crew.worker(0).cont();
        crew.origin.release(End::Value);
    };
    let (leader, waiters) = led.run(Product, pause).await;
    assert_eq!(
        leader
            .expect("it goes on")
            .values
            .into_keys()
            .collect::<Vec<_>>(),
        [1]
    );
    all_got(2, &waiters);
    let crew = &led.crew;
    assert_eq!(crew.figure(0, "refused_stores").await, 1);
    assert!(
        !crew.in_memory(0).await,
        "what was refused is not in memory either"
    );
    assert_eq!(
        crew.product(0).await,
        (2, "Redis".to_owned()),
        "Redis has the second leader's value"
    );
    assert_eq!(crew.origin.loads(&key(7)), 2);
    crew.nothing_is_left(0..5).await;
}
