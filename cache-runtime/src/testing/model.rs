//! A model of the server: what the scripts do, in memory, with a network that delays, reorders and loses.
//!
//! Several caches on one model are several processes on one Redis. A command travels, is carried out, and its answer
//! travels back; each part takes a random time of tokio's clock (pause it, and a schedule takes no time at all). A
//! command whose caller has given up, or was dropped, is carried out all the same, possibly after later ones: this is
//! harsher than one connection, and what a reconnect can do.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use crate::{
    entry::Token,
    key::Pattern,
    tiers::{
        Acquire, Acquired, ErrorKind, Eviction, Fut, LeaseKind, LinkState, Remote, SharedTier,
        Store, Stored, TierError,
    },
};

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

/// All that is stored under one logical key.
#[derive(Debug, Default)]
struct Slot {
    value: Option<(Bytes, Instant)>,
    lease: Option<(Token, LeaseKind, Instant)>,
    hold: Option<Instant>,
}

impl Slot {
    /// What has expired is gone.
    fn live(&mut self) -> &mut Self {
        let now = Instant::now();
        self.value = self.value.take().filter(|(_, until)| now < *until);
        self.lease = self.lease.take().filter(|(_, _, until)| now < *until);
        self.hold = self.hold.take().filter(|until| now < *until);
        self
    }
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

/// The model as a cache's tier.
pub(crate) struct ModelTier {
    server: ModelRedis,
}

impl fmt::Debug for ModelTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelTier")
    }
}

fn acquire(slot: &mut Slot, ask: Acquire) -> Acquired {
    if let Some((value, _)) = slot.value.as_ref().filter(|_| !ask.ignore_value)
        && ask.seen != Some(Token::of_stored(value))
    {
        return Acquired::Value(value.clone());
    }
    if slot.hold.is_some() {
        return Acquired::Hold;
    }
    match slot.lease {
        Some((_, kind, _)) if ask.kind == LeaseKind::Load => Acquired::Held {
            by_put: kind == LeaseKind::Put,
        },
        _ => {
            slot.lease = Some((ask.token, ask.kind, Instant::now() + ask.lease));
            Acquired::Lead
        }
    }
}

fn holds_lease(slot: &Slot, token: Token) -> bool {
    slot.lease.is_some_and(|(held, ..)| held == token)
}

fn store(slot: &mut Slot, token: Token, bytes: Bytes, life: Duration) -> Stored {
    if !holds_lease(slot, token) {
        return Stored::Refused;
    }
    slot.lease = None;
    if slot.hold.is_some() {
        return Stored::Held;
    }
    slot.value = Some((bytes, Instant::now() + life));
    Stored::Stored
}

fn evict(slot: &mut Slot, hold: Duration) {
    slot.value = None;
    slot.lease = None;
    if !hold.is_zero() {
        let until = Instant::now() + hold;
        slot.hold = Some(slot.hold.map_or(until, |held| held.max(until)));
    }
}

