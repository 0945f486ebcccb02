//! The leader of a flight, up to the load: read Redis, take the lease, or wait for whoever has it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    call::Call,
    lease::{Ended, LEASE, Lease},
    read::{Examined, Stored, Unfit, examine, promote},
};
use crate::{
    entry::{Erased, Token},
    flight::{FlightGuard, FlightKind, Outcome},
    observe::Served,
    policy::StampedeProtection,
    tiers::{Acquire, Acquired, LeaseKind},
};

/// Polling of a lease another process holds.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(50);

/// Where the value may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Redis (if there is a lease) and memory.
    Store,
    /// Memory only: Redis did not answer, or holds a newer schema.
    Memory,
    /// Nowhere.
    Nothing,
}

/// The leader of a flight. Dropping it gives the lease back, then hands the key over.
#[derive(Debug)]
pub(crate) struct Lead {
    // The lease goes before the waiters wake.
    pub(super) lease: Option<Lease>,
    pub(super) guard: FlightGuard,
    pub(super) right: Right,
    /// The lease was broken, or ran out: somebody else may have evicted the key.
    pub(super) lost: bool,
    /// What is stored and was of no use.
    pub(super) seen: Option<Token>,
    /// What is stored is no entry: the store takes its place whatever version it seems to have.
    pub(super) damaged: bool,
}

/// How preparing ended.
pub(crate) enum Led {
    /// Redis had it.
    Serve(Erased),
    /// Run the origin.
    Load(Lead),
    /// The wait for another process ran out.
    GaveUp,
}

/// One look at what Redis has.
enum Look {
    Serve(Erased),
    Go(Lead),
}

impl Lead {
    pub(super) fn new(guard: FlightGuard) -> Self {
        let right = match guard.flight().kind {
            FlightKind::Unstored => Right::Nothing,
            _ if guard.flight().held => Right::Nothing,
            _ => Right::Store,
        };
        Self {
            guard,
            lease: None,
            right,
            lost: false,
            seen: None,
            damaged: false,
        }
    }

    /// Everything between registration and the load.
    pub(super) async fn prepare(mut self, call: &mut Call) -> Led {
        if self.guard.flight().kind == FlightKind::Unstored {
            return Led::Load(self);
        }
        if !call.core.may_use_redis(&call.key, &call.budget) {
            return Led::Load(self);
        }
        if !call.refresh {
            match self.look(call).await {
                Look::Serve(value) => return Led::Serve(value),
                Look::Go(lead) => self = lead,
            }
        }
        if call.budget.left().is_none() || self.right == Right::Memory {
            return Led::Load(self);
        }
        self.acquire(call).await
    }

    /// Only what Redis has.
    pub(super) async fn read_only(self, call: &mut Call) -> Option<Erased> {
        if !call.core.may_use_redis(&call.key, &call.budget) {
            return None;
        }
        match self.look(call).await {
            Look::Serve(value) => Some(value),
            Look::Go(_) => None,
        }
    }

    /// The plain `GET` every hit costs.
    async fn look(mut self, call: &mut Call) -> Look {
        let Some(within) = call.budget.left() else {
            return Look::Go(self);
        };
        let asked = Instant::now();
        let answer = call.core.tier.get(call.key.text(), within).await;
        match call.budget.book(asked, answer, &call.counters) {
            Some(Some(bytes)) => match self.judge(call, &bytes) {
                Ok(value) => {
                    call.served = Served::Redis;
                    Look::Serve(self.serve(call, value))
                }
                Err(()) => Look::Go(self),
            },
            Some(None) => Look::Go(self),
            None => {
                self.without_redis();
                Look::Go(self)
            }
        }
    }

