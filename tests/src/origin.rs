//! An origin in this process that can be watched and held up.
//!
//! Most promises of a cache are about *when* the origin runs: once for many callers, not before a lease, again after an
//! eviction. Sleeping origins make such tests slow and wrong on a busy machine; this one counts its runs, stops at a gate
//! for as long as a test wants, and tells when a run has begun, so every step of a test waits for the step before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::eventually::PATIENCE;

/// Counts its runs; each run waits at a gate.
#[derive(Debug)]
pub struct Origin {
    begun: watch::Sender<u64>,
    gate: Semaphore,
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Origin {
    /// An origin that never waits.
    pub fn open() -> Arc<Origin> {
        let origin = Origin::closed();
        origin.open_gate();
        origin
    }

    /// An origin whose runs wait for [`let_through`](Self::let_through) or [`open_gate`](Self::open_gate).
    pub fn closed() -> Arc<Origin> {
        Arc::new(Origin {
            begun: watch::Sender::new(0),
            gate: Semaphore::new(0),
            inside: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }

    /// One run: returns its number, counted from 1, once it is let through.
    pub async fn run(&self) -> u64 {
        let _inside = Inside::enter(self);
        let number = self.begin();
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        number
    }

    /// One run that takes so long, whatever the gate is: for a paused clock.
    pub async fn run_for(&self, long: Duration) -> u64 {
        let _inside = Inside::enter(self);
        let number = self.begin();
        tokio::time::sleep(long).await;
        number
    }

    fn begin(&self) -> u64 {
        let mut number = 0;
        self.begun.send_modify(|begun| {
            *begun += 1;
            number = *begun;
        });
        number
    }

    /// Runs begun so far.
    pub fn runs(&self) -> u64 {
        *self.begun.borrow()
    }

    /// The most runs that were under way at one time.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Waits until this many runs have begun.
    ///
    /// # Panics
    /// If they do not within [`PATIENCE`].
    pub async fn reached(&self, runs: u64) {
        let mut begun = self.begun.subscribe();
        let reached = begun.wait_for(|&begun| begun >= runs);
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            panic!("{} runs have begun, not {runs}", self.runs());
        }
    }

    /// Lets this many runs through, those that wait first.
    pub fn let_through(&self, runs: usize) {
        self.gate.add_permits(runs);
    }

    /// Lets everything through from now on.
    pub fn open_gate(&self) {
        self.gate.close();
    }
}

/// A run under way; ends also when its future is dropped.
struct Inside<'a>(&'a Origin);

impl<'a> Inside<'a> {
    fn enter(origin: &'a Origin) -> Inside<'a> {
        let inside = origin.inside.fetch_add(1, Ordering::SeqCst) + 1;
        origin.most.fetch_max(inside, Ordering::SeqCst);
        Inside(origin)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Origin;

    #[tokio::test]
    async fn runs_are_counted_and_wait_at_the_gate() {
        let origin = Origin::closed();
        let run = |origin: &Arc<Origin>| {
            let origin = Arc::clone(origin);
            tokio::spawn(async move { origin.run().await })
        };
        let (first, second) = (run(&origin), run(&origin));
        origin.reached(2).await;
        assert!(!first.is_finished() && !second.is_finished());
        origin.let_through(1);
        assert_eq!(first.await.unwrap(), 1);
        assert!(!second.is_finished());
        second.abort();
        assert!(second.await.is_err());
        origin.open_gate();
        assert_eq!(origin.run().await, 3);
        assert_eq!((origin.runs(), origin.most_at_once()), (3, 2));
    }
}