impl SharedTier for ModelTier {
    fn is_present(&self) -> bool {
        true
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        within: Duration,
    ) -> Fut<'a, Result<Option<Bytes>, TierError>> {
        let key = key.to_owned();
        Box::pin(self.server.send(within, move |server| {
            server.with(&key, |slot| {
                slot.value.as_ref().map(|(value, _)| value.clone())
            })
        }))
    }

    fn acquire<'a>(
        &'a self,
        key: &'a str,
        ask: Acquire,
        within: Duration,
    ) -> Fut<'a, Result<Acquired, TierError>> {
        let key = key.to_owned();
        Box::pin(self.server.send(within, move |server| {
            server.with(&key, |slot| acquire(slot, ask))
        }))
    }

    fn store<'a>(
        &'a self,
        key: &'a str,
        entry: Store<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Stored, TierError>> {
        let key = key.to_owned();
        let (token, bytes, life) = (entry.token, Bytes::copy_from_slice(entry.bytes), entry.life);
        Box::pin(self.server.send(within, move |server| {
            server.with(&key, |slot| store(slot, token, bytes, life))
        }))
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        life: Duration,
        within: Duration,
    ) -> Fut<'a, Result<bool, TierError>> {
        let key = key.to_owned();
        Box::pin(self.server.send(within, move |server| {
            server.with(&key, |slot| {
                let held = holds_lease(slot, token);
                if let Some((_, _, until)) = slot.lease.as_mut().filter(|_| held) {
                    *until = Instant::now() + life;
                }
                held
            })
        }))
    }

    fn release_later(&self, key: &str, token: Token) {
        let (server, key) = (self.server.clone(), key.to_owned());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let release = move |server: &ModelRedis| {
                server.with(&key, |slot| {
                    if holds_lease(slot, token) {
                        slot.lease = None;
                    }
                });
            };
            let _ = server.send(Duration::from_secs(1), release).await;
        });
    }

    fn evict<'a>(
        &'a self,
        keys: &'a [Eviction<'a>],
        within: Duration,
    ) -> Fut<'a, Result<(), TierError>> {
        let keys: Vec<_> = keys
            .iter()
            .map(|one| (one.key.to_owned(), one.hold))
            .collect();
        Box::pin(self.server.send(within, move |server| {
            for (key, hold) in &keys {
                server.with(key, |slot| evict(slot, *hold));
            }
        }))
    }

    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        Box::pin(async move {
            let mut swept = 0;
            // First over the leases, then over the values; each key is a batch of its own.
            for leases in [true, false] {
                let mut cursor: Option<Box<str>> = None;
                loop {
                    let from = cursor.clone();
                    let pattern = pattern.clone();
                    let step = move |server: &ModelRedis| scan_one(server, from, &pattern, leases);
                    match self.server.send(batch_within, step).await? {
                        None => break,
                        Some((next, removed)) => {
                            swept += u64::from(removed && !leases);
                            cursor = Some(next);
                        }
                    }
                }
            }
            Ok(swept)
        })
    }

    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Fut<'a, Result<Remote, TierError>> {
        let key = key.to_owned();
        Box::pin(self.server.send(within, move |server| {
            server.with(&key, |slot| {
                let left = |until: Instant| until.saturating_duration_since(Instant::now());
                Remote {
                    value: slot.value.as_ref().map(|(value, _)| value.clone()),
                    remaining: slot.value.as_ref().map(|(_, until)| left(*until)),
                    leased: slot.lease.is_some(),
                    hold: slot.hold.map(left),
                }
            })
        }))
    }

    fn now(&self) -> u64 {
        const START: u64 = 1_700_000_000_000;
        let epoch = *self.server.lock().epoch.get_or_insert_with(Instant::now);
        START + u64::try_from(epoch.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
    }

    fn foreign_types(&self) -> u64 {
        0
    }

    fn state(&self) -> LinkState {
        LinkState::Connecting
    }

    fn connected_within<'a>(&'a self, _: Duration) -> Fut<'a, bool> {
        Box::pin(std::future::ready(true))
    }

    fn wake(&self) {}

    fn close<'a>(&'a self, _: Duration) -> Fut<'a, usize> {
        Box::pin(std::future::ready(0))
    }

    fn on_reconnect(&self, _: Arc<dyn Fn() + Send + Sync>) {}
}

/// The next key after `from`, and whether it was chosen and something was removed; `None` at the end.
fn scan_one(
    server: &ModelRedis,
    from: Option<Box<str>>,
    pattern: &Pattern,
    leases: bool,
) -> Option<(Box<str>, bool)> {
    use std::ops::Bound::{Excluded, Unbounded};
    let mut state = server.lock();
    let range = (from.map_or(Unbounded, Excluded), Unbounded);
    let (key, slot) = state.keys.range_mut::<Box<str>, _>(range).next()?;
    let mut removed = false;
    if pattern.matches(key) {
        removed = if leases {
            slot.lease.take().is_some()
        } else {
            slot.value.take().is_some()
        };
    }
    Some((key.clone(), removed))
}
