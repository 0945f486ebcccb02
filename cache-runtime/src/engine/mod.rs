//! The flow of a call, once for all types and all policies.
//!
//! 1. *Look* into memory; a hit ends here, without a future ([`read`]).
//! 2. *Register* a flight, or join the one that runs ([`call`]).
//! 3. The leader *reads* Redis, *judges* what it finds and takes the *lease* ([`lead`], [`judge`]).
//! 4. It *loads*, renewing the lease meanwhile ([`run`]).
//! 5. It *stores*, presenting the lease: Redis first, then memory, then the waiters ([`store`]).
//!
//! A value past its ttl may be *in hand* meanwhile; [`patience`] decides when it is served all the same. What nobody waits for goes on by itself: loads whose callers have left
//! ([`owned`], [`shown`]), refreshes that hits call for ([`hit`], [`refresh`]) or a [`timer`], and comparisons with the origin ([`check`]), all of them seated by the [`workers`] and held back by
//! [`failures`].
//!
//! Beside it: evictions ([`evict`], of what a [`selection`] names), which break leases and mark flights, the
//! [`journal`] of those that could not be delivered and its [`replay`], those that another server may not know ([`lately`]), puts ([`put`]), and holds ([`holds`]). Everything outside is a port with a
//! null implementation, so nothing here asks whether there is a Redis.

mod around;
mod budget;
mod call;
mod chain;
mod check;
mod core;
mod ear;
mod evict;
mod failures;
mod hit;
mod holds;
mod journal;
mod judge;
mod known;
mod labels;
mod lately;
mod lead;
mod lease;
mod owned;
mod patience;
mod put;
mod read;
mod refresh;
mod replay;
mod run;
mod selection;
mod shown;
mod spans;
mod store;
mod timer;
mod told;
mod wakes;
mod workers;

pub(crate) use self::core::{Core, Settings};
pub use self::selection::Evict;
pub(crate) use budget::count;
pub(crate) use call::{Call, Tags};
pub(crate) use chain::without_known;
pub(crate) use ear::Ear;
pub(crate) use evict::EvictTask;
pub(crate) use failures::Failures;
pub(crate) use hit::{serve_due, serve_hit};
pub(crate) use holds::Holds;
pub(crate) use journal::Journal;
pub use known::{Known, Refresh, known};
pub(crate) use lately::Lately;
pub(crate) use lease::{LEASE, Leases};
pub(crate) use owned::{Load, Origin, run_owned};
pub(crate) use put::Put;
pub(crate) use refresh::here as refresh_here;
pub(crate) use run::{Loaded, run, unwrap, wrap};
pub(crate) use selection::{Item, Target, UNKNOWN_OUTCOME_HOLD};
pub(crate) use store::Wish;
pub(crate) use timer::Timers;
pub(crate) use told::Told;
pub(crate) use wakes::Wakes;
pub(crate) use workers::Workers;
