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
    /// In the window of `stale_while_revalidate`; a refresh runs, or will as soon as the origin may be tried again.
    Revalidating,
    /// The load failed; in the window of `stale_if_error`.
    Failed,
    /// A load failed lately, or brought nothing that could be stored, here or in another process; the origin is left alone for `retry_after`.
    Throttled,
    /// The load takes longer than `soft_timeout`.
    SoftTimeout,
    /// The load takes longer than `hard_timeout`.
    HardTimeout,
    /// Another's load takes longer than `wait_timeout`.
    WaitTimeout,
}
