//! Generations, and the logical clock that orders those of tags from results.

/// What an entry remembers of one of its labels.
///
/// An eviction replaces both halves, `expire` only the second: an entry whose first half is current and whose second is
/// not counts as past its ttl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Random; replaced by an eviction.
    pub evict: u64,
    /// Random; replaced by an eviction and by `expire`.
    pub expire: u64,
    /// When it was made.
    pub made: Logical,
}

/// A moment of the fleet's logical clock. Moments of different eras (the clock was lost) are not ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logical {
    /// Random for every clock that was ever made.
    pub era: u64,
    /// Grows with every generation that is made.
    pub n: u64,
}

impl Logical {
    /// Whether what was made at this moment was there when the clock showed `seen`.
    #[must_use]
    pub fn not_after(self, seen: Self) -> bool {
        self.era == seen.era && self.n <= seen.n
    }
}

/// The generations of the labels every entry has (cache, regions, scope), folded into one: an entry carries this instead of
/// each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fold {
    pub(crate) evict: u64,
    pub(crate) expire: u64,
}

impl Fold {
    /// FNV-1a over the halves, in the order given: cache, regions from the outside in, scope.
    pub(crate) fn of<'a>(generations: impl IntoIterator<Item = &'a Generation>) -> Self {
        let none = Self {
            evict: 0xcbf2_9ce4_8422_2325,
            expire: 0xcbf2_9ce4_8422_2325,
        };
        generations.into_iter().fold(none, Self::and)
    }

    /// The same with one more.
    pub(crate) fn and(self, generation: &Generation) -> Self {
        Self {
            evict: mix(self.evict, generation.evict),
            expire: mix(self.expire, generation.expire),
        }
    }
}

fn mix(hash: u64, half: u64) -> u64 {
    half.to_be_bytes().iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// How a label stands in the shared tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has no generation: whatever remembers one is dead.
    Missing,
    /// It was evicted with a hold that still stands: it equals nothing, and what is loaded now is not stored.
    Held,
    /// Whatever remembers this generation is alive.
    Is(Generation),
}
