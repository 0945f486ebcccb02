//! The bounds of the memory tier.

use std::time::Duration;

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
    pub(crate) max_entries: usize,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) max_age: Duration,
    off: bool,
}

impl Memory {
    /// 100,000 entries; at most 60 seconds old where there is a Redis tier.
    pub const fn new() -> Self {
        Self {
            max_entries: 100_000,
            max_bytes: None,
            max_age: Duration::from_secs(60),
            off: false,
        }
    }

    /// The most entries held at once; more push out those that are used least. At least 1.
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
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
        self.max_age = age;
        self
    }

    pub(crate) const fn off() -> Self {
        Self {
            off: true,
            max_entries: 1,
            ..Self::new()
        }
    }

    pub(crate) const fn is_off(&self) -> bool {
        self.off
    }

    /// Estimated items and the bound in weight.
    pub(crate) fn bounds(&self) -> (usize, u64) {
        (
            self.max_entries,
            self.max_bytes.unwrap_or(self.max_entries as u64),
        )
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}
