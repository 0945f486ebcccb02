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
}

impl Evict {
    /// One key.
    pub fn key(key: Key) -> Self {
        Self::one(key_target(key))
    }

    /// Several keys.
    pub fn keys(keys: impl IntoIterator<Item = Key>) -> Self {
        let items = keys
            .into_iter()
            .map(|key| Item {
                target: key_target(key),
                hold: Duration::ZERO,
            })
            .collect();
        Self { items }
    }

    /// Every key a glob matches: `*` any text, `?` one character, `[a-z]` one of a class, `\` escapes.
    ///
    /// Costs a scan of Redis, in two passes.
    pub fn pattern(pattern: impl AsRef<str>) -> Self {
        Self::one(Target::Pattern(Pattern::parse(pattern.as_ref())))
    }

    /// Everything of this cache.
    ///
    /// Costs a scan of Redis, in two passes.
    pub fn all() -> Self {
        Self::one(Target::All)
    }

    /// These and those.
    pub fn and(mut self, other: Self) -> Self {
        self.items.extend(other.items);
        self
    }

    /// Refuses to store, for this long, what is loaded under these keys: for origins whose reads lag behind their writes.
    ///
    /// Only for keys; with a pattern or `all` the eviction is an error.
    pub fn hold(mut self, hold: Duration) -> Self {
        for item in &mut self.items {
            item.hold = item.hold.max(hold);
        }
        self
    }

    pub(crate) fn one(target: Target) -> Self {
        Self {
            items: vec![Item {
                target,
                hold: Duration::ZERO,
            }],
        }
    }

    /// Why this cannot be done, whatever Redis says.
    pub(crate) fn check(&self) -> Result<(), CacheError> {
        let holds_much =
            |item: &Item| !item.hold.is_zero() && !matches!(item.target, Target::Key(_));
        if self.items.iter().any(holds_much) {
            return Err(CacheError::new(
                ErrorKind::Invalid,
                "`hold` needs keys: a pattern or `all` cannot be held; nothing was evicted",
            ));
        }
        Ok(())
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

/// A key that cannot be rendered might be any key of its template: its literal region goes.
fn key_target(key: Key) -> Target {
    match key.usable() {
        Ok(()) => Target::Key(key),
        Err(_) => Target::Pattern(Pattern::region(key.region())),
    }
}
