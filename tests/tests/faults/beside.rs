//! The same calls on two clusters in turn, one of which has the trouble: what the machine does to one it does to the other, so that what
//! remains between them is the fault's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Served, traced};
use tests::eventually;
use tests::scenarios::processes::{connected, of_url};
use tests::server::cluster::{Cluster, Settings};
use tests::times::Times;
use tokio::task::JoinSet;

use crate::kit::{entry, half_and_most, in_form, instant};

const CALLERS: usize = 4;
/// Entries of each shard.
const ENTRIES: usize = 40;

/// In the short form other rows run at the same time: then it is only seen that nobody waits for the primary that is gone.
const BUSY: Duration = Duration::from_millis(60);

/// What a machine of two cores may add to one run and not to the other. While a primary is not heard, generations are read with every hit
/// (PROTOCOLS 6), at the same time as the value: that is in here too, and without optimisation it shows.
const NOISE: Duration = if cfg!(debug_assertions) {
    Duration::from_millis(3)
} else {
    Duration::from_millis(1)
};

/// Two clusters of one kind, each with a process whose entries are in Redis only: memory would hide what Redis costs.
pub(crate) struct Pair {
    pub(crate) troubled: (Cluster, Cache),
    pub(crate) calm: (Cluster, Cache),
}

/// Calls that go on until they are told to stop.
pub(crate) struct Calls {
    stop: Arc<AtomicBool>,
    calls: JoinSet<([Times; 2], u64)>,
}

impl Pair {
    pub(crate) async fn start(settings: Settings) -> Pair {
        let (troubled, calm) = tokio::join!(settings.clone().start(), settings.start());
        let (one, other) = (troubled.url(), calm.url());
        let (one, other) = tokio::join!(process(&one), process(&other));
        Pair {
            troubled: (troubled, one),
            calm: (calm, other),
        }
    }

    /// Ids whose entries are in one of these shards; they are stored in both clusters, and known to be.
    pub(crate) async fn stored(&self, shards: &[usize]) -> Vec<u64> {
        let mut ids = Vec::new();
        for &shard in shards {
            let is_there = |id: &u64| self.shard_of(*id) == shard;
            ids.extend((1_000_000..).filter(is_there).take(ENTRIES));
        }
        for cache in [&self.troubled.1, &self.calm.1] {
            for &id in &ids {
                eventually::holds("it is in Redis", async || {
                    cache.as_current(traced(instant(id))).await == (id, Some(Served::Redis))
                })
                .await;
            }
        }
        ids
    }

    fn shard_of(&self, id: u64) -> usize {
        self.troubled.0.shard_of(&entry(id))
    }

    /// Calls for these ids, one after the other in both clusters.
    pub(crate) fn call(&self, ids: &[u64]) -> Calls {
        let (stop, mut calls) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for _ in 0..CALLERS {
            let caches = [self.troubled.1.clone(), self.calm.1.clone()];
            let (stop, ids) = (Arc::clone(&stop), ids.to_vec());
            calls.spawn(async move {
                let (mut times, mut loaded) = ([Times::default(), Times::default()], 0);
                while !stop.load(Ordering::SeqCst) {
                    let id = ids[fastrand::usize(..ids.len())];
                    // Neither always finds what the other has warmed.
                    let first = fastrand::usize(..2);
                    for which in [first, 1 - first] {
                        let call = caches[which].as_current(traced(instant(id)));
                        let begun = Instant::now();
                        let (value, served) = call.await;
                        times[which].add(begun.elapsed());
                        assert_eq!(value, id, "the origin's answer");
                        loaded += u64::from(served == Some(Served::Loaded));
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                (times, loaded)
            });
        }
        Calls { stop, calls }
    }
}

async fn process(url: &str) -> Cache {
    connected(of_url(url).no_memory()).await
}

/// How long calls took, with the trouble and without.
pub(crate) struct Beside {
    pub(crate) troubled: Times,
    pub(crate) calm: Times,
    /// Those of the troubled that went to the origin.
    pub(crate) loaded: u64,
}

impl Calls {
    pub(crate) async fn end(self) -> Beside {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Beside {
            troubled: Times::default(),
            calm: Times::default(),
            loaded: 0,
        };
        for ([troubled, calm], loaded) in self.calls.join_all().await {
            all.troubled = all.troubled.and(troubled);
            all.calm = all.calm.and(calm);
            all.loaded += loaded;
        }
        all
    }
}

impl Beside {
    /// Neither half of the calls nor the slowest of a hundred take longer than a tenth more, and what is noise; and it is Redis that answers.
    pub(crate) fn is_even(&self) {
        assert!(self.loaded * 50 < self.troubled.count() as u64, "{self}");
        for share in [50, 99] {
            let (troubled, calm) = (self.troubled.percentile(share), self.calm.percentile(share));
            let noise = in_form(NOISE, BUSY);
            assert!(troubled < calm.mul_f64(1.1) + noise, "{self}");
        }
    }
}

impl std::fmt::Display for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (troubled, calm) = (half_and_most(&self.troubled), half_and_most(&self.calm));
        write!(
            f,
            "{troubled} beside {calm} without the fault, {} loaded",
            self.loaded
        )
    }
}
