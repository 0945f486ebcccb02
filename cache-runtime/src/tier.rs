//! What a store must do to be the tier a fleet shares, for stores other than Redis.
//!
//! A cache asks nothing of Redis itself: everything it needs is [`Tier`], and [`CacheBuilder::tier`](crate::CacheBuilder::tier) puts another
//! one in its place. The conformance suite in `cache_runtime::testing::conformance` (feature `test-util`) tells whether it does
//! what it has to; the Redis tier passes the same one.
//!
//! # What has to hold
//!
//! * **A store is refused unless the lease stands that it presents**, and every eviction of a key breaks its lease, in one step with the
//!   removal of the value. This alone keeps a value that was loaded before an eviction from being stored after it.
//! * **A generation that was lost is not remembered**: what is made again is another random number, and the cache's as well.
//!   An entry is alive only while its labels have the generations that it remembers, so forgetting one costs loads, never a wrong
//!   value. Going back to an older one would bring entries back to life.
//! * **What changed is told after it changed**, to every process: [`Listener`] says what the order has to be. Whoever cannot tell that it
//!   heard everything says [`lost`](Listener::lost), and a store that cannot tell at all says
//!   [`unsupported`](Listener::unsupported).
//! * **An error leaves it open whether the call was carried out**, and the cache acts accordingly: a lease that may have been taken is
//!   released, an eviction is repeated.
//! * **Every call ends within its deadline** and never panics. It may be dropped at any time; what it had sent is carried out or not.
//! * **Time is the store's**: leases, holds and lives run out by its clock, which [`Tier::now`] shows, and never by a process's.
//!
//! What is stored is opaque but for [`schema_version`] and [`mark_expired`]; the first sixteen bytes are the [`Token`] of the load.
//! Answers are plain structs that a tier makes; questions may get more fields in a later version, so they are
//! `#[non_exhaustive]`.
//!
//! # What is told, and when
//!
//! After the change and in one step with it, so that whoever hears of it finds it; to all instances, the one it comes from included
//! (`own`):
//!
//! | call | news |
//! | --- | --- |
//! | [`store`](Tier::store) with [`Announce::Waiters`], [`release_later`](Tier::release_later) | [`News::Wake`], if somebody waits for the lease ([`Acquire::waits`]) |
//! | [`store`](Tier::store) with [`Announce::Everybody`] that stored | [`News::Gone`] with the key |
//! | [`remove`](Tier::remove) | [`News::Gone`] with all that was removed |
//! | [`sweep`](Tier::sweep) | [`News::Gone`] with the pattern, once, when all is gone |
//! | [`labelled`](Tier::labelled) or [`acquire`](Tier::acquire) that made the generation of the cache | [`News::Anew`] |
//!
//! # The logical clock
//!
//! [`Logical`] orders the making of generations: it is advanced before a generation is made or replaced, which gets what it shows then
//! ([`Generation::made`]). A clock that was lost begins again under another, random `era`, and generations of other eras are
//! made anew when a load asks for them.
//!
//! # Use
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use cache_runtime::{Cache, tier::Tier};
//!
//! fn build(store: Arc<dyn Tier>) -> Result<Cache, cache_runtime::BuildError> {
//!     // Made for the cache `shop`: a tier belongs to one cache.
//!     Cache::builder("shop").tier(store).build()
//! }
//! # let _ = build;
//! ```

pub use bytes::Bytes;

pub use crate::{
    bus::{Gone, Listener, Manner, Message, News, Sender, Unheard},
    entry::{Token, mark_expired, schema_version},
    key::Pattern,
    tags::{Generation, Label, LabelKind, Logical, Standing},
    tiers::{
        Acquire, Acquired, Announce, ErrorKind, Eviction, Fut, LabelEviction, Labelled, Labels,
        LeaseKind, LinkState, Moment, Read, Register, Remote, Removal, Removed, Store, Stored,
        Tier, TierError,
    },
};
