//! What hooks are told.

use super::Served;

/// A call that was answered, as `on_hit` and `on_miss` are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The name of the cache.
    pub cache: Box<str>,
    /// The annotated function.
    pub site: Box<str>,
    /// The logical key, as [`Key::as_str`](crate::Key::as_str) shows it.
    pub key: Box<str>,
    /// How the call was answered.
    pub served: Served,
}

impl Event {
    /// Of a call that was answered; for tests of hooks.
    #[must_use]
    pub fn new(cache: &str, site: &str, key: &str, served: Served) -> Self {
        Self {
            cache: cache.into(),
            site: site.into(),
            key: key.into(),
            served,
        }
    }
}

/// A function that is told of calls; it runs in the background.
pub(crate) type Hook = fn(&Event);
