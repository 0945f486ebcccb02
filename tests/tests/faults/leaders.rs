//! One load per key in a whole fleet, and nobody stuck, whatever becomes of the one who loads.

use std::task::Poll;
use std::time::{Duration, Instant};

use cache_runtime::testing::{Leftovers, leftovers};
use tests::scenarios::Function::{Product, ProductOrAlone};
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::{key, product};
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{ask, process};
use tests::scenarios::{Answers, Function};
use tests::server::RedisServer;

use crate::kit::{ROOM, in_form, measured, short};

/// Waiters in each of four workers.
const EACH: usize = 100;

/// A lease, and until waiters look again; far shorter than their own patience of a minute.
const A_LEASE_AND_MORE: Duration = Duration::from_millis(3_500).saturating_add(ROOM);

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
async fn fault_37_leader_dropped() {
    let led = Led::with_waiters_from(0).await;
    let mut took = Duration::ZERO;
    let hang_up = async |crew: &Crew| {
        crew.origin.commit(&key(7));
        let dropped = Instant::now();
        crew.worker(0)
            .ask("hang_up", "leader".into())
            .await
            .expect("it hangs up");
        crew.origin.begun(&key(7), 2).await;
        took = dropped.elapsed();
    };
    let (leader, waiters) = led.run(Product, hang_up).await;
    assert_eq!(leader.expect("its worker lives").dropped, 1);
    all_got(2, &waiters);
    assert_eq!(led.crew.origin.loads(&key(7)), 2);
    led.crew.nothing_is_left(0..4).await;
    assert!(took < Duration::from_secs(1), "a lease is 3 s: {took:?}");
    measured(
        37,
        format_args!("a waiter of 400 takes over after {}", short(took)),
    );
}

/// Polls a call so often, then drops it; whether it was over before.
async fn polled<T>(call: impl Future<Output = T>, polls: usize) -> bool {
    let (mut call, mut left) = (Box::pin(call), polls);
    std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match call.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            // Nothing wakes it after the last of its polls.
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn fault_37_leader_dropped_at_every_await() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other) = (process(&server).await, process(&server).await);
    let (source, mut ids, mut dropped) = (origin.source(), 0.., 0_u64);
    let mut latest = Duration::ZERO;
    for _ in 0..in_form(50, 5) {
        for polls in 1.. {
            let id = ids.next().expect("there are many");
            let call = one.as_current(product(&source, id));
            let over = polled(call, polls).await;
            let begun = Instant::now();
            for node in [&one, &other] {
                assert_eq!(ask(node, &source, id).await.0, 1);
            }
            latest = latest.max(begun.elapsed());
            if over {
                break;
            }
            dropped += 1;
        }
    }
    assert!(
        latest < Duration::from_secs(2),
        "a lease is 3 s: {latest:?}"
    );
    assert_eq!(leftovers(&one), Leftovers::default());
    tests::eventually::holds("no lease stays", async || {
        server.cli(&["KEYS", "*:lease"]).await.list().is_empty()
    })
    .await;
    measured(
        37,
        format_args!(
            "{dropped} leaders dropped at every await: the next two calls answered within {}; 0 leases left",
            short(latest)
        ),
    );
}

#[tokio::test]
async fn fault_38_leader_panics() {
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
    measured(38, "1 panic, 400 waiters answered by 1 more load");
}

#[tokio::test]
async fn fault_39_leader_fails() {
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
    measured(
        39,
        "100 waiters beside it share the error, 300 elsewhere 1 more load",
    );
}

#[tokio::test]
async fn fault_39_leader_fails_with_an_error_that_cannot_be_shared() {
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
    measured(
        39,
        format_args!("not to be shared: 400 waiters answered by {loads} loads, {most} at once"),
    );
}

#[tokio::test]
async fn fault_40_leader_killed() {
    let led = Led::with_waiters_from(1).await;
    let mut took = Duration::ZERO;
    let kill = async |crew: &Crew| {
        crew.origin.commit(&key(7));
        let killed = Instant::now();
        crew.worker(0).kill().await;
        crew.origin.begun(&key(7), 2).await;
        took = killed.elapsed();
    };
    let (leader, waiters) = led.run(Product, kill).await;
    assert_eq!(leader, None, "its worker is dead");
    all_got(2, &waiters);
    assert!(took < A_LEASE_AND_MORE, "{took:?}");
    assert_eq!(led.crew.origin.loads(&key(7)), 2);
    led.crew.nothing_is_left(1..5).await;
    measured(
        40,
        format_args!("another process loads {} after the kill", short(took)),
    );
}

#[tokio::test]
async fn fault_41_leader_stopped_past_its_lease() {
    let led = Led::with_waiters_from(1).await;
    let mut took = Duration::ZERO;
    let pause = async |crew: &Crew| {
        crew.origin.commit(&key(7));
        let stopped = Instant::now();
        crew.worker(0).stop();
        crew.origin.begun(&key(7), 2).await;
        took = stopped.elapsed();
        assert!(took < A_LEASE_AND_MORE, "{took:?}");
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
    measured(
        41,
        format_args!(
            "a second leader {} after the stop; 1 store refused",
            short(took)
        ),
    );
}
