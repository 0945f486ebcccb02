//! The text of a key as an entry keeps it.
//!
//! **Problem.** A hit compares it, so it has to be where the hit reads anyway; and a pointer to text elsewhere is as many bytes as most keys.
//!
//! **Decision.** The first 16 bytes are among what a hit reads. Of a longer key the last 16 or 32 are beside the value, in a block of memory for both,
//! though some of them are in both places: what has a fixed length is compared without a loop or a call. Beyond 48 bytes the others are a block of their own.

use crate::key::Beginning;

/// So much of a key is at its entry's beginning.
pub(super) const SHORT: usize = Beginning::BYTES;
/// Stands for the length of a key whose end knows its own.
pub(super) const LONG: u8 = 63;

/// What of a key's text is not at its entry's beginning.
pub(super) trait End: Send + Sync + 'static {
    /// The last bytes; they may be more than were left.
    fn as_bytes(&self) -> &[u8];
    /// Whether it is the end of a text of the same length and the same beginning.
    fn is_end_of(&self, text: &[u8]) -> bool;
}

impl<const LENGTH: usize> End for [u8; LENGTH] {
    fn as_bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn is_end_of(&self, text: &[u8]) -> bool {
        text.last_chunk() == Some(self)
    }
}

/// All that was left; of no fixed length.
impl End for Box<[u8]> {
    fn as_bytes(&self) -> &[u8] {
        self
    }

    fn is_end_of(&self, text: &[u8]) -> bool {
        text.get(SHORT..) == Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{End, SHORT};

    /// Texts that differ from this one in one byte.
    fn others(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        (0..text.len()).map(|at| {
            let mut other = text.to_vec();
            other[at] = b'o';
            other
        })
    }

    #[test]
    fn an_end_is_that_of_no_other_text() {
        let text = vec![b'k'; 40];
        let ends: [&dyn End; 3] = [&[b'k'; 16], &[b'k'; 32], &Box::<[u8]>::from(&text[SHORT..])];
        for (end, length) in ends.into_iter().zip([16, 32, 24]) {
            assert_eq!(end.as_bytes(), &text[40 - length..]);
            assert!(end.is_end_of(&text) && !end.is_end_of(&text[..length - 1]));
            assert!(
                others(&text)
                    .skip(40 - length)
                    .all(|it| !end.is_end_of(&it))
            );
        }
    }
}