    /// Asks for the lease until there is a value, a lease, or no more patience.
    async fn acquire(mut self, call: &mut Call) -> Led {
        let (mut pause, mut unusable, mut waited) = (POLL_FIRST, 0, false);
        loop {
            let budget = call.budget.left();
            let Some((answer, lease)) = self.ask(call).await else {
                self.without_redis();
                return Led::Load(self);
            };
            if answer == Acquired::Lead {
                self.lease = Some(lease);
                return Led::Load(self);
            }
            lease.disarm();
            match answer {
                Acquired::Value(bytes) => {
                    if let Ok(value) = self.judge(call, &bytes) {
                        call.served = if waited {
                            Served::Shared
                        } else {
                            Served::Redis
                        };
                        return Led::Serve(self.serve(call, value));
                    }
                    unusable += 1;
                    if unusable == 2 {
                        self.right = Right::Nothing;
                    }
                    if self.right != Right::Store {
                        return Led::Load(self);
                    }
                }
                Acquired::Held { by_put: false }
                    if call.policy.protection == StampedeProtection::Fleet =>
                {
                    waited = true;
                    call.budget.restore(budget);
                    if !wait_a_little(call, &mut pause).await {
                        call.give_up_waiting();
                        return Led::GaveUp;
                    }
                }
                Acquired::Held { .. } | Acquired::Hold | Acquired::Lead => {
                    self.right = Right::Nothing;
                    return Led::Load(self);
                }
            }
        }
    }

    /// One request for the lease; `None` without an answer. Dropping the lease gives back what may have been granted.
    async fn ask(&self, call: &mut Call) -> Option<(Acquired, Lease)> {
        let within = call.budget.left()?;
        let lease = Lease::asked(&call.core, &call.key);
        let ask = Acquire {
            token: lease.token(),
            seen: self.seen,
            ignore_value: call.refresh,
            lease: LEASE,
            kind: LeaseKind::Load,
        };
        let asked = Instant::now();
        let answer = call.core.tier.acquire(call.key.text(), ask, within).await;
        let answer = call.budget.book(asked, answer, &call.counters)?;
        Some((answer, lease))
    }

    /// A value that may be served; else notes what was seen.
    fn judge(&mut self, call: &Call, bytes: &Bytes) -> Result<Stored, ()> {
        match examine(&call.core, bytes, &call.key, &call.reader, &call.counters) {
            Examined::Usable(stored) => Ok(stored),
            Examined::Unusable { token, why } => {
                self.seen = Some(token);
                self.damaged = why == Unfit::Damaged;
                if why == Unfit::Newer {
                    self.right = self.right.at_most(Right::Memory);
                }
                Err(())
            }
        }
    }

    /// Ends the flight with a value from Redis.
    fn serve(self, call: &Call, stored: Stored) -> Erased {
        let value = Arc::clone(&stored.value);
        let entry = (self.right != Right::Nothing)
            .then(|| promote(&call.core, &stored, &call.key, &call.reader, &call.policy))
            .flatten();
        self.guard.end(Outcome::Value(Arc::clone(&value)), entry);
        value
    }

    fn without_redis(&mut self) {
        self.right = self.right.at_most(Right::Memory);
    }

    /// Renews the lease for as long as it is polled; runs beside the load and never ends.
    pub(super) async fn keep(&mut self, within: Duration) -> std::convert::Infallible {
        let Some(lease) = &self.lease else {
            return std::future::pending().await;
        };
        let ended = tokio::select! {
            biased;
            ended = lease.renew(within) => ended,
            () = self.guard.flight().until_marked() => Ended::Marked,
        };
        self.right = Right::Nothing;
        match (ended, self.lease.take()) {
            // Later callers start a load of their own.
            (Ended::Lost, Some(lease)) => {
                self.lost = true;
                lease.disarm();
                self.guard.mark();
            }
            (Ended::TooLong, _) => {
                self.lost = true;
                self.guard.mark();
            }
            // Dropped, which gives it back at once.
            (Ended::Marked, _) | (Ended::Lost, None) => {}
        }
        std::future::pending().await
    }
}

impl Right {
    /// The smaller of two rights.
    fn at_most(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::Memory, _) | (_, Self::Memory) => Self::Memory,
            _ => Self::Store,
        }
    }
}

/// Sleeps between polls, longer each time; false when the call's wait is over.
async fn wait_a_little(call: &mut Call, pause: &mut Duration) -> bool {
    let deadline = call.deadline();
    let now = Instant::now();
    if now >= deadline {
        return false;
    }
    let jittered = pause.mul_f64(0.5 + 0.5 * fastrand::f64());
    *pause = (*pause * 2).min(POLL_LAST);
    tokio::time::sleep_until((now + jittered).min(deadline)).await;
    true
}
