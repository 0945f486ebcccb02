//! Evictions while a load runs that nobody waits for: what it brings is older than the eviction, and must not come back.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Evict, Key, Served, Why, cacheable, traced};
use tests::eventually;
use tests::scenarios::origin::{Down, End, Origin, Source};
use tests::scenarios::processes::process;
use tests::server::RedisServer;
use tokio::task::JoinSet;

use crate::kit::{in_form, measured};

/// Keys that are tried at once.
const AT_ONCE: u64 = 40;
/// When a refresh is due, or a value past its ttl, with some room.
const DUE: Duration = Duration::from_millis(450);
/// For how long everything is read afterwards, in both processes.
const WATCHED: Duration = Duration::from_millis(400);

#[cacheable(
    key = "background:{id}",
    tags = ["lot:{id}"],
    ttl = "80s",
    jitter = 0.0,
    background_refresh = 0.005,
    stampede_protection,
    wait_timeout = "60s"
)]
async fn background(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&format!("background:{id}")).await
}

#[cacheable(
    key = "revalidated:{id}",
    tags = ["lot:{id}"],
    ttl = "400ms",
    jitter = 0.0,
    stale_while_revalidate = "1h",
    stampede_protection,
    wait_timeout = "60s"
)]
async fn revalidated(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&format!("revalidated:{id}")).await
}

#[cacheable(
    key = "soft:{id}",
    tags = ["lot:{id}"],
    ttl = "400ms",
    jitter = 0.0,
    stale_if_error = "1h",
    soft_timeout = "50ms",
    stampede_protection,
    wait_timeout = "60s"
)]
async fn soft(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&format!("soft:{id}")).await
}

#[cacheable(
    key = "timed:{id}",
    tags = ["lot:{id}"],
    ttl = "1h",
    jitter = 0.0,
    refresh_every = "1s",
    idle = "1h",
    stampede_protection,
    wait_timeout = "60s"
)]
async fn timed(source: &Source, id: u64) -> Result<u64, Down> {
    source.load(&format!("timed:{id}")).await
}

/// Which load goes on in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Background,
    Revalidated,
    Soft,
    Timed,
}

impl Kind {
    fn key(self, id: u64) -> String {
        format!("{}:{id}", format!("{self:?}").to_lowercase())
    }

    /// How the call is answered whose load goes on; nothing where no call begins it.
    fn served(self) -> Option<Served> {
        match self {
            Kind::Background => Some(Served::Memory),
            Kind::Revalidated => Some(Served::Stale(Why::Revalidating)),
            Kind::Soft => Some(Served::Stale(Why::SoftTimeout)),
            Kind::Timed => None,
        }
    }
}

async fn call(kind: Kind, cache: Cache, source: Source, id: u64) -> (u64, Served) {
    let call = async {
        match kind {
            Kind::Background => background(&source, id).await,
            Kind::Revalidated => revalidated(&source, id).await,
            Kind::Soft => soft(&source, id).await,
            Kind::Timed => timed(&source, id).await,
        }
    };
    let answer = tokio::time::timeout(eventually::PATIENCE, cache.as_current(traced(call)));
    let (value, served) = answer.await.expect("an annotated function always answers");
    (
        value.unwrap_or_else(|Down| panic!("the origin is up")),
        served.expect("the call was annotated"),
    )
}

/// Two processes on one Redis.
struct Pair {
    server: RedisServer,
    origin: Origin,
    caches: [Cache; 2],
    reads: u64,
}

impl Pair {
    async fn start() -> Pair {
        let server = RedisServer::start().await;
        Pair {
            caches: [process(&server).await, process(&server).await],
            origin: Origin::start().await,
            server,
            reads: 0,
        }
    }

    async fn ask(&mut self, kind: Kind, process: usize, id: u64) -> (u64, Served) {
        self.reads += 1;
        call(kind, self.caches[process].clone(), self.origin.source(), id).await
    }

    /// All of them at once in one process.
    async fn ask_all(&mut self, kind: Kind, process: usize, ids: &[u64]) -> Vec<(u64, Served)> {
        let mut calls = JoinSet::new();
        for &id in ids {
            let cache = self.caches[process].clone();
            calls.spawn(call(kind, cache, self.origin.source(), id));
        }
        self.reads += ids.len() as u64;
        calls.join_all().await
    }

    /// Both have a value whose successor is on its way, held at the origin: which keys that came true for.
    async fn begin(&mut self, kind: Kind, mut ids: Vec<u64>) -> Vec<u64> {
        for process in [0, 1] {
            let first = self.ask_all(kind, process, &ids).await;
            assert!(first.iter().all(|it| it.0 == 1), "{first:?}");
        }
        if kind == Kind::Timed {
            // On a slow machine a timer may have rung.
            ids.retain(|id| self.origin.loads(&kind.key(*id)) == 1);
            self.origin.hold(ids.len());
        } else {
            tokio::time::sleep(DUE).await;
            self.origin.hold(ids.len());
        }
        if let Some(expected) = kind.served() {
            for answer in self.ask_all(kind, 0, &ids).await {
                assert_eq!(answer, (1, expected), "{kind:?}");
            }
        }
        for id in &ids {
            self.origin.begun(&kind.key(*id), 2).await;
        }
        ids
    }

