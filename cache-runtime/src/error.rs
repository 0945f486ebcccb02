//! What can go wrong, and what it means for the caller.
//!
//! An annotated function has no error of the cache's: whatever happens to Redis, it answers. These errors come
//! from building a cache and from the calls that ask it to do something in particular.

use std::{error::Error, fmt, time::Duration};

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Redis did not confirm an eviction. It is queued and will be replayed before this process reads what it concerns.
    Queued,
    /// A value was not stored: it has no JSON form, or is larger than `max_value_bytes`.
    Unstorable,
    /// A value was not stored because Redis did not answer, or an eviction or a hold came between.
    NotStored,
    /// The cache was closed.
    Closed,
    /// The key cannot be rendered.
    Key,
    /// The request makes no sense.
    Invalid,
    /// Redis answered with an error: what it said is in the text.
    Refused,
    /// Redis did not answer in time. Whether the command was carried out is unknown.
    Timeout,
    /// There is no connection to Redis, or it broke. Whether a command that was under way was carried out is unknown.
    Unavailable,
    /// As many Redis operations are in flight as `max_in_flight` allows; nothing was sent.
    Busy,
}

/// A call on a cache that could not do all it was asked.
pub struct CacheError {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CacheError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without a change by the caller.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        use ErrorKind::{Busy, NotStored, Queued, Timeout, Unavailable};
        matches!(self.kind, Queued | NotStored | Timeout | Unavailable | Busy)
    }
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CacheError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

/// A configuration no cache can be built from; names the setting or variable and its value.
#[derive(PartialEq, Eq)]
pub struct BuildError(pub(crate) String);

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BuildError {}

/// Another cache is installed in this process.
#[derive(PartialEq, Eq)]
pub struct InstallError(pub(crate) String);

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the cache `{}` is installed already; a process has one default, others are named with `cache = …`",
            self.0
        )
    }
}

impl Error for InstallError {}

/// A call gave up waiting for its load after `hard_timeout`. The load goes on, and its value is stored when it is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LoadTimeout(pub(crate) Duration);

impl LoadTimeout {
    /// Of a call that has waited so long; for tests of what is made of it.
    #[must_use]
    pub const fn new(after: Duration) -> Self {
        Self(after)
    }

    /// How long the call had waited.
    #[must_use]
    pub const fn after(&self) -> Duration {
        self.0
    }
}

impl fmt::Display for LoadTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no value within {:?}, the `hard_timeout`; the load goes on in the background",
            self.0
        )
    }
}

impl Error for LoadTimeout {}

/// `main` prints the `Debug` of its error, and a person reads it: both forms are the text.
macro_rules! debug_is_text {
    ($($error:ty)*) => {
        $(impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        })*
    };
}

debug_is_text!(CacheError BuildError InstallError LoadTimeout);
