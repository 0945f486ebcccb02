//! How long something takes that is done again and again.

use std::fmt;
use std::time::Duration;

/// Durations of one thing.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// It took this long once more.
    pub fn add(&mut self, time: Duration) {
        let at = self.0.partition_point(|&shorter| shorter < time);
        self.0.insert(at, time);
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, other: Times) -> Times {
        self.0.extend(other.0);
        self.0.sort_unstable();
        self
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What so many of a hundred do not exceed.
    ///
    /// # Panics
    /// If there are none.
    pub fn percentile(&self, share: usize) -> Duration {
        let at = (self.0.len() * share).div_ceil(100).max(1) - 1;
        self.0[at]
    }

    /// What half of them do not exceed.
    pub fn median(&self) -> Duration {
        self.percentile(50)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most) = (self.percentile(50), self.percentile(99));
        write!(f, "p50 {half:?}, p99 {most:?} of {}", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Times;

    #[test]
    fn percentiles_are_of_the_sorted() {
        let mut times = Times::default();
        for micros in (1..=200).rev() {
            times.add(Duration::from_micros(micros));
        }
        assert_eq!(times.median(), Duration::from_micros(100));
        assert_eq!(times.to_string(), "p50 100µs, p99 198µs of 200");
    }
}
