//! How long things take, in buckets.
//!
//! **Problem.** A mean hides what people wait for, and to keep every duration is out of the question.
//!
//! **Decision.** Buckets whose bounds grow by a fifth to a quarter, four to each doubling, from a microsecond to over a minute: whatever
//! is asked of them is right to a quarter. To record is two additions. What takes longer is in the last bucket, and the sum has it as it was.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(feature = "redis")]
use super::stripes::Stripes;

/// Buckets to each doubling.
const PARTS: usize = 4;
/// Doublings of a microsecond.
const DOUBLINGS: usize = 26;
const BUCKETS: usize = DOUBLINGS * PARTS;
/// The buckets, and behind them the sum in microseconds.
const NUMBERS: usize = BUCKETS + 1;

/// Which bucket has so many microseconds.
fn bucket(micros: u64) -> usize {
    let doublings = micros.max(1).ilog2() as usize;
    let bucket = match doublings {
        // Whole microseconds are too coarse for parts.
        0 | 1 => usize::try_from(micros).unwrap_or_default(),
        _ => (doublings - 1) * PARTS + (micros >> (doublings - 2)) as usize % PARTS,
    };
    bucket.min(BUCKETS - 1)
}

/// What is in a bucket took less than this.
fn bound(bucket: usize) -> Duration {
    let micros = match bucket / PARTS {
        0 => bucket as u64 + 1,
        doublings => (PARTS as u64 + (bucket % PARTS) as u64 + 1) << (doublings - 1),
    };
    Duration::from_micros(micros)
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// Durations of what happens now and then.
#[derive(Debug)]
pub(crate) struct Durations([AtomicU64; NUMBERS]);

impl Default for Durations {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; NUMBERS])
    }
}

impl Durations {
    pub(crate) fn record(&self, took: Duration) {
        let micros = micros(took);
        self.0[bucket(micros)].fetch_add(1, Ordering::Relaxed);
        self.0[BUCKETS].fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Histogram {
        Histogram::of(|at| self.0[at].load(Ordering::Relaxed))
    }
}

/// Durations of what all threads do all the time.
#[cfg(feature = "redis")]
#[derive(Debug, Default)]
pub(crate) struct StripedDurations(Stripes<NUMBERS>);

#[cfg(feature = "redis")]
impl StripedDurations {
    pub(crate) fn record(&self, took: Duration) {
        let micros = micros(took);
        self.0.add(bucket(micros), 1);
        self.0.add(BUCKETS, micros);
    }

    pub(crate) fn snapshot(&self) -> Histogram {
        Histogram::of(|at| self.0.get(at))
    }
}

/// How long something took, how often.
///
/// Durations are counted in buckets, each a fifth to a quarter wider than the one before, from a microsecond to over a minute; the sum is exact to the
/// microsecond.
///
/// ```
/// use cache_runtime::{Cache, Policy, key};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let cache = Cache::builder("times").build().unwrap();
/// cache.get_or_load(&key!("a"), &Policy::new(), || async { 1 }).await;
/// let times = cache.stats().total.load_times;
/// assert_eq!(times.count(), 1);
/// assert!(times.quantile(0.99) >= times.quantile(0.5));
/// # });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Empty while there is nothing.
    counts: Box<[u64]>,
    sum: Duration,
}

impl Histogram {
    fn of(number: impl Fn(usize) -> u64) -> Self {
        let counts: Box<[u64]> = (0..BUCKETS).map(&number).collect();
        if counts.iter().all(|count| *count == 0) {
            return Self::default();
        }
        Self {
            counts,
            sum: Duration::from_micros(number(BUCKETS)),
        }
    }

