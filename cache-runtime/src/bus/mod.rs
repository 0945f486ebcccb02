//! The bus: what processes tell each other.
//!
//! **Problem.** A process that serves from its memory must hear of the evictions of others, and must know when it might
//! have missed one.
//!
//! **Decision.** One channel per cache. The scripts that make a change announce it in the same step, after it. A message
//! names what changed and carries neither values nor generations: who needs one reads it. Each subscriber hears a
//! beat of its own once a second over the same connection; three seconds without one, a lost connection or
//! an unreadable message mean that something may have been missed.
//!
//! **Contract** of who delivers (a tier) towards who listens (the engine): after [`Listener::subscribed`] every message that
//! was sent is delivered, those about one key or one label in the order they were sent, or [`Listener::lost`] is called first. A sign of life counts from when the beat was
//! *sent*: what was announced before that has been delivered, what came later may be on its way.

mod coherence;
mod message;

pub(crate) use coherence::{Coherence, Hearing};
pub use message::{Message, Sender};

use std::time::Duration;

pub use crate::tags::Manner;
use crate::{key::Pattern, tags::Label};

/// Who reacts to the bus: the cache. Its methods return at once and may be called from any task, one at a time.
pub trait Listener: Send + Sync {
    /// The present, on the listener's own clock: milliseconds. A beat carries it there and back.
    fn moment(&self) -> u64;

    /// The subscription was acknowledged, by a beat sent at `since`: from now on nothing is missed.
    fn subscribed(&self, since: u64);

    /// Something may have been missed, for this reason. Nothing is heard until the next [`subscribed`](Self::subscribed).
    fn lost(&self, why: &str);

    /// Our own beat came back, sent at `since`: the way through the server and back works.
    fn beat(&self, since: u64);

    /// Of a store of several parts some are not heard any more, for this reason: messages about keys that are kept there may be missed from
    /// now on. Those about every other key, and about every label and pattern, are heard; the oldest sign of life of what is heard was sent at `since`, and
    /// so is that of each [`beat`](Self::beat) from now on. It ends with [`lost`](Self::lost) and [`subscribed`](Self::subscribed), also when it gets
    /// better.
    ///
    /// Who makes no difference between keys has lost everything.
    fn partly(&self, since: u64, unheard: Unheard, why: &str) {
        let _ = (since, unheard);
        self.lost(why);
    }

    /// There will be no messages (not permitted, not supported), for this reason.
    fn unsupported(&self, why: &str);

    /// Something was changed, or somebody who waits may look again. `own`: by this very cache instance.
    fn news(&self, news: &News, own: bool);
}

/// Whether nothing is heard of an encoded logical key.
pub type Unheard = std::sync::Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// Values were stored, or leases given back, under these keys: who waits may look again.
    Wake(Vec<Box<str>>),
    /// These were evicted or expired.
    Gone(Gone),
    /// The registry, and with it the generation of the cache, was made anew: what was registered is not any more, and what a
    /// process knows of labels may be of before.
    Anew,
}

/// What was evicted or expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Whether they are gone, or past their ttl.
    pub manner: Manner,
    /// Encoded logical keys.
    pub keys: Vec<Box<str>>,
    /// Whatever carries these.
    pub labels: Vec<Label>,
    /// Whatever these select.
    pub patterns: Vec<Pattern>,
    /// Loads of these are not stored for so long, in the process that hears of it too.
    pub hold: Duration,
}
