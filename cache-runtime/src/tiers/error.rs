//! Why the shared tier did not do what it was asked.
//!
//! Callers of annotated functions never see this; counters, logs and `health` do, and the engine
//! decides by the kind. The text is for people and never holds a password: it is made in one place,
//! where the link redacts it.

use std::fmt;

/// What went wrong, as far as the engine and the counters distinguish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
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
pub struct TierError {
    /// What decides what is done about it.
    pub kind: ErrorKind,
    /// For people: what happened, what it means. Never holds a password.
    pub text: Box<str>,
}

impl TierError {
    /// Whether the server said nothing, so that asking it again at once is of no use.
    #[must_use]
    pub const fn is_silence(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Busy
        )
    }

    /// An error of this kind.
    #[must_use]
    pub fn new(kind: ErrorKind, text: impl Into<Box<str>>) -> Self {
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
