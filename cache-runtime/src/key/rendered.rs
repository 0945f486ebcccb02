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
}

impl Rendered {
    #[inline]
    pub(super) fn new(text: Text, literal: Option<usize>, full: Option<Box<str>>) -> Self {
        Self {
            text,
            literal,
            full,
        }
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

    /// The literal region; empty if the text has none.
    pub(crate) fn region(&self) -> &str {
        &self.as_str()[..region_end(self.bytes(), self.literal)]
    }

    /// Keeps the text as a [`Key`] of the template with this fingerprint.
    pub(crate) fn into_key(self, template: u64) -> Key {
        Key::rendered(&self, template)
    }
}
