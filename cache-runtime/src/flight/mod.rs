//! Loads in this process: one per key, and a mark when an eviction overtakes one.
//!
//! A load is registered as a [`Flight`] before its first command to Redis is sent. Callers that come
//! later join it. An eviction *marks* every flight it could concern and takes it out of the table: its value
//! still goes to those who had joined, but not into memory, and the next caller starts a flight of its own.
//!
//! All decisions are taken under the lock of the key's shard: registering (with a second look at the memory
//! tier), marking, and the end of a flight together with its insertion into memory. So an
//! insertion is either before a mark, and removed by the eviction's clearing of memory that follows it, or
//! after it, and does not happen. What a label's eviction does not remove is out of use by the count in its stamp.
//!
//! A leader that is dropped, panics or fails leaves nothing behind: its guard takes the flight out and wakes the waiters, who start anew.

mod guard;
mod in_hand;
mod retry;
mod state;
mod table;

pub(crate) use guard::FlightGuard;
pub(crate) use in_hand::{InHand, Source};
pub(crate) use retry::{Retries, RetryPermit};
pub(crate) use state::{Beginning, Flight, FlightKind, Outcome, SharedError, Wanted};
pub(crate) use table::{Flights, Registered};
