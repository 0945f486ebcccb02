//! Waiting for another process's load: woken by a message, not by asking.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Served, cacheable, traced};
use tests::eventually;
use tests::origin::Origin;
use tests::scenarios::processes::{commands, process};
use tests::server::{Command, Monitor, RedisServer};
use tests::times::Times;
use tokio::task::JoinHandle;

/// So long a waiter listens before it asks by itself, in case that the message was lost.
const SILENCE: Duration = Duration::from_millis(500);
/// Far sooner than it would have asked.
const PUSHED: Duration = Duration::from_millis(300);

#[cacheable(key = "slow:{id}", stampede_protection, wait_timeout = "60s")]
async fn slow(origin: Arc<Origin>, id: u64) -> u64 {
    let _ = id;
    origin.run().await
}

type Answered = JoinHandle<(Instant, Option<Served>)>;

fn ask(cache: &Cache, origin: &Arc<Origin>, id: u64) -> Answered {
    let call = cache.as_current(traced(slow(Arc::clone(origin), id)));
    tokio::spawn(async move {
        let (_, served) = call.await;
        (Instant::now(), served)
    })
}

/// Two processes on one server, which shows what they send.
struct Pair {
    leading: Cache,
    waiting: Cache,
    monitor: Monitor,
    _server: RedisServer,
}

/// A load that is held in one process, and a call in the other that has asked for it.
struct Round {
    origin: Arc<Origin>,
    leader: Answered,
    waiter: Answered,
    /// The last of what the leader, and of what the waiter has sent.
    sent: [Command; 2],
}

impl Pair {
    async fn start() -> Pair {
        let server = RedisServer::start().await;
        Pair {
            leading: process(&server).await,
            waiting: process(&server).await,
            monitor: server.monitor().await,
            _server: server,
        }
    }

    async fn begin(&mut self, id: u64) -> Round {
        let origin = Origin::closed();
        self.monitor.clear().await;
        let leader = ask(&self.leading, &origin, id);
        origin.reached(1).await;
        let first = self.asked().await;
        let waiter = ask(&self.waiting, &origin, id);
        Round {
            origin,
            leader,
            waiter,
            sent: [first, self.asked().await],
        }
    }

    /// Somebody has asked for a lease.
    async fn asked(&mut self) -> Command {
        eventually::some("it has asked", async || {
            let mut seen = commands(&mut self.monitor).await;
            seen.pop().filter(|last| last.name() == "EVALSHA")
        })
        .await
    }
}

#[tokio::test]
async fn a_waiter_sends_nothing_for_half_a_second() {
    let mut pair = Pair::start().await;
    for id in 0..4 {
        let round = pair.begin(id).await;
        tokio::time::sleep(SILENCE).await;
        let [leader, waiter] = &round.sent;
        let mut seen = commands(&mut pair.monitor).await;
        // The leader renews its lease. The server's clock tells whether this machine was too busy to look in time.
        seen.retain(|it| it.client != leader.client && it.at < waiter.at + SILENCE);
        let seen: Vec<_> = seen.iter().map(Command::text).collect();
        assert!(seen.is_empty(), "{seen:?}");
        round.origin.open_gate();
        assert_eq!(round.waiter.await.unwrap().1, Some(Served::Shared));
    }
}

#[tokio::test]
async fn a_waiter_answers_as_soon_as_the_value_is_stored() {
    let (mut pair, mut late) = (Pair::start().await, Times::default());
    for id in 0..200 {
        let round = pair.begin(id).await;
        round.origin.open_gate();
        let (stored, served) = round.leader.await.unwrap();
        assert_eq!(served, Some(Served::Loaded));
        let (answered, served) = round.waiter.await.unwrap();
        assert_eq!(served, Some(Served::Shared));
        late.add(answered.saturating_duration_since(stored));
        assert_eq!(round.origin.runs(), 1);
    }
    println!("a waiter answers after the leader: {late}");
    assert!(late.median() < PUSHED, "{late:?}");
}

#[tokio::test]
async fn a_waiter_whose_leader_is_dropped_is_told_and_takes_over() {
    let (mut pair, mut late) = (Pair::start().await, Times::default());
    for id in 0..20 {
        let round = pair.begin(id).await;
        let dropped = Instant::now();
        round.leader.abort();
        round.origin.reached(2).await;
        late.add(dropped.elapsed());
        round.origin.open_gate();
        assert_eq!(round.waiter.await.unwrap().1, Some(Served::Loaded));
    }
    println!("a waiter takes over: {late}");
    assert!(late.median() < PUSHED, "{late:?}");
}
