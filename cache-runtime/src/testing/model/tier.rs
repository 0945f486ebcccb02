//! The model as a cache's shared tier.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    ModelRedis,
    slot::{acquire, evict, holds_lease, store},
};
use crate::{
    entry::Token,
    key::Pattern,
    tiers::{
        Acquire, Acquired, Eviction, Fut, LinkState, Remote, SharedTier, Store, Stored, TierError,
    },
};

/// The model as a cache's tier.
pub(crate) struct ModelTier {
    pub(super) server: ModelRedis,
}

impl fmt::Debug for ModelTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelTier")
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
