//! The table: what is brought about, and what must then be true.

/// Why a row has no test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Tests of `tests/tests/faults` with the row's number in their names.
    Tests,
    /// None, for this reason: the row does not hold.
    Missing(&'static str),
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) row: u8,
    pub(super) fault: &'static str,
    pub(super) required: &'static str,
    pub(super) proof: Proof,
}

const fn row(row: u8, fault: &'static str, required: &'static str) -> Row {
    Row {
        row,
        fault,
        required,
        proof: Proof::Tests,
    }
}

const fn missing(row: u8, fault: &'static str, required: &'static str, why: &'static str) -> Row {
    Row {
        row,
        fault,
        required,
        proof: Proof::Missing(why),
    }
}

/// T is what a call may lose to Redis: 100 ms.
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row(1, "Redis killed while nobody calls", "first call at most T late, then < 50 µs; values from the origin"),
    row(2, "Redis killed in the middle of a load", "everybody gets the value, nothing is stored, 1 load for each process"),
    row(3, "no Redis at the start", "the program starts, as 1; connected <= 2.5 s after it appears"),
    row(4, "Redis restarted empty", "memory from before not served; back <= 2.5 s; 1 load for each key in the fleet"),
    row(5, "Redis stopped (SIGSTOP) for 30 s under 256 callers", "in flight <= T once, then < 50 µs; back <= 2 s; nothing stale from late writes"),
    row(6, "old sockets black-holed, new ones work", "noticed <= 3 s, connected again <= 5 s"),
    row(7, "SYN packets dropped", "connecting in the background; calls < 50 µs once that is known"),
    row(8, "a storm of resets, one in 50 ms", "calls <= T late; connections at a jittered, bounded rate"),
    row(9, "500 ms later, every reply", "as 5; no more than 1 change of state a second"),
    row(10, "one byte a second", "<= T; the connection is left"),
    row(11, "truncated replies, no RESP", "connection left, a miss, nobody hangs, no memory"),
    row(12, "a reply announces 512 MB", "refused by max_value_bytes (and 16 MB for what is beside values), no memory"),
    row(13, "OOM, noeviction", "reads go on, stores fail and are counted, evictions of keys and tags work"),
    row(14, "maxmemory pushes out a lease", "its store is refused, an extra load, 0 stale"),
    row(15, "the key of a tag is removed", "all its entries miss, none comes back"),
    row(16, "volatile-ttl drops leases first", "only duplicate loads, at most 1 for each process"),
    row(17, "the primary becomes a replica (READONLY)", "left, also if it takes writes; connected anew, by name, <= 2 s; evictions kept until done"),
    row(18, "LOADING", "treated as down, though it answers HELLO"),
    row(19, "wrong password, later fixed", "never final: back <= 2.5 s after it is right; the password in no log"),
    row(20, "commands or channels not permitted", "health names what is missing; each feature for itself; without channels memory for 1 s"),
    row(21, "maxclients reached", "backs off; back <= 2 s after a place is free"),
    row(22, "MOVED and ASK", "at most 1 redirect, <= 2 T"),
    row(23, "a primary without a replica killed", "only its slots degrade"),
    row(24, "one node of a cluster stopped", "p99 of the other shards at most 10 % more"),
    row(25, "a failover loses the last writes", "a duplicate load; stale no longer than the ttl, documented"),
    row(26, "all connections to a cluster are stale", "0 errors to callers"),
    row(27, "SCRIPT FLUSH", "a round trip or two more, once; right"),
    row(28, "another type under the key", "a miss, overwritten, counted"),
    row(29, "a damaged value, each byte", "a miss, never a panic, never another value"),
    row(30, "somebody else's value", "a miss"),
    row(31, "an older and a newer build", "no more than 1 load each; evicted by either, gone for both"),
    missing(32, "a decompression bomb", "bounded by max_value_bytes", "there is no compression yet"),
    row(33, "a value of 50 MB", "returned, not stored, counted; other keys as before"),
    row(34, "an argument of 1 MB", "digested beyond 512 bytes; beyond max_key_bytes the call goes beside the cache"),
    row(35, "the clock of a process jumps by an hour", "nothing lives longer or shorter; tags reach it"),
    row(36, "the clock of the server jumps by an hour", "bounded by the ttl in memory"),
    row(37, "a leader is dropped, at any await", "a waiter takes over at once; no lease stays"),
    row(38, "a leader panics", "only its caller; the next waiter loads"),
    row(39, "a leader fails", "not cached; waiters share the error or load, no more than 1 load each"),
    row(40, "a process with a lease is killed", "another leads after the lease, 3 s"),
    row(41, "a process with a lease is stopped", "another leads; the first one's store is refused"),
    row(42, "an eviction during a load", "the store is refused; the next read is fresh"),
    row(43, "a tag evicted during a load, and during a background refresh", "0 stale"),
    row(44, "an eviction during a refresh of a stale value, by a timer, or a load that nobody waits for", "does not come back"),
    row(45, "a write is dropped after its commit", "evicted all the same; 0 stale"),
    row(46, "an eviction while Redis is away", "replayed before this process reads it"),
    row(47, "a caller after an eviction, beside an older load", "a load of its own"),
    row(48, "a message is missed", "stale <= 3 s"),
    row(49, "messages nobody reads", "the server cuts it off; as 48"),
    row(50, "an eviction between the reply and its use", "not kept in memory, 0 of 5,000"),
    row(51, "FLUSHALL", "a new epoch at the next beat, <= 1 s"),
    row(52, "a load asks for its own key", "runs through"),
    row(53, "two loads wait for each other", "resolved by wait_timeout"),
    missing(54, "the runtime ends with writes pending", "what is lost is told", "there is no write-behind yet"),
    missing(55, "a consumer dies in a batch", "delivered again, in order for each key", "there is no write-behind yet"),
    row(56, "10,000 callers, Redis stalled", "at most 1,024 in flight, the others without Redis; memory flat"),
    row(57, "200 clients come back together", "spread over >= 1 s; nobody refused"),
    row(58, "a hot key expires, 100 processes of 100 callers", "1 load for each expiry, 1 more for a lost lease"),
    row(59, "arguments that mean something to keys and globs", "a key and a slot each; no neighbour is evicted"),
    row(60, "two keys of one digest", "a miss, never the other's value"),
    row(61, "users and arguments left out of keys", "nobody sees another's; leaving out takes a word"),
    row(62, "100,000 calls cancelled", "0 replies of others"),
    row(63, "secrets", "0 hits in keys, values, commands, logs, errors, Debug"),
    row(64, "two functions of one name", "keys of their own"),
    row(65, "a ttl of nothing, and for ever", "not stored; bounded; in an attribute, no compilation"),
    row(66, "an origin whose replica lags", "with hold: 0 stale stored"),
    row(67, "the name means another server", "the next connection goes there, <= 5 s"),
    row(68, "a process stopped for 10 s while another evicts", "the first call after it is not served from memory"),
];
