//! What few entries have beside what every hit reads.
//!
//! **Problem.** All of it in the map's slot would be half as much again for every entry.
//!
//! **Decision.** An entry with a key that is not short, or with particulars, has a block of memory for them, and 8 bytes that point to it. Who knows that nothing was evicted since
//! does not look there: the value is in the slot. So are the first 16 bytes of its key. The block has the last 16 or 32, though some of them
//! are in both places: what has a fixed length is compared without a loop or a call. Beyond 48 bytes the others are a block of their own.

use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::Care;
use crate::key::Beginning;
use crate::tags::Own;

/// So much of a key is at its entry's beginning.
pub(super) const SHORT: usize = Beginning::BYTES;
/// Stands for the length of a key whose end knows its own.
pub(super) const LONG: u8 = 63;

/// What an entry has that has more than a short key and a value: the end of its key, of one of two lengths or of any, or particulars.
pub(super) enum Rest {
    By16([u8; 16]),
    By32([u8; 32]),
    Longer(Box<[u8]>),
    Rich { more: More, end: Box<[u8]> },
}

impl Rest {
    /// Of an entry under this key, if there is any.
    pub(super) fn of(text: &[u8], more: Option<More>) -> Option<Self> {
        let end = || Box::from(text.get(SHORT..).unwrap_or_default());
        Some(if let Some(more) = more {
            Self::Rich { more, end: end() }
        } else if text.len() <= SHORT {
            return None;
        } else if let Some(end) = last(text) {
            Self::By16(end)
        } else if let Some(end) = last(text) {
            Self::By32(end)
        } else {
            Self::Longer(end())
        })
    }

    /// The last bytes of the key; some of them may be at its entry's beginning as well.
    pub(super) fn end(&self) -> &[u8] {
        match self {
            Self::By16(end) => end,
            Self::By32(end) => end,
            Self::Longer(end) | Self::Rich { end, .. } => end,
        }
    }

    /// Whether these are the last bytes of a text of the same length and the same beginning.
    pub(super) fn is_end_of(&self, text: &[u8]) -> bool {
        match self {
            Self::By16(end) => text.last_chunk() == Some(end),
            Self::By32(end) => text.last_chunk() == Some(end),
            Self::Longer(end) | Self::Rich { end, .. } => text.get(SHORT..) == Some(end),
        }
    }

    #[inline]
    pub(super) fn more(&self) -> Option<&More> {
        match self {
            Self::Rich { more, .. } => Some(more),
            _ => None,
        }
    }
}

/// The last bytes of a text that they and its entry's beginning cover.
fn last<const LENGTH: usize>(text: &[u8]) -> Option<[u8; LENGTH]> {
    let covered = text.len() <= SHORT + LENGTH;
    text.last_chunk().copied().filter(|_| covered)
}

/// What few entries have.
#[derive(Debug)]
pub(crate) struct More {
    /// Labels of its own.
    pub(super) own: Own,
    /// The moves of all counts when the own labels were last found current.
    found_current: AtomicU64,
    /// The full text of a digested key.
    pub(super) full_key: Option<Box<str>>,
    /// What its hits call for, once a site has asked that wants to know.
    pub(super) care: OnceBox<Care>,
}

/// What is known of one entry alone.
#[derive(Debug, Default)]
pub(crate) struct Particulars<'a> {
    pub(crate) own: Own,
    pub(crate) full_key: Option<&'a str>,
    pub(crate) care: Option<Care>,
}

impl Particulars<'_> {
    /// `None`: nothing.
    pub(super) fn kept(self) -> Option<More> {
        if self.own.is_empty() && self.full_key.is_none() && self.care.is_none() {
            return None;
        }
        let care = OnceBox::new();
        if let Some(known) = self.care {
            let _ = care.set(Box::new(known));
        }
        Some(More {
            own: self.own,
            full_key: self.full_key.map(Into::into),
            found_current: AtomicU64::new(u64::MAX),
            care,
        })
    }
}

impl More {
    /// Its labels are looked at again only after some label was evicted: each is a line of memory of its own.
    #[inline]
    pub(super) fn is_current(&self, moves: u64) -> bool {
        if self.found_current.load(Ordering::Relaxed) == moves {
            return true;
        }
        let current = self.own.is_current();
        if current {
            self.found_current.store(moves, Ordering::Relaxed);
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use super::{Rest, SHORT};

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
        assert!(Rest::of(&[b'k'; SHORT], None).is_none());
        for (length, kept) in [(17, 16), (32, 16), (33, 32), (48, 32), (49, 33), (500, 484)] {
            let text = vec![b'k'; length];
            let rest = Rest::of(&text, None).expect("it is long");
            assert_eq!(rest.end(), &text[length - kept..]);
            assert!(rest.is_end_of(&text) && !rest.is_end_of(&text[..kept - 1]));
            let mut others = others(&text).skip(length - kept);
            assert!(others.all(|other| !rest.is_end_of(&other)));
        }
    }

    /// The allocators have blocks of 16 bytes more each; 8 of them are theirs, 16 the counts of references.
    #[test]
    fn it_fills_a_block() {
        assert_eq!(size_of::<Rest>(), 96 - 8 - 16);
    }
}
