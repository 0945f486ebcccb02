//! Why the shared tier did not do what it was asked.
//!
//! Callers of annotated functions never see this; counters, logs and `health` do, and the engine
//! decides by the kind. The text is for people and never holds a password: it is made in one place,
//! where the link redacts it.

use std::fmt;

/// What went wrong, as far as the engine and the counters distinguish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ErrorKind {
    /// There is no connection, or it broke during the call: whether it was carried out is unknown.
    Unavailable,
    /// The deadline passed: whether the call was carried out is unknown.
    Timeout,
    /// Too many operations are in flight; nothing was sent.
    Busy,
    /// The server answered with an error (`READONLY`, `NOPERM`, `OOM`, …).
    Refused,
    /// The server answered something that is no answer to the question.
    Protocol,
}

/// A failed operation of the shared tier.
#[derive(Clone, Debug)]
pub(crate) struct TierError {
    pub(crate) kind: ErrorKind,
    pub(crate) text: Box<str>,
}

impl TierError {
    /// Whether the server said nothing, so that asking it again at once is of no use.
    pub(crate) const fn is_silence(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Busy
        )
    }

    pub(crate) fn new(kind: ErrorKind, text: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}

impl fmt::Display for TierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for TierError {}
