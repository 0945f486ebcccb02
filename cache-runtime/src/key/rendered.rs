//! A finished key text, before anyone needs to keep it.
//!
//! A hit looks the text up and drops it, so it stays in the buffer it was rendered in; only a miss or a [`Key`] copies it
//! out. The region is computed when asked for: no hit asks.

use super::digest::region_end;
use super::key::Key;
use super::text::Text;

/// The text of a key of at most 512 bytes and, if it is digested, the text it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    text: Text,
    literal: Option<usize>,
    full: Option<Box<str>>,
    /// How much of the text is the key; behind it is the scope.
    key: usize,
}

impl Rendered {
    #[inline]
    pub(super) fn new(text: Text, literal: Option<usize>, full: Option<Box<str>>) -> Self {
        Self {
            key: text.len(),
            text,
            literal,
            full,
        }
    }

    /// The same in a scope, given as its segment with what stands in front of it.
    pub(super) fn followed_by(mut self, scope: &str) -> Self {
        self.text = self.text.without_limit();
        self.text
            .push(scope)
            .expect("a text without a limit is never full");
        self
    }

    /// Everything behind the first `key` bytes is a scope that was rendered with it.
    #[inline]
    pub(super) fn with_scope_from(mut self, key: usize) -> Self {
        self.key = key;
        self
    }

    /// How much of the text is the key.
    pub(super) fn key_len(&self) -> usize {
        self.key
    }

    /// The text as bytes: free, where [`as_str`](Self::as_str) checks it first.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// The full text, if the text is a digest of it.
    #[inline]
    pub(crate) fn full(&self) -> Option<&str> {
        self.full.as_deref()
    }

    /// The text, or what it is a digest of.
    pub(crate) fn logical(&self) -> &str {
        self.full().unwrap_or(self.as_str())
    }

    /// The literal region; empty if the text has none.
    pub(crate) fn region(&self) -> &str {
        &self.as_str()[..region_end(&self.bytes()[..self.key], self.literal)]
    }

    /// Keeps the text as a [`Key`] of the template with this fingerprint.
    pub(crate) fn into_key(self, template: u64) -> Key {
        Key::rendered(&self, template)
    }
}
