//! Keys whose origin has failed lately, and when it may be tried again.
//!
//! In Redis a note with a life of its own tells the fleet; here is what this process knows of it, so that a call which has a stale value
//! asks nobody. A refresh that goes on failing waits twice as long each time.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::read::millis;

/// No pause between refreshes grows beyond this.
const LONGEST: Duration = Duration::from_secs(60);
/// So many keys are remembered; beyond, those whose pause ends first are forgotten.
const MOST: usize = 10_000;

/// The keys that failed. Times are milliseconds of the memory clock.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<Box<str>, Failed>>);

#[derive(Clone, Copy, Debug)]
struct Failed {
    times: u32,
    until: u64,
}

/// How the pause after another failure is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The same each time.
    Constant,
    /// Twice as long each time, at most a minute.
    Doubling,
}

impl Failures {
    /// How long the origin of a key is left alone from `now` on; `None` if it may be tried.
    pub(crate) fn left(&self, key: &str, now: u64) -> Option<Duration> {
        let until = self.lock().get(key)?.until;
        (now < until).then(|| Duration::from_millis(until - now))
    }

    /// It has failed once more; the pause from `now` on, of which the first is `first`.
    pub(crate) fn failed(&self, key: &str, now: u64, first: Duration, pause: Pause) -> Duration {
        let first = first.max(Duration::from_millis(1));
        let mut failures = self.lock();
        make_room(&mut failures, now);
        let failed = failures.entry(key.into()).or_insert(Failed {
            times: 0,
            until: now,
        });
        let doublings = match pause {
            Pause::Constant => 0,
            Pause::Doubling => failed.times.min(16),
        };
        failed.times = failed.times.saturating_add(1);
        let length = match first.saturating_mul(1 << doublings) {
            doubled if doublings > 0 => doubled.min(LONGEST.max(first)),
            first => first,
        };
        failed.until = now.saturating_add(millis(length));
        length
    }

    /// Another process has told that it failed.
    pub(crate) fn heard(&self, key: &str, now: u64, left: Duration) {
        let mut failures = self.lock();
        make_room(&mut failures, now);
        let until = now.saturating_add(millis(left));
        let failed = failures
            .entry(key.into())
            .or_insert(Failed { times: 0, until });
        failed.until = failed.until.max(until);
    }

    /// It has succeeded, or what it failed for is gone.
    pub(crate) fn forget(&self, key: &str) {
        let mut failures = self.lock();
        if !failures.is_empty() {
            failures.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Failed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key whose pause has ended is remembered for another minute: it may fail again.
fn make_room(failures: &mut HashMap<Box<str>, Failed>, now: u64) {
    if failures.len() < MOST {
        return;
    }
    failures.retain(|_, failed| now < failed.until.saturating_add(millis(LONGEST)));
    if failures.len() >= MOST {
        let mut ends: Vec<u64> = failures.values().map(|failed| failed.until).collect();
        let middle = ends.len() / 2;
        let (_, median, _) = ends.select_nth_unstable(middle);
        let median = *median;
        failures.retain(|_, failed| failed.until > median);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failures, MOST, Pause};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_a_success() {
        let failures = Failures::default();
        let pauses = (0..9).map(|n| failures.failed("a", n, SECOND, Pause::Doubling).as_secs());
        assert_eq!(pauses.collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        failures.forget("a");
        assert_eq!(failures.failed("a", 0, SECOND, Pause::Doubling), SECOND);
        let long = 5 * super::LONGEST;
        assert_eq!(failures.failed("b", 0, long, Pause::Doubling), long);
        assert_eq!(failures.failed("b", 0, long, Pause::Doubling), long);
    }

    #[test]
    fn a_throttle_is_as_long_each_time_and_ends() {
        let failures = Failures::default();
        for now in [0, 1_000, 2_000] {
            assert_eq!(failures.failed("a", now, SECOND, Pause::Constant), SECOND);
            assert_eq!(failures.left("a", now), Some(SECOND));
            assert_eq!(failures.left("a", now + 1_000), None);
        }
        failures.heard("a", 3_000, SECOND);
        failures.heard("a", 3_000, SECOND / 2);
        assert_eq!(failures.left("a", 3_500), Some(SECOND / 2));
    }

    #[test]
    fn no_more_keys_are_remembered_than_the_bound() {
        let failures = Failures::default();
        for n in 0..3 * MOST as u64 {
            failures.heard(&n.to_string(), 0, SECOND + Duration::from_millis(n));
        }
        assert!(failures.lock().len() <= MOST);
        assert!(failures.left(&(3 * MOST - 1).to_string(), 0).is_some());
    }
}
