//! Freeing the memory of what is dead in Redis: one process of the fleet at a time.
//!
//! It is for memory only: what is dead is dead, and what cannot be freed expires by itself. So nothing waits for it, a failure is not
//! tried again, and who has not its turn looks again later.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};

use crate::{
    engine::LEASE,
    entry::{Envelope, Token},
    tiers::{Acquire, Acquired, Labels, LeaseKind, Tier},
};

/// More regions than anybody names.
const MOST_REGIONS: usize = 64;
/// Whoever has its lease sweeps. No logical key looks like this.
const TURN: &str = "#sweep";
/// Another process sweeps: look again after some such time.
const NOT_MY_TURN: Duration = Duration::from_secs(2);
/// A sweep is followed by a rest as long as itself, at most this.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Regions whose dead entries are to be freed, and the server's time when they died.
#[derive(Debug, Default)]
pub(super) struct Dead(Mutex<BTreeMap<Box<str>, u64>>);

impl Dead {
    pub(super) fn add(&self, region: &str, died: u64) {
        let mut regions = self.regions();
        if regions.len() < MOST_REGIONS || regions.contains_key(region) {
            regions.insert(region.into(), died);
        }
    }

    fn regions(&self) -> MutexGuard<'_, BTreeMap<Box<str>, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sweeps whenever there is something to free.
pub(super) async fn sweep(
    tier: Arc<dyn Tier>,
    dead: Arc<Dead>,
    within: Duration,
    bell: Arc<Notify>,
) {
    loop {
        if dead.regions().is_empty() {
            bell.notified().await;
            continue;
        }
        let token = Token::random();
        match my_turn(&*tier, token, within).await {
            Some(true) => {
                let began = Instant::now();
                tokio::select! {
                    () = free(&*tier, &dead, within) => {}
                    () = keep(&*tier, token, within) => {}
                }
                tier.release_later(TURN, token);
                tokio::time::sleep(began.elapsed().min(LONGEST_REST)).await;
            }
            Some(false) => {
                let pause = NOT_MY_TURN.mul_f64(0.5 + 0.5 * fastrand::f64());
                tokio::time::sleep(pause).await;
            }
            None => {
                // The turn may have been given all the same.
                tier.release_later(TURN, token);
                dead.regions().clear();
            }
        }
    }
}

/// Asks for the turn; `None` if there was no answer.
async fn my_turn(tier: &dyn Tier, token: Token, within: Duration) -> Option<bool> {
    let ask = Acquire {
        token,
        seen: None,
        ignore_value: true,
        lease: LEASE,
        kind: LeaseKind::Load,
        waits: false,
        heeds_failures: false,
    };
    let (acquired, _) = tier
        .acquire(TURN, ask, Labels::default(), within)
        .await
        .ok()?;
    Some(acquired == Acquired::Lead)
}

/// Keeps the turn for as long as the sweep lasts.
async fn keep(tier: &dyn Tier, token: Token, within: Duration) {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        // Once it is lost another may sweep as well: that is slower, and not wrong.
        let _ = tier.renew(TURN, token, LEASE, within).await;
    }
}

async fn free(tier: &dyn Tier, dead: &Dead, within: Duration) {
    loop {
        let next = dead.regions().pop_first();
        let Some((region, died)) = next else { return };
        // Born before its region died it carries a generation from before. A clock that errs frees an entry too many, or too few.
        let is_dead =
            |_: &str, bytes: &Bytes| Envelope::marks(bytes).is_some_and(|it| it.birth < died);
        if let Err(error) = tier.reclaim(&region, &is_dead, within).await {
            tracing::debug!(%error, "dead entries stay in Redis until they expire");
        }
    }
}
