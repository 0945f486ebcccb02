//! Where a call's value came from.

/// How a call was answered; see [`traced`](crate::traced).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Served {
    /// From this process's memory.
    Memory,
    /// From Redis.
    Redis,
    /// This call ran the origin.
    Loaded,
    /// Another call's load was waited for, in this process or in another.
    Shared,
    /// Past its ttl, by a policy that allows it.
    Stale(Why),
    /// The cache was neither read nor written.
    Bypassed(Why),
}

/// The reason of an unusual answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// The call ran inside [`bypass`](crate::bypass).
    Asked,
    /// `condition` was false.
    Condition,
    /// The key could not be rendered: an argument failed to serialize, the key is longer than `max_key_bytes`,
    /// or an argument is `secret` and the fleet has no `key_secret`.
    Key,
    /// A load asked for the key it is loading.
    Recursion,
}
