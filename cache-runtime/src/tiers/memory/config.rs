//! The bounds of the memory tier.

use std::time::Duration;

const MAX_ENTRIES: usize = 100_000;
/// Whoever bounds by more than that hardly means to have as many.
const MAX_RESERVED: usize = if usize::BITS < 64 { 1 << 20 } else { 1 << 24 };
const MAX_AGE: Duration = Duration::from_secs(60);
const MAX_AGE_WITHOUT_BUS: Duration = Duration::from_secs(1);

/// How much the memory tier holds, and for how long.
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::Memory;
///
/// let memory = Memory::new().max_entries(50_000).max_age(Duration::from_secs(30));
/// # let _ = memory;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "bounds do nothing until they are passed to the builder"]
pub struct Memory {
    max_entries: Option<usize>,
    max_bytes: Option<u64>,
    max_age: Option<Duration>,
    max_age_without_bus: Option<Duration>,
    offline_grace: Option<Duration>,
    off: bool,
}

impl Memory {
    /// 100,000 entries; at most 60 seconds old where there is a Redis tier.
    pub const fn new() -> Self {
        Self {
            max_entries: None,
            max_bytes: None,
            max_age: None,
            max_age_without_bus: None,
            offline_grace: None,
            off: false,
        }
    }

    /// The most entries held at once; more push out those that are used least. At least 1.
    ///
    /// Up to 16 million (2²⁰ where pointers have 32 bits), room for as many, about 110 bytes each, is asked of the allocator when the cache is built,
    /// so that the map is never moved while it is in use. Where memory is given when it is first written to, as on Linux, only one or two of these bytes
    /// are taken beforehand. Without this call, or above that bound, the map grows with its entries.
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = Some(entries);
        self
    }

    /// Bounds the tier by weight instead: the bytes of the keys and of the values' encoded form. At least 1.
    ///
    /// `max_entries` then only sizes the map's bookkeeping.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// How old a value from memory may be where there is a Redis tier; without one the ttl alone decides.
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The same where nobody tells of the evictions of other processes, because the server allows or knows no
    /// publish/subscribe: so long may memory serve what another process has evicted. Default: 1 second.
    pub const fn max_age_without_bus(mut self, age: Duration) -> Self {
        self.max_age_without_bus = Some(age);
        self
    }

    /// How long memory may serve what it has after the connection that tells of evictions was lost. Default: zero, not at all, so that
    /// nothing is served that another process has evicted meanwhile.
    pub const fn offline_grace(mut self, grace: Duration) -> Self {
        self.offline_grace = Some(grace);
        self
    }

    pub(crate) const fn off() -> Self {
        Self {
            off: true,
            ..Self::new()
        }
    }

    /// These bounds where they say something, `before` where they do not.
    pub(crate) fn over(&self, before: &Self) -> Self {
        Self {
            max_entries: self.max_entries.or(before.max_entries),
            max_bytes: self.max_bytes.or(before.max_bytes),
            max_age: self.max_age.or(before.max_age),
            max_age_without_bus: self.max_age_without_bus.or(before.max_age_without_bus),
            offline_grace: self.offline_grace.or(before.offline_grace),
            off: self.off,
        }
    }

    pub(crate) const fn is_off(&self) -> bool {
        self.off
    }

    pub(crate) fn entries(&self) -> usize {
        self.max_entries.unwrap_or(MAX_ENTRIES)
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        self.max_bytes
    }

    /// The most that counts, with a bus or without one.
    pub(crate) fn age(&self, without_bus: bool) -> Duration {
        let age = self.max_age.unwrap_or(MAX_AGE);
        if without_bus {
            age.min(self.max_age_without_bus.unwrap_or(MAX_AGE_WITHOUT_BUS))
        } else {
            age
        }
    }

    pub(crate) fn grace(&self) -> Duration {
        self.offline_grace.unwrap_or_default()
    }

    /// For how many entries room is made before there is one.
    pub(crate) fn reserved(&self) -> usize {
        match self.max_entries {
            Some(entries) if !self.off && entries <= MAX_RESERVED => entries,
            _ => 0,
        }
    }

    /// Estimated items and the bound in weight.
    pub(crate) fn bounds(&self) -> (usize, u64) {
        let entries = if self.off { 1 } else { self.entries() };
        (entries, self.max_bytes.unwrap_or(entries as u64))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_RESERVED, Memory};

    #[test]
    fn room_is_made_for_what_somebody_has_said() {
        let said = |entries| Memory::new().max_entries(entries);
        for (memory, reserved) in [
            (Memory::new(), 0),
            (Memory::new().max_bytes(1_000), 0),
            (Memory::off(), 0),
            (Memory::off().over(&said(5)), 0),
            (said(5), 5),
            (said(5).max_bytes(1_000), 5),
            (said(MAX_RESERVED), MAX_RESERVED),
            (said(MAX_RESERVED + 1), 0),
            (said(usize::MAX), 0),
        ] {
            assert_eq!(memory.reserved(), reserved, "{memory:?}");
        }
    }
}
