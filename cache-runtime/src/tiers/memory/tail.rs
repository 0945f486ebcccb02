//! What an entry has beside what every hit reads: its value, and what few entries have.
//!
//! **Problem.** A pointer to what few have costs all of them 8 bytes.
//!
//! **Decision.** An entry has one pointer: to its value, if that and a short key is all it has; else to a block with both the value and what else there is. Which
//! it is, its [`Life`](super::term::Life) says.

use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::Care;
use crate::entry::Erased;
use crate::tags::Own;

/// Of an entry whose key is not short.
pub(super) struct Long<E> {
    pub(super) end: E,
    pub(super) value: Erased,
}

/// Of one that has particulars.
pub(super) struct Rich {
    pub(super) more: More,
    /// Of its key.
    pub(super) end: Box<[u8]>,
    pub(super) value: Erased,
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