    /// Evicts a key that is new at the origin, here or there, and looks whether that counts at once.
    async fn evict(&mut self, kind: Kind, id: u64, what: Evict) {
        let evicting = evicting(id);
        self.origin.commit(&kind.key(id));
        let evicted = self.caches[evicting].evict(what).await;
        evicted.expect("Redis is up");
        if looks_first(id) {
            let (value, served) = self.ask(kind, evicting, id).await;
            assert_eq!(value, 2, "{kind:?} {id} {served:?}");
        }
    }

    /// Reads everything in both processes, again and again: who has evicted reads nothing old, who has read something new nothing
    /// old after it. Nor does a process that comes later.
    async fn watch(&mut self, kind: Kind, ids: &[u64]) {
        let (mut new, began) = (HashSet::new(), Instant::now());
        loop {
            let over = began.elapsed() > WATCHED;
            for &id in ids {
                for process in [0, 1] {
                    let (value, served) = self.ask(kind, process, id).await;
                    let told = format!("{kind:?} {id} in {process}: {value} {served:?}");
                    assert!(value == 2 || !new.contains(&(process, id)), "{told}: back");
                    assert!(
                        value == 2 || process != evicting(id),
                        "{told}: evicted here"
                    );
                    assert!(value == 2 || !over, "{told}: never heard of");
                    if value == 2 {
                        new.insert((process, id));
                    }
                }
            }
            if over {
                break;
            }
        }
        let late = process(&self.server).await;
        for &id in ids {
            let (value, served) = call(kind, late.clone(), self.origin.source(), id).await;
            assert_eq!(value, 2, "{kind:?} {id}: {served:?}");
        }
        late.close(Duration::from_secs(5)).await;
    }

    async fn evicted_during_it(kind: Kind, by_key: impl Fn(u64) -> bool) -> (u64, u64) {
        let mut pair = Pair::start().await;
        let mut rounds = 0;
        for round in 0..in_form(10, 2) {
            let ids = (round * AT_ONCE..(round + 1) * AT_ONCE).collect();
            let ids = pair.begin(kind, ids).await;
            for &id in &ids {
                let key = kind.key(id);
                let tag = Evict::tag(format!("lot:{id}"));
                let what = if by_key(id) {
                    Evict::key(Key::new(&key))
                } else {
                    tag
                };
                pair.evict(kind, id, what).await;
            }
            pair.origin.release(End::Value);
            pair.watch(kind, &ids).await;
            rounds += ids.len() as u64;
        }
        assert!(rounds >= AT_ONCE, "{rounds}");
        (rounds, pair.reads)
    }
}

/// Which of the two evicts it.
fn evicting(id: u64) -> usize {
    (id % 2) as usize
}

/// Whether it is read before the old load ends.
fn looks_first(id: u64) -> bool {
    id % 8 < 4
}

fn every_other(id: u64) -> bool {
    id % 4 < 2
}

#[tokio::test]
async fn fault_43_tag_evicted_during_a_load() {
    let mut pair = Pair::start().await;
    let kind = Kind::Background;
    let mut rounds = 0;
    for round in 0..in_form(10, 2) {
        let ids: Vec<_> = (round * AT_ONCE..(round + 1) * AT_ONCE).collect();
        pair.origin.hold(ids.len());
        let mut loads = JoinSet::new();
        for &id in &ids {
            let cache = pair.caches[0].clone();
            loads.spawn(call(kind, cache, pair.origin.source(), id));
        }
        for id in &ids {
            pair.origin.begun(&kind.key(*id), 1).await;
        }
        for &id in &ids {
            pair.evict(kind, id, Evict::tag(format!("lot:{id}"))).await;
        }
        pair.origin.release(End::Value);
        let answers = loads.join_all().await;
        assert_eq!(
            answers,
            vec![(1, Served::Loaded); ids.len()],
            "they began before"
        );
        pair.watch(kind, &ids).await;
        rounds += ids.len();
    }
    measured(
        43,
        format_args!(
            "{rounds} tags evicted during a load: 0 stale in {} reads",
            pair.reads
        ),
    );
}

#[tokio::test]
async fn fault_43_tag_evicted_during_a_background_refresh() {
    let (rounds, reads) = Pair::evicted_during_it(Kind::Background, |_| false).await;
    measured(
        43,
        format_args!("{rounds} tags evicted during a background refresh: 0 stale in {reads} reads"),
    );
}

#[tokio::test]
async fn fault_44_eviction_during_a_refresh_of_a_stale_value() {
    let (rounds, reads) = Pair::evicted_during_it(Kind::Revalidated, every_other).await;
    measured(
        44,
        format_args!(
            "{rounds} evictions while a stale value was revalidated: 0 came back in {reads} reads"
        ),
    );
}

#[tokio::test]
async fn fault_44_eviction_during_a_load_that_nobody_waits_for() {
    let (rounds, reads) = Pair::evicted_during_it(Kind::Soft, every_other).await;
    measured(
        44,
        format_args!(
            "{rounds} evictions during a load beyond its soft timeout: 0 came back in {reads} reads"
        ),
    );
}

#[tokio::test]
async fn fault_44_eviction_during_a_refresh_by_a_timer() {
    let (rounds, reads) = Pair::evicted_during_it(Kind::Timed, every_other).await;
    measured(
        44,
        format_args!(
            "{rounds} evictions during a refresh by a timer: 0 came back in {reads} reads"
        ),
    );
}
