//! Another server becomes the primary: after it was killed, while it is stopped, and because somebody wants it so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, RedisHealth, Served};
use tests::eventually;
use tests::scenarios::functions::{key, rename, save};
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, connected, has, of_url, value_of};
use tests::server::{RedisServer, Sentinels};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{FOLLOWED, process, uses};

const IDS: u64 = 40;
const READERS: u64 = 12;

/// Calls that go on until they are told to stop.
struct Load {
    stop: watch::Sender<bool>,
    calls: JoinSet<Figures>,
}

#[derive(Default)]
struct Figures {
    calls: u64,
    wrong: u64,
    slowest: Duration,
}

impl Load {
    /// Reads and changes of many products through one process. A read that begins after a change must see it.
    fn start(cache: &Cache, source: &Source) -> Load {
        let (stop, stopped) = watch::channel(false);
        let changed: Arc<Vec<AtomicU64>> = Arc::new((0..IDS).map(|_| AtomicU64::new(1)).collect());
        let mut calls = JoinSet::new();
        for _ in 0..READERS {
            let (cache, source) = (cache.clone(), source.clone());
            let (changed, stopped) = (Arc::clone(&changed), stopped.clone());
            calls.spawn(async move {
                let mut figures = Figures::default();
                while !*stopped.borrow() {
                    let id = fastrand::u64(..IDS);
                    let (started, at_least) =
                        (Instant::now(), changed[id as usize].load(Ordering::SeqCst));
                    let changing = fastrand::u8(..40);
                    if changing < 3 {
                        let now = if changing == 0 {
                            cache
                                .as_current(save(&source, id))
                                .await
                                .expect("the origin is up")
                        } else {
                            cache.as_current(rename(&source, id)).await
                        };
                        changed[id as usize].fetch_max(now, Ordering::SeqCst);
                    } else {
                        let (value, _) = ask(&cache, &source, id).await;
                        figures.wrong += u64::from(value < at_least);
                    }
                    figures.calls += 1;
                    figures.slowest = figures.slowest.max(started.elapsed());
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                figures
            });
        }
        Load { stop, calls }
    }

    /// Everybody was answered, and rightly.
    async fn end(self, what: &str) {
        self.stop.send_replace(true);
        // Who got no answer has panicked.
        let all = self.calls.join_all().await;
        let (calls, wrong): (u64, u64) = all
            .iter()
            .fold((0, 0), |sum, it| (sum.0 + it.calls, sum.1 + it.wrong));
        let slowest = all.iter().map(|it| it.slowest).max().unwrap_or_default();
        println!("{what}: {calls} calls, 0 errors, {wrong} wrong values, the slowest {slowest:?}");
        assert!(calls > 100, "too little happened: {calls}");
        assert_eq!(wrong, 0);
    }
}

/// Waits until it is connected again, having been told that the old primary is not it any more.
async fn followed(cache: &Cache, source: &Source, new: &RedisServer, what: &str) {
    let took = uses(cache, source, new, 1_000).await;
    println!("{what}: followed {took:?} after the new primary was announced");
    assert!(took < FOLLOWED, "{took:?}");
    eventually::holds("all is well", async || cache.health().is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_primary_under_load_costs_no_error_and_no_wrong_value() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let source = origin.source();
    let cache = connected(of_url(&all.url())).await;
    let load = Load::start(&cache, &source);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let old = all.primary().await;
    old.kill();
    let new = all.primary_other_than(old).await;
    followed(&cache, &source, new, "killed").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    load.end("killed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planned_failover_under_load_costs_no_error_and_no_wrong_value() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let source = origin.source();
    let cache = connected(of_url(&all.url())).await;
    let load = Load::start(&cache, &source);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let new = all.fail_over().await;
    followed(&cache, &source, new, "planned").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    load.end("planned").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_primary_that_comes_back_is_not_used_and_nothing_old_is_served() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let source = origin.source();
    let cache = connected(of_url(&all.url())).await;
    let other = process(&all.url()).await;
    eventually::holds("both have it in memory", async || {
        ask(&cache, &source, 7).await.1 == Served::Memory
            && ask(&other, &source, 7).await.1 == Served::Memory
    })
    .await;
    let load = Load::start(&cache, &source);
    let old = all.primary().await;
    old.stop();
    let new = all.primary_other_than(old).await;
    followed(&cache, &source, new, "stopped").await;
    uses(&other, &source, new, 2_000).await;
    // The old primary holds the old value, and what `other` remembers is from then.
    let changed = cache.as_current(rename(&source, 7)).await;
    assert!(
        !has(new, &value_of(&key(7))).await,
        "evicted where it counts"
    );
    old.cont();
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        for process in [&cache, &other] {
            assert!(
                ask(process, &source, 7).await.0 >= changed,
                "an old value came back"
            );
            assert!(
                matches!(process.health().redis, RedisHealth::Connected { .. }),
                "the new primary is not left"
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    load.end("stopped").await;
    uses(&cache, &source, new, 3_000).await;
}
