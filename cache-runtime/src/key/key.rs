//! A key to keep: what `key!` and [`Key::new`] make, and what the programmatic calls take.
//!
//! A key always exists. One whose arguments cannot be rendered knows why and has its region left: reads bypass the cache
//! with it and an eviction takes the region, so `key!` needs no `Result`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::buf::Unrenderable;
use super::digest::{MAX_TEXT, region_end, seal};
use super::escape::{Colon, escape, is_encoded};
use super::fingerprint::UNSPECIFIED;
use super::rendered::Rendered;
use super::scope::{push_scope, split_scope};
use super::text::Text;

/// The logical key of an entry: what follows the cache's name in Redis.
///
/// Cheap to clone. Two keys are equal if they name the same entry, whichever template they came from.
///
/// The region of a key is the literal text in front of its first argument, up to the last `:`. A template without arguments
/// is literal to its end and its own region. A key made by [`Key::new`] may have arguments in its text, so its region is
/// everything up to its last `:`.
#[derive(Clone)]
pub struct Key {
    text: Arc<str>,
    /// The full text if `text` is a digest of it.
    full: Option<Arc<str>>,
    template: u64,
    region: usize,
    /// How much of `text` is the key itself; behind it is the scope.
    key: usize,
    unusable: Option<Unrenderable>,
}

impl Key {
    /// A key from text of your own. `:` separates segments; every other character that means something to keys, globs
    /// or Redis is percent-escaped, so any text will do and different texts are different keys.
    ///
    /// Arguments are better given to `key!`, which keeps their `:` apart from the key's own. The key belongs to no
    /// template: it reaches the entries of any function whose key has the same text.
    pub fn new(text: &str) -> Self {
        let mut encoded = Text::new(usize::MAX);
        escape(&mut encoded, text, Colon::Separates).expect("a text without a limit is never full");
        let literal = encoded.len();
        seal(encoded, Some(literal)).into_key(UNSPECIFIED)
    }

    /// The key that [`as_str`](Self::as_str), events and [`Cache::inspect`](crate::Cache::inspect) show as this text, its scope included; `None` if no
    /// key is shown so. For people who copy what they were shown; text of your own is for [`new`](Self::new).
    ///
    /// It names the entry for [`Cache::inspect`](crate::Cache::inspect) and for evictions. The text of a key over 512 bytes is not all there: reads
    /// and stores under what was made of its digest never meet the entry.
    ///
    /// ```
    /// use cache_runtime::{Key, key};
    ///
    /// let id = "a:b";
    /// let mine = key!("basket:{id}").in_scope("user:1");
    /// assert_eq!(Key::from_shown("basket:a%3Ab:,user%3A1"), Some(mine));
    /// assert_eq!(Key::from_shown("basket:*"), None);
    /// ```
    pub fn from_shown(text: &str) -> Option<Self> {
        let (key, _) = split_scope(text);
        let is_shown = key.len() <= MAX_TEXT && split_scope(key).1.is_none() && is_encoded(text);
        is_shown.then(|| Self {
            text: text.into(),
            full: None,
            template: UNSPECIFIED,
            region: region_end(key.as_bytes(), Some(key.len())),
            key: key.len(),
            unusable: None,
        })
    }

    /// The same key as it belongs to an owner: a user, a tenant. It is another entry than the key itself, and than the key in every
    /// other scope; [`Evict::scope`](crate::Evict::scope) evicts all that an owner has. It replaces a scope the key has already.
    ///
    /// In the text of a scope, as in that of a key, `:` separates. Where an argument may contain one, or be empty, the template of an attribute's `scope`
    /// makes another scope than `format!` would: [`in_scope_named`](Self::in_scope_named) spells it.
    ///
    /// ```
    /// use cache_runtime::{Key, key};
    ///
    /// let id = 7;
    /// let mine = key!("basket:{id}").in_scope("user:1");
    /// assert_ne!(mine, key!("basket:{id}").in_scope("user:2"));
    /// assert_ne!(mine, Key::new("basket:7"));
    /// ```
    #[must_use]
    pub fn in_scope(self, scope: &str) -> Self {
        self.in_scope_named(&Self::new(scope))
    }

    /// [`in_scope`](Self::in_scope), the scope being named by a key of the template that the attribute's `scope` has: whatever its arguments contain, it is
    /// the scope that the attribute means.
    ///
    /// ```
    /// use cache_runtime::key;
    ///
    /// let (id, user) = (7, "urn:1");
    /// let mine = key!("basket:{id}").in_scope_named(&key!("user:{user}"));
    /// assert_ne!(mine, key!("basket:{id}").in_scope("user:urn:1"));
    /// ```
    #[must_use]
    pub fn in_scope_named(self, scope: &Self) -> Self {
        if let Some(why) = self.unusable.as_ref().or(scope.unusable.as_ref()) {
            return Self {
                unusable: Some(why.clone()),
                ..self
            };
        }
        let mut text = Text::new(usize::MAX);
        let pushed = text
            .push(&self.text[..self.key])
            .and_then(|()| push_scope(&mut text, scope.without_scope()));
        pushed.expect("a text without a limit is never full");
        Self {
            text: text.as_str().into(),
            ..self
        }
    }

    /// The full text of the key itself, whatever scope it is in.
    pub(crate) fn without_scope(&self) -> &str {
        self.full().unwrap_or(&self.text[..self.key])
    }

    /// The scope as it stands in the text.
    pub(crate) fn scope(&self) -> Option<&str> {
        // Most keys have none.
        let scoped = self.key < self.text.len();
        scoped.then(|| split_scope(&self.text).1).flatten()
    }

    /// The text of the key: encoded, at most 512 bytes. A longer one keeps its literal region, followed by `#` and a digest
    /// of the whole. Of a key whose arguments could not be serialized, the literal region.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn rendered(rendered: &Rendered, template: u64) -> Self {
        Self {
            text: rendered.as_str().into(),
            full: rendered.full().map(Into::into),
            template,
            region: rendered.region().len(),
            key: rendered.key_len(),
            unusable: None,
        }
    }

    /// The key of arguments that have no text.
    pub(super) fn unusable(region: String, why: Unrenderable, template: u64) -> Self {
        Self {
            full: None,
            template,
            region: region.len(),
            key: region.len(),
            text: region.into(),
            unusable: Some(why),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The fingerprint of the template; [`UNSPECIFIED`] agrees with every other.
    pub(crate) fn template(&self) -> u64 {
        self.template
    }

    /// The full text, if the text is a digest of it.
    pub(crate) fn full(&self) -> Option<&str> {
        self.full.as_deref()
    }

    /// The text that counts against `max_key_bytes`: the full one.
    pub(crate) fn logical(&self) -> &str {
        self.full().unwrap_or(&self.text)
    }

    /// The literal region; empty if the key has none.
    pub(crate) fn region(&self) -> &str {
        &self.text[..self.region]
    }

    /// Why the key names no entry, if it does not.
    pub(crate) fn usable(&self) -> Result<(), Unrenderable> {
        match &self.unusable {
            Some(why) => Err(why.clone()),
            None => Ok(()),
        }
    }

    fn identity(&self) -> (&str, Option<&str>, bool) {
        (&self.text, self.full(), self.unusable.is_some())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unusable {
            None => f.debug_tuple("Key").field(&self.text).finish(),
            Some(why) => f
                .debug_struct("Key")
                .field("region", &self.text)
                .field("unusable", why)
                .finish(),
        }
    }
}
