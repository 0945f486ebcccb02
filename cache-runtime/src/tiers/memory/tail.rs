//! What an entry has behind what every hit reads: its value, and what few entries have.
//!
//! **Problem.** A pointer to what few have costs all of them 8 bytes, and what it points to another block of memory.
//!
//! **Decision.** Entries have tails of several kinds, which nobody tells apart but the function that makes them: a value and nothing else, a value
//! and the end of a key, a value and particulars.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::Care;
use super::text::{End, NoEnd};
use crate::tags::Own;

/// See the module.
pub(crate) trait Tail: Any + Send + Sync {
    /// The end of the key's text, where the head does not have it all.
    fn end(&self) -> &dyn End;
    /// Whether a text of the same length and the same beginning has the same end.
    fn is_of_end(&self, text: &[u8]) -> bool;
    fn more(&self) -> Option<&More>;
}

/// Of an entry without particulars.
pub(super) struct Plain<V, E = NoEnd> {
    pub(super) value: V,
    pub(super) end: E,
}

/// Of one that has some.
pub(super) struct Rich<V> {
    pub(super) more: More,
    pub(super) end: Box<[u8]>,
    pub(super) value: V,
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

impl<V: Any + Send + Sync, E: End> Tail for Plain<V, E> {
    fn end(&self) -> &dyn End {
        &self.end
    }

    #[inline]
    fn is_of_end(&self, text: &[u8]) -> bool {
        self.end.is_end_of(text)
    }

    fn more(&self) -> Option<&More> {
        None
    }
}

impl<V: Any + Send + Sync> Tail for Rich<V> {
    fn end(&self) -> &dyn End {
        &self.end
    }

    fn is_of_end(&self, text: &[u8]) -> bool {
        self.end.is_end_of(text)
    }

    #[inline]
    fn more(&self) -> Option<&More> {
        Some(&self.more)
    }
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
