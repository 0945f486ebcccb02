//! A model of the server: what the scripts do, in memory, with a network that delays, reorders and loses.
//!
//! Several caches on one model are several processes on one Redis. A command travels, is carried out, and its answer
//! travels back; each part takes a random time of tokio's clock (pause it, and a schedule takes no time at all). A
//! command whose caller has given up, or was dropped, is carried out all the same, possibly after later ones: this is
//! harsher than one connection, and what a reconnect can do.

mod slot;
mod tier;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use self::slot::Slot;
pub(crate) use self::tier::ModelTier;
use crate::tiers::{ErrorKind, TierError};

/// How badly the network behaves; shares are of commands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The longest way there, and the longest way back.
    pub delay: Duration,
    /// Share of the commands that never arrive.
    pub lost: f64,
    /// Share of the answers that never arrive.
    pub unanswered: f64,
}

/// A Redis shared by the caches that are built on it.
#[derive(Clone, Debug, Default)]
pub struct ModelRedis {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    keys: BTreeMap<Box<str>, Slot>,
    epoch: Option<Instant>,
}

impl ModelRedis {
    /// An empty server behind a perfect network.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the network behaves like this.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Leases held at this moment.
    #[must_use]
    pub fn leases(&self) -> usize {
        self.lock()
            .keys
            .values_mut()
            .map(Slot::live)
            .filter(|slot| slot.lease.is_some())
            .count()
    }

    /// Values stored at this moment.
    #[must_use]
    pub fn values(&self) -> usize {
        self.lock()
            .keys
            .values_mut()
            .map(Slot::live)
            .filter(|slot| slot.value.is_some())
            .count()
    }

    pub(crate) fn tier(&self) -> ModelTier {
        ModelTier {
            server: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, key: &str, act: impl FnOnce(&mut Slot) -> T) -> T {
        let mut state = self.lock();
        act(state.keys.entry(key.into()).or_default().live())
    }

    /// Sends a command: there, carried out, and back.
    async fn send<T: Send + 'static>(
        &self,
        within: Duration,
        act: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, TierError> {
        let faults = self.lock().faults;
        let way = || faults.delay.mul_f64(fastrand::f64());
        let (there, back) = (way(), way());
        let (lost, unanswered) = (
            fastrand::f64() < faults.lost,
            fastrand::f64() < faults.unanswered,
        );
        let (answer, answered) = oneshot::channel();
        let server = self.clone();
        tokio::spawn(async move {
            sleep(there).await;
            if lost {
                return sleep(Duration::from_secs(3_600)).await;
            }
            let result = act(&server);
            sleep(back).await;
            if unanswered {
                sleep(Duration::from_secs(3_600)).await;
            }
            let _ = answer.send(result);
        });
        match timeout(within, answered).await {
            Ok(Ok(result)) => Ok(result),
            _ => Err(TierError::new(
                ErrorKind::Timeout,
                "the model did not answer in time",
            )),
        }
    }
}
