//! What is explored: a few calls, what was there before, and what may go wrong.

use std::fmt;

use crate::{PROCESSES, calls::Call, gate::Trouble};

/// A few calls, all of them at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration {
    /// By which process.
    pub(crate) calls: &'static [(usize, Call)],
    /// The processes that have read the entry before.
    pub(crate) warm: &'static [usize],
    /// What they read is past its ttl.
    pub(crate) expired: bool,
    /// Which processes have a memory tier.
    pub(crate) memory: [bool; PROCESSES],
    pub(crate) trouble: Trouble,
}

/// These calls, on an empty cache, where nothing goes wrong.
pub(crate) const fn all(calls: &'static [(usize, Call)]) -> Configuration {
    Configuration {
        calls,
        warm: &[],
        expired: false,
        memory: [true; PROCESSES],
        trouble: Trouble {
            faults: 0,
            drops: 0,
        },
    }
}

impl Configuration {
    /// After these processes have read the entry.
    pub(crate) const fn after_reads_of(mut self, warm: &'static [usize]) -> Self {
        self.warm = warm;
        self
    }

    /// What was read before is past its ttl.
    pub(crate) const fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    /// The second process has no memory tier.
    pub(crate) const fn one_without_memory(mut self) -> Self {
        self.memory = [true, false];
        self
    }

    /// One caller gives up a command, or one subscription breaks, or nothing of it.
    pub(crate) const fn with_a_fault(mut self) -> Self {
        self.trouble.faults = 1;
        self
    }

    /// One call is dropped, or none.
    pub(crate) const fn with_a_drop(mut self) -> Self {
        self.trouble.drops = 1;
        self
    }

    /// How the entry is read when the calls are over.
    pub(crate) fn last_read(&self) -> Call {
        let mut calls = self.calls.iter().map(|(_, call)| *call);
        let as_is = [Call::ReadLate, Call::ReadKept, Call::ReadSoft];
        calls
            .find(|call| as_is.contains(call))
            .unwrap_or(Call::Read)
    }

    pub(crate) fn writes(&self) -> bool {
        self.calls.iter().any(|(_, call)| !call.is_read())
    }

    pub(crate) fn reads(&self) -> bool {
        self.calls.iter().any(|(_, call)| call.is_read())
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            calls,
            warm,
            expired,
            memory,
            trouble,
        } = self;
        write!(
            f,
            "{calls:?}, read before by {warm:?}, expired {expired}, memory {memory:?}, {trouble:?}"
        )
    }
}
