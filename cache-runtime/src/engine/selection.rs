//! What an eviction selects, as data.

use std::time::Duration;

use crate::{
    error::{CacheError, ErrorKind},
    key::{Key, Pattern},
};

/// How long loads are not stored after a write whose outcome is unknown: its future was dropped, or it panicked.
pub(crate) const UNKNOWN_OUTCOME_HOLD: Duration = Duration::from_secs(2);

/// What is evicted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Key(Key),
    Pattern(Pattern),
    All,
}

impl Target {
    pub(crate) fn concerns(&self, text: &str) -> bool {
        match self {
            Self::Key(key) => key.text() == text,
            Self::Pattern(pattern) => pattern.matches(text),
            Self::All => true,
        }
    }
}

/// One target and how long its loads are refused.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) target: Target,
    pub(crate) hold: Duration,
}

/// What to evict; built from kinds, combined with [`and`](Self::and).
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Evict, Key, key};
///
/// let id = 7;
/// let what = Evict::key(key!("product:{id}"))
///     .hold(Duration::from_secs(2))
///     .and(Evict::pattern("products:list:*"));
/// # let _ = what;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is evicted until this is passed to `Cache::evict`"]
pub struct Evict {
    pub(crate) items: Vec<Item>,
    /// Patterns and `all` are among the items, as written.
    wide: bool,
    /// A hold was asked for them.
    wide_held: bool,
}

impl Evict {
    /// One key.
    ///
    /// A key that cannot be rendered might be any key of its template: its literal region is evicted.
    pub fn key(key: Key) -> Self {
        Self::keys([key])
    }

    /// Several keys.
    pub fn keys(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            items: keys.into_iter().map(|key| item(key_target(key))).collect(),
            ..Self::default()
        }
    }

    /// Every key a glob matches: `*` any text, `?` one character, `[a-z]` one of a class, `\` escapes.
    ///
    /// Costs a scan of Redis, in two passes.
    pub fn pattern(pattern: impl AsRef<str>) -> Self {
        Self::wide(Target::Pattern(Pattern::parse(pattern.as_ref())))
    }

    /// Everything of this cache.
    ///
    /// Costs a scan of Redis, in two passes.
    pub fn all() -> Self {
        Self::wide(Target::All)
    }

    /// These and those.
    pub fn and(mut self, other: Self) -> Self {
        self.items.extend(other.items);
        self.wide |= other.wide;
        self.wide_held |= other.wide_held;
        self
    }

    /// Refuses to store, for this long, what is loaded under these keys: for origins whose reads lag behind their writes.
    ///
    /// Only for keys; with a pattern or `all` the eviction is an error.
    pub fn hold(mut self, hold: Duration) -> Self {
        for item in &mut self.items {
            item.hold = item.hold.max(hold);
        }
        self.wide_held |= self.wide && !hold.is_zero();
        self
    }

    fn wide(target: Target) -> Self {
        Self {
            items: vec![item(target)],
            wide: true,
            wide_held: false,
        }
    }

    /// Why this cannot be done, whatever Redis says.
    pub(crate) fn check(&self) -> Result<(), CacheError> {
        if self.wide_held {
            return Err(CacheError::new(
                ErrorKind::Invalid,
                "`hold` needs keys: a pattern or `all` cannot be held; nothing was evicted",
            ));
        }
        Ok(())
    }
}

fn item(target: Target) -> Item {
    Item {
        target,
        hold: Duration::ZERO,
    }
}

impl From<Key> for Evict {
    fn from(key: Key) -> Self {
        Self::key(key)
    }
}

impl From<&Key> for Evict {
    fn from(key: &Key) -> Self {
        Self::key(key.clone())
    }
}

fn key_target(key: Key) -> Target {
    match key.usable() {
        Ok(()) => Target::Key(key),
        Err(_) => Target::Pattern(Pattern::region(key.region())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Evict;
    use crate::{door, key::Key};

    #[test]
    fn only_what_was_written_as_a_pattern_cannot_be_held() {
        let unserializable = f_that_fails();
        assert!(unserializable.usable().is_err());
        let hold = Duration::from_secs(2);
        assert!(Evict::key(unserializable).hold(hold).check().is_ok());
        assert!(Evict::pattern("a:*").hold(hold).check().is_err());
        assert!(
            Evict::all()
                .and(Evict::key(Key::new("a")))
                .hold(hold)
                .check()
                .is_err()
        );
        assert!(
            Evict::key(Key::new("a"))
                .hold(hold)
                .and(Evict::pattern("a:*"))
                .check()
                .is_ok()
        );
    }

    fn f_that_fails() -> Key {
        struct Fails;
        impl serde::Serialize for Fails {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        door::key("a:{}", |key| {
            key.lit("a:");
            key.arg(&Fails);
        })
    }
}
