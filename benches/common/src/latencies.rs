//! How long calls took, in buckets: millions of them fit, and those of several processes can be put together.
//!
//! A bucket is at most a 128th of its value wide, which is finer than what is told of it.

use std::time::Duration;

/// Buckets per doubling.
const PER_OCTAVE: u64 = 128;

#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies {
    /// By bucket; as long as the highest that was met.
    counts: Vec<u64>,
    most: u64,
}

impl Latencies {
    pub(crate) fn add(&mut self, took: Duration) {
        let nanoseconds = took.as_nanos() as u64;
        let bucket = bucket(nanoseconds);
        self.grow(bucket);
        self.counts[bucket] += 1;
        self.most = self.most.max(nanoseconds);
    }

    pub(crate) fn join(&mut self, other: &Latencies) {
        self.grow(other.counts.len().saturating_sub(1));
        for (own, other) in self.counts.iter_mut().zip(&other.counts) {
            *own += other;
        }
        self.most = self.most.max(other.most);
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that this share of the calls kept, in nanoseconds; not a number if there was no call.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle(bucket).min(self.most as f64);
            }
        }
        f64::NAN
    }

    /// The longest, in nanoseconds; not a number if there was no call.
    pub(crate) fn most(&self) -> f64 {
        match self.counts.is_empty() {
            true => f64::NAN,
            false => self.most as f64,
        }
    }

    /// As text, for another process.
    pub(crate) fn told(&self) -> String {
        let mut text = self.most.to_string();
        for (bucket, count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            text += &format!(" {bucket}:{count}");
        }
        text
    }

    /// What [`Latencies::told`] wrote.
    pub(crate) fn read(text: &str) -> Option<Latencies> {
        let mut words = text.split(' ');
        let mut read = Latencies {
            most: words.next()?.parse().ok()?,
            ..Latencies::default()
        };
        for word in words {
            let (bucket, count) = word.split_once(':')?;
            let bucket = bucket.parse().ok()?;
            read.grow(bucket);
            read.counts[bucket] = count.parse().ok()?;
        }
        Some(read)
    }

    fn grow(&mut self, bucket: usize) {
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
    }
}

/// Exact below [`PER_OCTAVE`], then as many to each doubling.
fn bucket(nanoseconds: u64) -> usize {
    let shift = (nanoseconds / PER_OCTAVE)
        .checked_ilog2()
        .map_or(0, |log| u64::from(log) + 1);
    // Shifted, it lies in the upper half of two octaves' width, so that buckets of neighbouring shifts do not overlap.
    (shift * PER_OCTAVE + (nanoseconds >> shift)) as usize
}

fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    // The shifted value is from half an octave's buckets to all of them, but where nothing was shifted.
    let shift = match bucket < PER_OCTAVE {
        true => 0,
        false => (bucket - PER_OCTAVE / 2) / PER_OCTAVE,
    };
    let low = (bucket - shift * PER_OCTAVE) << shift;
    low as f64 + ((1u64 << shift) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_narrow_and_found_again() {
        for nanoseconds in (0..2_000).chain((0..1_000).map(|n| n * n * n * 7 + 11)) {
            let middle = middle(bucket(nanoseconds));
            let off = (middle - nanoseconds as f64).abs();
            assert!(off <= nanoseconds as f64 / 128.0, "{nanoseconds}: {middle}");
        }
    }

    #[test]
    fn quantiles_of_several_processes_are_those_of_all_their_calls() {
        let (mut low, mut high) = (Latencies::default(), Latencies::default());
        (1..=500).for_each(|n| low.add(Duration::from_micros(n)));
        (501..=1_000).for_each(|n| high.add(Duration::from_micros(n)));
        low.join(&Latencies::read(&high.told()).unwrap());
        assert_eq!(low.count(), 1_000);
        assert_eq!(low.most(), 1e6);
        for share in [0.01, 0.5, 0.99] {
            let (told, exact) = (low.quantile(share), share * 1e6);
            assert!((told - exact).abs() < exact / 64.0, "{told} for {exact}");
        }
        assert!(Latencies::default().quantile(0.5).is_nan());
    }
}
