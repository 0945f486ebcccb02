//! What stands for a text that must not be shown, or is too long to be one.
//!
//! A `secret` argument enters its key as a keyed digest: who reads Redis can neither see it nor try candidates without
//! the fleet's key. A text of more than 512 bytes keeps its literal region, so that patterns and regions still find it,
//! and the rest becomes `#` and a digest. BLAKE3, 128 bits: a collision is out of reach by accident, and one found on
//! purpose is caught because the entry carries the full text.

use std::fmt;

use super::rendered::Rendered;
use super::text::{Full, Text};

/// The longest text a key has; beyond it the digest takes over.
pub(super) const MAX_TEXT: usize = 512;

/// Written in front of a digest; no literal and no value contains it unescaped.
pub(super) const MARK: char = '#';

const DIGITS: usize = 32;
/// What `:`, the mark and the digits leave for the region.
const MAX_REGION: usize = MAX_TEXT - DIGITS - 2;

/// What `secret` arguments are digested with: the same in the whole fleet.
#[derive(Clone)]
pub(crate) struct KeySecret([u8; 32]);

impl KeySecret {
    /// Derives the key of the digest from what the user gave, of whatever length.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(blake3::derive_key(
            "cache-runtime 0.1 digest of secret key arguments",
            bytes,
        ))
    }

    /// 128 bits in hexadecimal.
    pub(super) fn digest(&self, encoded: &[u8], out: &mut Text) -> Result<(), Full> {
        push_hex(&blake3::keyed_hash(&self.0, encoded), out)
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(..)")
    }
}

/// 128 bits of a text that is too long, in hexadecimal.
pub(super) fn push_digest(bytes: &[u8], out: &mut Text) -> Result<(), Full> {
    push_hex(&blake3::hash(bytes), out)
}

fn push_hex(hash: &blake3::Hash, out: &mut Text) -> Result<(), Full> {
    out.push(&hash.to_hex()[..DIGITS])
}

/// Where the literal region of a text ends. `literal` is the length of the literal text in front of the first value,
/// `None` if there is no value.
pub(super) fn region_end(text: &[u8], literal: Option<usize>) -> usize {
    match literal {
        Some(end) => last_colon(&text[..end]),
        None => text.len(),
    }
}

fn last_colon(text: &[u8]) -> usize {
    text.iter().rposition(|byte| *byte == b':').unwrap_or(0)
}

/// Ends a text: as it is, or digested if it is too long.
#[inline]
pub(super) fn seal(text: Text, literal: Option<usize>) -> Rendered {
    if text.len() <= MAX_TEXT {
        Rendered::new(text, literal, None)
    } else {
        condense(&text, literal)
    }
}

/// A long region is cut further, so that what is kept is followed by a `:` in the full text; matching rests on that.
fn condense(full: &Text, literal: Option<usize>) -> Rendered {
    let bytes = full.as_bytes();
    let region = last_colon(&bytes[..literal.unwrap_or(bytes.len()).min(MAX_REGION + 1)]);
    let mut text = Text::new(MAX_TEXT);
    let prefix = if region == 0 { 0 } else { region + 1 };
    let written = text
        .push(&full.as_str()[..prefix])
        .and_then(|()| text.push(MARK.encode_utf8(&mut [0; 4])))
        .and_then(|()| push_digest(bytes, &mut text));
    written.expect("the region was cut to leave room for the digest");
    Rendered::new(text, Some(prefix), Some(full.as_str().into()))
}

/// The part in front of the digest (`"region:"`, or nothing) if the text is a digested one.
pub(super) fn before_digest(text: &str) -> Option<&str> {
    text.find(MARK).map(|at| &text[..at])
}
