//! What an eviction selects, as data.

use std::time::Duration;

use crate::{
    bus::Manner,
    error::{CacheError, ErrorKind},
    key::{Key, Pattern, scope_segment, segment_of},
    observe::Count,
    tags::{Label, LabelKind, Labelling},
};

/// How long loads are not stored after a write whose outcome is unknown: its future was dropped, or it panicked.
pub(crate) const UNKNOWN_OUTCOME_HOLD: Duration = Duration::from_secs(2);

/// What is evicted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Key(Key),
    /// A region among them: a pattern that ends in `:*`.
    Pattern(Pattern),
    /// A tag, a scope, or the whole cache.
    Label(Label),
}

impl Target {
    pub(crate) fn all() -> Self {
        Self::Label(Label::cache())
    }

    /// Whether it concerns an entry with this key text that carries, or may carry, these labels.
    pub(crate) fn concerns(&self, text: &str, labelling: &Labelling) -> bool {
        match self {
            Self::Key(key) => key.text() == text,
            Self::Pattern(pattern) => pattern.matches(text),
            Self::Label(label) => labelling.may_carry(label),
        }
    }

    /// As what it is counted.
    pub(super) fn kind(&self) -> Count {
        match self {
            Self::Key(_) => Count::EvictedKey,
            Self::Pattern(pattern) if pattern.as_region().is_some() => Count::EvictedRegion,
            Self::Pattern(_) => Count::EvictedPattern,
            Self::Label(label) => match label.kind() {
                LabelKind::Tag => Count::EvictedTag,
                LabelKind::Region => Count::EvictedRegion,
                LabelKind::Scope => Count::EvictedScope,
                LabelKind::Cache => Count::EvictedAll,
            },
        }
    }

    /// The same, for people.
    pub(super) fn kind_name(&self) -> &'static str {
        match self.kind() {
            Count::EvictedKey => "key",
            Count::EvictedPattern => "pattern",
            Count::EvictedRegion => "region",
            Count::EvictedTag => "tag",
            Count::EvictedScope => "scope",
            _ => "all",
        }
    }

    /// The label whose eviction does all of it, or at least all of it where every template tells its regions.
    pub(crate) fn label(&self) -> Option<Label> {
        match self {
            Self::Key(_) => None,
            Self::Pattern(pattern) => pattern.as_region().map(region_label),
            Self::Label(label) => Some(label.clone()),
        }
    }
}

/// The label of a region; of the empty one, the cache's.
pub(super) fn region_label(region: &str) -> Label {
    if region.is_empty() {
        Label::cache()
    } else {
        Label::region(region)
    }
}

/// One target, how it goes, and how long its loads are refused.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) target: Target,
    pub(crate) manner: Manner,
    pub(crate) hold: Duration,
}

impl Item {
    /// An eviction without a hold.
    pub(crate) fn evict(target: Target) -> Self {
        Self {
            target,
            manner: Manner::Evict,
            hold: Duration::ZERO,
        }
    }
}

