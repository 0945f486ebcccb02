//! The Redis tier: the shared tier on one Redis or Valkey server (6.2 and later).
//!
//! The only place in the project that spells `redis::`. Three layers: the [`link`] keeps a connection
//! and gives a command its deadline; `commands` are the steps of the protocol; this file is the port.
//! What must be atomic is a Lua script ([`scripts`]); keys are made in [`names`].

mod clock;
mod commands;
mod endpoint;
mod fault;
mod link;
mod names;
mod scripts;
#[cfg(test)]
mod tests;
mod url;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

pub(crate) use endpoint::{Endpoint, parse};
use link::Link;
use names::Names;

use super::{
    Acquire, Acquired, Eviction, Fut, LinkState, Remote, SharedTier, Store, Stored, TierError,
};
use crate::entry::Token;
use crate::key::Pattern;

/// A shared tier on one server.
pub(crate) struct RedisTier {
    names: Names,
    link: Link,
    foreign_types: AtomicU64,
}

impl RedisTier {
    /// A tier that connects when it is first used. `name` is of `[A-Za-z0-9_.-]`.
    pub(crate) fn new(name: &str, endpoint: Endpoint, max_in_flight: usize) -> Self {
        let names = Names::new(name);
        let link = Link::new(name.to_owned(), endpoint, names.probe(), max_in_flight);
        Self {
            names,
            link,
            foreign_types: AtomicU64::new(0),
        }
    }

    /// Value, lease and hold of a key, in the order the scripts want them.
    fn trio(&self, key: &str) -> [String; 3] {
        [
            self.names.value(key),
            self.names.lease(key),
            self.names.hold(key),
        ]
    }
}

impl fmt::Debug for RedisTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTier")
            .field("name", &self.names.cache())
            .field("endpoint", self.link.endpoint())
            .field("state", &self.link.state())
            .finish_non_exhaustive()
    }
}

impl SharedTier for RedisTier {
    fn is_present(&self) -> bool {
        true
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        within: Duration,
    ) -> Fut<'a, Result<Option<Bytes>, TierError>> {
        Box::pin(self.get_value(key, within))
    }

    fn acquire<'a>(
        &'a self,
        key: &'a str,
        ask: Acquire,
        within: Duration,
    ) -> Fut<'a, Result<Acquired, TierError>> {
        Box::pin(self.take_lease(key, ask, within))
    }

    fn store<'a>(
        &'a self,
        key: &'a str,
        entry: Store<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Stored, TierError>> {
        Box::pin(self.store_under_lease(key, entry, within))
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        life: Duration,
        within: Duration,
    ) -> Fut<'a, Result<bool, TierError>> {
        Box::pin(self.renew_lease(key, token, life, within))
    }

    fn release_later(&self, key: &str, token: Token) {
        self.link.release_later(self.names.lease(key), token);
    }

    fn evict<'a>(
        &'a self,
        keys: &'a [Eviction<'a>],
        within: Duration,
    ) -> Fut<'a, Result<(), TierError>> {
        Box::pin(self.evict_keys(keys, within))
    }

    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        Box::pin(self.sweep_matching(pattern, batch_within))
    }

    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Fut<'a, Result<Remote, TierError>> {
        Box::pin(self.look_at(key, within))
    }

    fn now(&self) -> u64 {
        self.link.clock().now()
    }

    fn foreign_types(&self) -> u64 {
        self.foreign_types.load(Ordering::Relaxed)
    }

    fn state(&self) -> LinkState {
        self.link.state()
    }

    fn connected_within<'a>(&'a self, within: Duration) -> Fut<'a, bool> {
        Box::pin(self.link.connected_within(within))
    }

    fn wake(&self) {
        self.link.wake();
    }

    fn close<'a>(&'a self, within: Duration) -> Fut<'a, usize> {
        Box::pin(self.link.close(within))
    }

    fn on_reconnect(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        self.link.on_reconnect(hook);
    }
}
