//! What happened: counters per site, and how a call was served.

mod counters;
mod served;
mod stats;

pub(crate) use counters::{Count, Counters};
pub use served::{Served, Why};
pub use stats::{SiteStats, Stats};
