//! What happened: counters per site, and how a call was served.

mod counters;
mod event;
mod exposition;
mod families;
mod histogram;
#[cfg(feature = "metrics")]
mod publish;
mod served;
mod stats;
mod stripes;

pub(crate) use counters::{Count, Counters, Terms};
pub use event::Event;
pub(crate) use event::Hook;
pub use histogram::Histogram;
#[cfg(feature = "redis")]
pub(crate) use histogram::StripedDurations;
#[cfg(feature = "metrics")]
pub(crate) use publish::Published;
pub use served::{Served, Why};
pub use stats::{MemoryStats, RedisStats, SiteStats, Stats};
