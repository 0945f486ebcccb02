//! The two ways in which what is stored stops being fresh.

/// How what was selected is treated. There will be no third.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Manner {
    /// It is gone.
    #[default]
    Evict,
    /// It is past its ttl.
    Expire,
}