/// What to evict or expire; built from kinds, combined with [`and`](Self::and).
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Evict, Key, key};
///
/// let id = 7;
/// let what = Evict::key(key!("product:{id}"))
///     .hold(Duration::from_secs(2))
///     .and(Evict::tag("bestsellers"))
///     .and(Evict::region("products:list"));
/// # let _ = what;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is evicted until this is passed to `Cache::evict` or `Cache::expire`"]
pub struct Evict {
    pub(crate) items: Vec<Item>,
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
        Self::of(keys.into_iter().map(key_target))
    }

    /// Every key a glob matches: `*` any text, `?` one character, `[a-z]` one of a class, `\` escapes. In every scope.
    ///
    /// `literal:*` costs one round trip, whatever number of keys there are, if the keys of all functions that it can match
    /// have the literal in front of their first value. Anything else costs a scan of Redis, in two passes.
    pub fn pattern(pattern: impl AsRef<str>) -> Self {
        Self::of([Target::Pattern(Pattern::parse(pattern.as_ref()))])
    }

    /// Every entry that carries a tag, at the same cost whatever their number.
    ///
    /// A tag is its text: what a template makes of an argument, `"author:{author}"`, is reached by the text that `format!` makes of it, whatever
    /// characters are in it. `None` is the empty text.
    pub fn tag(tag: impl AsRef<str>) -> Self {
        Self::tags([tag])
    }

    /// Every entry that carries one of these tags.
    pub fn tags<T: AsRef<str>>(tags: impl IntoIterator<Item = T>) -> Self {
        let label = |tag: T| Target::Label(Label::tag(&Key::new(tag.as_ref())));
        Self::of(tags.into_iter().map(label))
    }

    /// A region: the key of this text and every key below it (`products:list` and `products:list:…`), in every scope.
    ///
    /// Costs what the pattern `region:*` costs.
    pub fn region(region: impl AsRef<str>) -> Self {
        let region = Key::new(region.as_ref());
        Self::of([Target::Pattern(Pattern::region(region.logical()))])
    }

    /// Every entry of an owner, whatever their number and keys.
    ///
    /// In the text `:` separates, as in that of a key; for arguments that may contain one, or be empty, see [`scope_named`](Self::scope_named).
    pub fn scope(scope: impl AsRef<str>) -> Self {
        let segment = scope_segment(scope.as_ref());
        Self::of([Target::Label(Label::scope(&segment))])
    }

    /// [`scope`](Self::scope), named by a key of the template that the attribute's `scope` has: whatever its arguments contain, it is the scope that the
    /// attribute means. A key that cannot be rendered might be any scope: everything is evicted.
    ///
    /// ```
    /// use cache_runtime::{Evict, key};
    ///
    /// let user = "urn:7";
    /// let what = Evict::scope_named(&key!("user:{user}"));
    /// # let _ = what;
    /// ```
    pub fn scope_named(scope: &Key) -> Self {
        Self::of([match scope.usable() {
            Ok(()) => Target::Label(Label::scope(&segment_of(scope.without_scope()))),
            Err(_) => Target::all(),
        }])
    }

    /// Everything of this cache, at the same cost whatever it holds.
    pub fn all() -> Self {
        Self::of([Target::all()])
    }

    /// These and those, in one round trip (beside the scans of patterns that need one).
    pub fn and(mut self, other: Self) -> Self {
        self.items.extend(other.items);
        self
    }

    /// Refuses to store, for this long, what is loaded meanwhile of all that was selected so far: for origins whose reads lag behind
    /// their writes.
    ///
    /// A pattern can be held if it is a region, `literal:*`; with another one the eviction is an error.
    pub fn hold(mut self, hold: Duration) -> Self {
        for item in &mut self.items {
            item.hold = item.hold.max(hold);
        }
        self
    }

    fn of(targets: impl IntoIterator<Item = Target>) -> Self {
        Self {
            items: targets.into_iter().map(Item::evict).collect(),
        }
    }

    /// Why this cannot be done, whatever Redis says.
    pub(crate) fn check(&self) -> Result<(), CacheError> {
        let unholdable = |item: &&Item| !item.hold.is_zero() && !is_holdable(&item.target);
        if self.items.iter().any(|item| unholdable(&item)) {
            return Err(CacheError::new(
                ErrorKind::Invalid,
                "`hold` needs to know what it holds: keys, tags, regions, scopes, `all` or a pattern `literal:*`; nothing was evicted",
            ));
        }
        Ok(())
    }
}

fn is_holdable(target: &Target) -> bool {
    match target {
        Target::Pattern(pattern) => pattern.as_region().is_some(),
        Target::Key(_) | Target::Label(_) => true,
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
    fn only_a_pattern_that_is_no_region_cannot_be_held() {
        let unserializable = f_that_fails();
        assert!(unserializable.usable().is_err());
        let held = |evict: Evict| evict.hold(Duration::from_secs(2)).check();
        for holdable in [
            Evict::key(unserializable),
            Evict::pattern("a:*"),
            Evict::region("a"),
            Evict::tag("a"),
            Evict::scope("a"),
            Evict::all(),
        ] {
            assert!(held(holdable.clone()).is_ok(), "{holdable:?}");
        }
        assert!(held(Evict::pattern("*:a")).is_err());
        assert!(held(Evict::all().and(Evict::pattern("a*"))).is_err());
        let after = Evict::key(Key::new("a"))
            .hold(Duration::from_secs(2))
            .and(Evict::pattern("a*"));
        assert!(after.check().is_ok());
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
