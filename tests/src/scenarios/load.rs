//! Calls that go on while something happens: products are read and changed through one process, and no read may return what was there
//! before a change that was complete when it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::functions::{rename, save};
use super::origin::Source;
use super::processes::ask;

const IDS: u64 = 40;
const READERS: u64 = 12;

/// Calls that go on until they are told to stop.
#[derive(Debug)]
pub struct Load {
    stop: watch::Sender<bool>,
    calls: JoinSet<Figures>,
}

#[derive(Debug, Default)]
struct Figures {
    calls: u64,
    wrong: u64,
    slowest: Duration,
}

/// One process, and what its callers know to be changed.
#[derive(Clone, Debug)]
struct Process {
    cache: Cache,
    source: Source,
    changed: Arc<Vec<AtomicU64>>,
}

impl Load {
    /// Reads and changes of many products through one process.
    pub fn start(cache: &Cache, source: &Source) -> Load {
        let (stop, stopped) = watch::channel(false);
        let process = Process {
            cache: cache.clone(),
            source: source.clone(),
            changed: Arc::new((0..IDS).map(|_| AtomicU64::new(1)).collect()),
        };
        let mut calls = JoinSet::new();
        for _ in 0..READERS {
            let (process, stopped) = (process.clone(), stopped.clone());
            calls.spawn(async move {
                let mut figures = Figures::default();
                while !*stopped.borrow() {
                    let started = Instant::now();
                    let right = process.call(fastrand::u64(..IDS)).await;
                    figures.wrong += u64::from(!right);
                    figures.calls += 1;
                    figures.slowest = figures.slowest.max(started.elapsed());
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                figures
            });
        }
        Load { stop, calls }
    }

    /// Everybody was answered, and rightly; says how many, and how late the latest was.
    ///
    /// # Panics
    /// If somebody was not.
    pub async fn end(self) -> String {
        self.stop.send_replace(true);
        // Who got no answer has panicked.
        let all = self.calls.join_all().await;
        let (calls, wrong): (u64, u64) = all
            .iter()
            .fold((0, 0), |sum, it| (sum.0 + it.calls, sum.1 + it.wrong));
        let slowest = all.iter().map(|it| it.slowest).max().unwrap_or_default();
        assert!(calls > 100, "too little happened: {calls}");
        assert_eq!(wrong, 0, "of {calls}");
        format!("{calls} calls, 0 errors, 0 wrong values, the slowest {slowest:?}")
    }
}

impl Process {
    /// Reads a product, or sometimes changes it; whether what was read is as new as what was changed before.
    async fn call(&self, id: u64) -> bool {
        let changed = &self.changed[id as usize];
        let at_least = changed.load(Ordering::SeqCst);
        let now = match fastrand::u8(..40) {
            0 => {
                let saved = self.cache.as_current(save(&self.source, id));
                saved.await.expect("the origin is up")
            }
            1 | 2 => self.cache.as_current(rename(&self.source, id)).await,
            _ => return ask(&self.cache, &self.source, id).await.0 >= at_least,
        };
        changed.fetch_max(now, Ordering::SeqCst);
        true
    }
}
