//! Processes that are killed in the middle of a background refresh: they lose nothing but that.

use std::time::{Duration, Instant};

use tests::eventually;
use tests::scenarios::Function::Refreshed;
use tests::scenarios::What;
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::refreshed_key;
use tests::scenarios::origin::End;

/// A lease, until those who wait for it look again, and what a machine that does much else may add.
const A_LEASE_AND_MORE: Duration = Duration::from_millis(3_000 + 750 + 1_500);

/// All have the value in memory, and worker 0 refreshes it: that load is held.
async fn refreshing() -> Crew {
    let crew = Crew::of(3).await;
    let key = refreshed_key(7);
    for worker in 0..3 {
        assert_eq!(crew.one(worker, Refreshed).await.0, 1);
    }
    crew.origin.hold(1);
    eventually::holds("a refresh begins", async || {
        assert_eq!(crew.one(0, Refreshed).await, (1, "Memory".to_owned()));
        crew.origin.loads(&key) == 2
    })
    .await;
    crew.origin.commit(&key);
    crew
}

#[tokio::test]
async fn refresh_of_a_killed_process_is_done_by_another_after_its_lease() {
    let crew = refreshing().await;
    let key = refreshed_key(7);
    crew.worker(0).kill().await;
    let killed = Instant::now();
    eventually::holds("another refreshes it", async || {
        for worker in [1, 2] {
            let (value, served) = crew.one(worker, Refreshed).await;
            assert_eq!(served, "Memory", "nobody waits for it");
            assert!([1, 2].contains(&value), "{value}");
        }
        crew.origin.loads(&key) == 3
    })
    .await;
    let took = killed.elapsed();
    println!("refreshed {took:?} after the process was killed");
    assert!(took < A_LEASE_AND_MORE, "{took:?}");
    for worker in [1, 2] {
        eventually::holds("it has the new value", async || {
            crew.one(worker, Refreshed).await.0 == 2
        })
        .await;
    }
    crew.nothing_is_left(1..3).await;
}

/// In the process that is killed, or in another one, before or after.
#[tokio::test]
async fn evictions_outlive_a_process_that_is_killed_while_it_refreshes() {
    for evicting in [0, 1, 2] {
        let crew = refreshing().await;
        let evict = crew.evict(evicting.min(1), What::Key(refreshed_key(7)));
        if evicting == 2 {
            crew.worker(0).kill().await;
            evict.await;
        } else {
            evict.await;
            crew.worker(0).kill().await;
        }
        crew.origin.release(End::Value);
        let read = async |worker| crew.one(worker, Refreshed).await.0;
        // Who has not evicted may hear of it a little later.
        for worker in [1, 2] {
            let evicted_here = evicting > 0 && worker == 1;
            if evicted_here {
                assert_eq!(read(worker).await, 2, "evicted by {evicting}");
            }
            eventually::holds("the eviction is heard of", async || read(worker).await == 2).await;
        }
        for _ in 0..50 {
            for worker in [1, 2] {
                assert_eq!(read(worker).await, 2, "evicted by {evicting}");
            }
        }
        crew.nothing_is_left(1..3).await;
    }
}
