//! What callers see of the link.

use std::sync::Arc;

use super::{Live, unavailable};
use crate::tiers::{LinkState, Moment, TierError};

/// The state of the link.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// No supervisor runs: none was needed yet, or its runtime is gone.
    Idle,
    /// The first attempt of a supervisor runs.
    Starting,
    Up(Arc<Live>),
    /// Being retried.
    Down {
        since: Moment,
        why: Arc<str>,
    },
    Closed,
}

impl State {
    /// What a call gets now; `None` where it is worth waiting.
    pub(super) fn decided(&self) -> Option<Result<Arc<Live>, TierError>> {
        match self {
            Self::Idle | Self::Starting => None,
            Self::Up(live) => Some(Ok(Arc::clone(live))),
            Self::Down { why, .. } => Some(Err(unavailable(&**why))),
            Self::Closed => Some(Err(unavailable("the cache is closed"))),
        }
    }

    pub(super) fn shown(&self) -> LinkState {
        match self {
            Self::Idle | Self::Starting => LinkState::Connecting,
            Self::Up(live) => LinkState::Connected {
                since: live.since,
                missing: Arc::clone(&live.missing),
            },
            Self::Down { since, why } => LinkState::Down {
                since: *since,
                why: Arc::clone(why),
            },
            Self::Closed => LinkState::Closed,
        }
    }
}
