//! Keys whose responses lately could not be shared.
//!
//! **Problem.** Callers wait for the load of their key. If what it brings is for one of them alone, the others have waited for nothing, every time.
//!
//! **Decision.** Such a key is remembered for a while, and its requests go straight to the handler, each for itself. It is forgotten early when a response
//! comes that could have been stored. Keys are known by a seeded hash: one that is taken for another costs a call of the handler, nothing else. What is remembered is bounded; where there is no room the oldest knowledge goes.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

const PARTS: usize = 16;
/// Sixteen times as many in all.
const MOST_PER_PART: usize = 1_024;

#[derive(Debug)]
pub(super) struct Passes {
    seed: RandomState,
    parts: [Mutex<HashMap<u64, Instant>>; PARTS],
    /// How long a key is remembered.
    life: Duration,
    /// Whether there ever was one: a service without any pays for nothing but this.
    any: AtomicBool,
}

impl Passes {
    pub(super) fn new(life: Duration) -> Self {
        Self {
            seed: RandomState::new(),
            parts: Default::default(),
            life,
            any: AtomicBool::new(false),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        if !self.any.load(Ordering::Relaxed) {
            return false;
        }
        let (hash, mut part) = self.part(key);
        match part.get(&hash) {
            None => false,
            Some(until) if Instant::now() < *until => true,
            Some(_) => {
                part.remove(&hash);
                false
            }
        }
    }

    pub(super) fn add(&self, key: &str) {
        self.any.store(true, Ordering::Relaxed);
        let (hash, mut part) = self.part(key);
        let now = Instant::now();
        if part.len() >= MOST_PER_PART && !part.contains_key(&hash) {
            part.retain(|_, until| now < *until);
            let oldest = part
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(hash, _)| *hash);
            if let Some(oldest) = oldest.filter(|_| part.len() >= MOST_PER_PART) {
                part.remove(&oldest);
            }
        }
        part.insert(hash, now + self.life);
    }

    pub(super) fn remove(&self, key: &str) {
        let (hash, mut part) = self.part(key);
        part.remove(&hash);
    }

    fn part(&self, key: &str) -> (u64, MutexGuard<'_, HashMap<u64, Instant>>) {
        let hash = self.seed.hash_one(key);
        let at = usize::try_from(hash >> 60).unwrap_or_default() % PARTS;
        let part = self.parts[at].lock();
        (hash, part.unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::{MOST_PER_PART, PARTS, Passes};

    #[tokio::test(start_paused = true)]
    async fn a_key_is_remembered_for_a_while() {
        let passes = Passes::new(Duration::from_secs(10));
        passes.add("a");
        assert!(passes.has("a") && !passes.has("b"));
        advance(Duration::from_secs(9)).await;
        assert!(passes.has("a"));
        advance(Duration::from_secs(2)).await;
        assert!(!passes.has("a"));
        passes.add("a");
        passes.remove("a");
        assert!(!passes.has("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded_and_the_latest() {
        let passes = Passes::new(Duration::from_secs(10));
        let most = PARTS * MOST_PER_PART;
        for key in 0..2 * most {
            if key % 1_000 == 0 {
                advance(Duration::from_micros(1)).await;
            }
            passes.add(&key.to_string());
        }
        let known: usize = passes
            .parts
            .iter()
            .map(|part| part.lock().unwrap().len())
            .sum();
        assert!(known <= most, "{known}");
        assert!(passes.has(&(2 * most - 1).to_string()));
    }
}
