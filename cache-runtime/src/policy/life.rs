//! How long a loaded value lives.

use std::time::Duration;

use crate::entry::Top;

/// A year beyond which a ttl means "for ever"; keeps every sum of times far from overflow.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What a site says about the life of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    pub(crate) ttl: Duration,
    pub(crate) negative_ttl: Option<Duration>,
    pub(crate) jitter: f64,
    /// How long an entry is kept beyond its ttl.
    pub(crate) window: Duration,
}

/// What becomes of a loaded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Store it, fresh for this long (jitter already taken off, at least a millisecond).
    Fresh(Duration),
    /// Do not store it, leave what is stored.
    Keep,
    /// Do not store it, remove what is stored (a ttl of zero).
    Remove,
}

impl Lifetimes {
    /// The longest life of an entry, as far as it is known before the value.
    pub(crate) fn longest(&self) -> Duration {
        self.ttl
            .max(self.negative_ttl.unwrap_or_default())
            .saturating_add(self.window)
            .min(LONGEST)
    }

    /// How long an entry is kept that is fresh for so long.
    pub(crate) fn kept(&self, fresh: Duration) -> Duration {
        fresh.saturating_add(self.window).min(LONGEST)
    }

    /// The life of a value with `top` on top; `asked` is what `ttl_from` said; `random` is in `0.0..1.0`.
    pub(crate) fn of(&self, top: Top, asked: Option<Duration>, random: f64) -> Life {
        let ttl = match top {
            Top::Err => return Life::Keep,
            Top::None => match self.negative_ttl {
                None => return Life::Remove,
                Some(ttl) => ttl,
            },
            Top::Some | Top::Value => asked.unwrap_or(self.ttl),
        };
        if ttl.is_zero() {
            return Life::Remove;
        }
        let ttl = ttl.min(LONGEST);
        // Not a clamp: NaN, too, is no jitter.
        let share = if self.jitter > 0.0 {
            self.jitter.min(1.0)
        } else {
            0.0
        };
        let fresh = ttl.saturating_sub(ttl.mul_f64(share * random));
        Life::Fresh(fresh.max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST, Life, Lifetimes};
    use crate::entry::Top;

    const MINUTE: Duration = Duration::from_secs(60);

    fn minute(jitter: f64) -> Lifetimes {
        Lifetimes {
            ttl: MINUTE,
            negative_ttl: None,
            jitter,
            window: Duration::ZERO,
        }
    }

    #[test]
    fn jitter_takes_off_at_most_its_share() {
        assert_eq!(minute(0.1).of(Top::Value, None, 0.0), Life::Fresh(MINUTE));
        assert_eq!(
            minute(0.5).of(Top::Value, None, 0.5),
            Life::Fresh(Duration::from_secs(45))
        );
        assert_eq!(minute(0.0).of(Top::Value, None, 0.999), Life::Fresh(MINUTE));
        assert_eq!(
            minute(f64::NAN).of(Top::Value, None, 0.5),
            Life::Fresh(MINUTE)
        );
        assert_eq!(minute(-1.0).of(Top::Value, None, 0.5), Life::Fresh(MINUTE));
        let Life::Fresh(least) = minute(1.0).of(Top::Value, None, 0.999_999_999_999) else {
            panic!("a positive ttl stores");
        };
        assert!(least >= Duration::from_millis(1));
    }

    #[test]
    fn zero_removes_and_the_longest_ttl_does_not_overflow() {
        assert_eq!(
            minute(0.1).of(Top::Value, Some(Duration::ZERO), 0.5),
            Life::Remove
        );
        let forever = Lifetimes {
            ttl: Duration::MAX,
            ..minute(1.0)
        };
        assert_eq!(forever.of(Top::Value, None, 0.0), Life::Fresh(LONGEST));
        assert!(matches!(forever.of(Top::Value, None, 0.99), Life::Fresh(_)));
    }

    #[test]
    fn none_lives_by_the_negative_ttl_only_and_errors_never() {
        assert_eq!(minute(0.0).of(Top::None, None, 0.0), Life::Remove);
        let negative = Lifetimes {
            negative_ttl: Some(Duration::from_secs(5)),
            ..minute(0.0)
        };
        assert_eq!(
            negative.of(Top::None, None, 0.0),
            Life::Fresh(Duration::from_secs(5))
        );
        assert_eq!(
            negative.of(Top::None, Some(MINUTE), 0.0),
            Life::Fresh(Duration::from_secs(5))
        );
        assert_eq!(negative.of(Top::Err, None, 0.0), Life::Keep);
    }
}
