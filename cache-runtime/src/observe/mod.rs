//! What happened: counters per site, and how a call was served.

mod counters;
mod event;
mod served;
mod stats;

pub(crate) use counters::{Count, Counters};
pub use event::Event;
pub(crate) use event::Hook;
pub use served::{Served, Why};
pub use stats::{SiteStats, Stats};
