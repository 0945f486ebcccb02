//! A lease held: the right to store one key, given back on every path.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{entry::Token, key::Key, tiers::SharedTier};

/// How long a lease lives without renewal. A dead leader is replaced after this.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// How long a lease is renewed; a load that takes longer is not stored.
const LONGEST_LOAD: Duration = Duration::from_secs(30);

/// Dropping it gives the lease back.
#[derive(Debug)]
pub(crate) struct Lease {
    tier: Arc<dyn SharedTier>,
    key: Key,
    token: Token,
    armed: bool,
}

/// Why renewing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Broken by an eviction, or run out.
    Lost,
    /// The load takes too long.
    TooLong,
    /// The flight was overtaken by an eviction.
    Marked,
}

impl Lease {
    /// Watches over a lease from the moment it is asked for: an answer that never comes may have granted it.
    pub(crate) fn asked(tier: Arc<dyn SharedTier>, key: Key, token: Token) -> Self {
        Self {
            tier,
            key,
            token,
            armed: true,
        }
    }

    pub(crate) const fn token(&self) -> Token {
        self.token
    }

    /// The server says it is gone, or was never granted: nothing to give back.
    pub(crate) fn disarm(mut self) {
        self.armed = false;
    }

    /// Renews until the lease is lost or the load has taken too long.
    pub(crate) async fn renew(&self, within: Duration) -> Ended {
        let started = Instant::now();
        let mut alive_until = started + LEASE;
        loop {
            tokio::time::sleep(LEASE / 3).await;
            let asked = Instant::now();
            if asked - started >= LONGEST_LOAD {
                return Ended::TooLong;
            }
            match self
                .tier
                .renew(self.key.text(), self.token, LEASE, within)
                .await
            {
                Ok(true) => alive_until = asked + LEASE,
                Ok(false) => return Ended::Lost,
                Err(_) if Instant::now() >= alive_until => return Ended::Lost,
                Err(_) => {}
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.armed {
            self.tier.release_later(self.key.text(), self.token);
        }
    }
}
