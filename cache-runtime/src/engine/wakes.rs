//! Those who wait for a load of another process, by key.
//!
//! Whoever ends a lease that somebody waits for says so on the bus. Interest is registered *before* Redis is asked, so that what is said
//! while the answer is on its way is not missed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// The bells of one cache.
#[derive(Debug, Default)]
pub(crate) struct Wakes(Mutex<HashMap<Box<str>, Awaited>>);

/// A bell, and how many wait for it: who leaves last takes it along.
#[derive(Debug, Default)]
struct Awaited {
    bell: Arc<Bell>,
    by: usize,
}

#[derive(Debug, Default)]
struct Bell {
    rung: AtomicU64,
    bell: Notify,
}

impl Bell {
    fn ring(&self) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        self.bell.notify_waiters();
    }
}

/// One caller's interest in a key; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Wake<'a> {
    wakes: &'a Wakes,
    key: &'a str,
    bell: Arc<Bell>,
}

impl Wakes {
    pub(crate) fn of<'a>(&'a self, key: &'a str) -> Wake<'a> {
        let mut bells = self.lock();
        let awaited = bells.entry(key.into()).or_default();
        awaited.by += 1;
        Wake {
            wakes: self,
            key,
            bell: Arc::clone(&awaited.bell),
        }
    }

    /// Who waits for this key may look again.
    pub(crate) fn wake(&self, key: &str) {
        if let Some(awaited) = self.lock().get(key) {
            awaited.bell.ring();
        }
    }

    /// The same for every key that is chosen.
    pub(crate) fn wake_where(&self, chosen: impl Fn(&str) -> bool) {
        let bells = self.lock();
        let chosen = bells.iter().filter(|(key, _)| chosen(key));
        chosen.for_each(|(_, awaited)| awaited.bell.ring());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake<'_> {
    /// How often it has rung.
    pub(crate) fn rung(&self) -> u64 {
        self.bell.rung.load(Ordering::SeqCst)
    }

    /// Waits until it has rung more often than `before`, at most until `deadline`.
    pub(crate) async fn wait(&self, before: u64, deadline: Instant) {
        let wait = async {
            loop {
                let mut bell = std::pin::pin!(self.bell.bell.notified());
                bell.as_mut().enable();
                if self.rung() != before {
                    return;
                }
                bell.await;
            }
        };
        // Either way the caller looks again.
        let _ = timeout_at(deadline, wait).await;
    }
}

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        let mut bells = self.wakes.lock();
        if let Some(awaited) = bells.get_mut(self.key) {
            awaited.by -= 1;
            if awaited.by == 0 {
                bells.remove(self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::Wakes;

    #[test]
    fn the_last_of_those_who_waited_takes_the_bell_along() {
        const ROUNDS: usize = 50_000;
        let (wakes, together) = (Wakes::default(), Barrier::new(2));
        let wait = || {
            let wake = wakes.of("a");
            together.wait();
            drop(wake);
            together.wait();
        };
        let mut left = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    wait();
                    together.wait();
                }
            });
            for _ in 0..ROUNDS {
                wait();
                left += wakes.lock().len();
                together.wait();
            }
        });
        assert_eq!(left, 0);
    }

    #[test]
    fn who_comes_while_another_waits_hears_the_same_bell() {
        let wakes = Wakes::default();
        let (one, other) = (wakes.of("a"), wakes.of("a"));
        drop(one);
        let third = wakes.of("a");
        wakes.wake("a");
        assert_eq!((other.rung(), third.rung()), (1, 1));
    }
}