    /// How many durations it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// Their mean; `None` of nothing.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let count = self.count();
        let mean = self.sum.as_nanos().checked_div(u128::from(count))?;
        Some(Duration::from_nanos(
            u64::try_from(mean).unwrap_or(u64::MAX),
        ))
    }

    /// So long this share of them took at most, from 0 to 1: up to a quarter more than it was, never less. `None` of nothing.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among counts; what is beyond 53 bits is not told apart"
        )]
        let rank = (share.clamp(0.0, 1.0) * self.count() as f64)
            .ceil()
            .max(1.0) as u64;
        let mut seen = 0;
        self.buckets().find_map(|(bound, count)| {
            seen += count;
            (seen >= rank).then_some(bound)
        })
    }

    /// What each bucket that has any has less than, and how many, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counts = self.counts.iter().enumerate();
        let some = counts.filter(|(_, count)| **count > 0);
        some.map(|(at, count)| (bound(at), *count))
    }

    /// What has come since an earlier look at the same thing.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self::of(|at| match at {
            BUCKETS => micros(self.sum.saturating_sub(earlier.sum)),
            _ => self.at(at).saturating_sub(earlier.at(at)),
        })
    }

    /// So many times this.
    #[cfg(test)]
    pub(crate) fn made_of(took: Duration, times: u64) -> Self {
        let durations = Durations::default();
        (0..times).for_each(|_| durations.record(took));
        durations.snapshot()
    }

    pub(super) fn add(&mut self, other: &Self) {
        *self = Self::of(|at| match at {
            BUCKETS => micros(self.sum.saturating_add(other.sum)),
            _ => self.at(at) + other.at(at),
        });
    }

    fn at(&self, bucket: usize) -> u64 {
        self.counts.get(bucket).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_in_the_bucket_whose_bounds_are_around_it() {
        let some = (0..2_000).chain((0..36).map(|power| 1 << power));
        for micros in some.flat_map(|it: u64| [it.saturating_sub(1), it, it + 1]) {
            let (at, took) = (bucket(micros), Duration::from_micros(micros));
            if at == BUCKETS - 1 {
                continue;
            }
            assert!(took < bound(at), "{micros}");
            assert!(at == 0 || took >= bound(at - 1), "{micros}");
            // Right to a quarter, or to a microsecond.
            let most = (took + took / 4).max(Duration::from_micros(micros + 1));
            assert!(bound(at) <= most, "{micros}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert!(bound(BUCKETS - 1) > Duration::from_secs(60));
        assert!((1..BUCKETS).all(|at| bound(at) > bound(at - 1)));
    }

    #[test]
    fn quantiles_are_right_to_a_quarter() {
        let durations = Durations::default();
        (1..=1_000).for_each(|millis| durations.record(Duration::from_millis(millis)));
        let histogram = durations.snapshot();
        assert_eq!(histogram.count(), 1_000);
        assert_eq!(histogram.mean(), Some(Duration::from_micros(500_500)));
        for (share, millis) in [(0.0, 1), (0.5, 500), (0.9, 900), (0.99, 990), (1.0, 1_000)] {
            let (told, least) = (histogram.quantile(share), Duration::from_millis(millis));
            let told = told.expect("there are some");
            assert!(
                told >= least && told <= least + least / 4,
                "{share}: {told:?}"
            );
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(Histogram::default().mean(), None);
    }

    #[test]
    fn histograms_add_up_and_tell_what_came_since() {
        let durations = Durations::default();
        let (one, other) = (Duration::from_millis(3), Duration::from_secs(600));
        durations.record(one);
        let before = durations.snapshot();
        assert_eq!(before.since(&Histogram::default()), before);
        assert_eq!(before.since(&before), Histogram::default());
        durations.record(other);
        let since = durations.snapshot().since(&before);
        assert_eq!((since.count(), since.sum()), (1, other));
        let mut sum = before.clone();
        sum.add(&since);
        assert_eq!(sum, durations.snapshot());
    }

    #[cfg(feature = "redis")]
    #[test]
    fn what_threads_record_is_one_histogram() {
        let (durations, striped) = (Durations::default(), StripedDurations::default());
        let took = |thread: u64| Duration::from_micros(thread * 700);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let striped = &striped;
                scope.spawn(move || striped.record(took(thread)));
                durations.record(took(thread));
            }
        });
        assert_eq!(striped.snapshot(), durations.snapshot());
    }
}
