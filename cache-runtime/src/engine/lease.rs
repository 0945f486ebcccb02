//! A lease held: the right to store one key, given back on every path.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::Core;
use crate::{entry::Token, key::Key};

/// How long a lease lives without renewal. A dead leader is replaced after this.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// How long a lease is renewed; a load that takes longer is not stored.
const LONGEST_LOAD: Duration = Duration::from_secs(30);

/// Dropping it gives the lease back.
#[derive(Debug)]
pub(crate) struct Lease {
    core: Arc<Core>,
    key: Key,
    token: Token,
    armed: bool,
}

/// How many leases this process has or has asked for.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    live: AtomicUsize,
    none: Notify,
}

impl Leases {
    /// Waits until none is left, at most until `deadline`; how many are left.
    pub(crate) async fn given_back(&self, deadline: Instant) -> usize {
        let none = async {
            loop {
                let mut none = std::pin::pin!(self.none.notified());
                none.as_mut().enable();
                if self.live.load(Ordering::Acquire) == 0 {
                    return;
                }
                none.await;
            }
        };
        let _ = tokio::time::timeout_at(deadline, none).await;
        self.live.load(Ordering::Acquire)
    }
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
    pub(crate) fn asked(core: &Arc<Core>, key: &Key) -> Self {
        core.leases.live.fetch_add(1, Ordering::AcqRel);
        Self {
            core: Arc::clone(core),
            key: key.clone(),
            token: Token::random(),
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
                .core
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
            self.core.tier.release_later(self.key.text(), self.token);
        }
        if self.core.leases.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.core.leases.none.notify_waiters();
        }
    }
}
