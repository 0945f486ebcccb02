//! The Redis tier: the shared tier on one Redis or Valkey server (6.2 and later).
//!
//! The only place in the project that spells `redis::`. Three layers: the [`link`] keeps a connection
//! and gives a command its deadline; `commands` are the steps of the protocol; this file is the port.
//! What must be atomic is a Lua script ([`scripts`]); keys are made in [`names`].

mod announcer;
mod bus;
mod client;
mod clock;
mod commands;
mod endpoint;
mod fault;
mod link;
mod names;
mod parse;
mod post;
mod scripts;
mod sentinel;
#[cfg(test)]
mod tests;
mod url;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use announcer::Announcer;
use bus::Bus;
pub(crate) use endpoint::Endpoint;
pub(crate) use link::Limits;
use link::Link;
use names::Names;
pub(crate) use parse::parse;

use super::{
    Acquire, Acquired, Fut, Labelled, Labels, LinkState, Read, Remote, Removal, Removed, Store,
    Stored, Tier, TierError,
};
use crate::bus::{Listener, Manner};
use crate::entry::Token;
use crate::key::Pattern;
use crate::tags::{Label, Standing};

/// A shared tier on one server.
pub(crate) struct RedisTier {
    names: Names,
    link: Arc<Link>,
    announcer: Announcer,
    foreign_types: AtomicU64,
}

impl RedisTier {
    /// A tier that connects when it is first used. `name` is of `[A-Za-z0-9_.-]`.
    pub(crate) fn new(name: &str, endpoint: Endpoint, limits: Limits) -> Self {
        let names = Names::new(name);
        let announcer = Announcer::new(endpoint.database, names.bus());
        let link = Link::new(
            name.to_owned(),
            endpoint,
            names.probe(),
            names.bus(),
            limits,
        );
        Self {
            names,
            link: Arc::new(link),
            announcer,
            foreign_types: AtomicU64::new(0),
        }
    }

    fn bus(&self, listener: Arc<dyn Listener>) -> Bus {
        Bus {
            cache: self.names.cache().to_owned(),
            channel: self.names.bus(),
            beats: self.names.own_beat(self.announcer.instance()),
            memory: self.names.beat(),
            instance: self.announcer.instance(),
            database: self.link.endpoint().database,
            retry_forbidden: bus::RETRY_FORBIDDEN,
            link: Arc::downgrade(&self.link),
            listener,
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

impl Drop for RedisTier {
    fn drop(&mut self) {
        // A beat that is under way holds the link for as long as it takes.
        self.link.stop();
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

impl Tier for RedisTier {
    fn read<'a>(
        &'a self,
        key: &'a str,
        labels: &'a [Label],
        within: Duration,
    ) -> Fut<'a, Result<Read, TierError>> {
        Box::pin(self.read_value(key, labels, within))
    }

    fn standings<'a>(
        &'a self,
        labels: &'a [Label],
        within: Duration,
    ) -> Fut<'a, Result<Vec<Standing>, TierError>> {
        Box::pin(self.read_standings(labels, within))
    }

    fn labelled<'a>(
        &'a self,
        ask: Labels<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Labelled, TierError>> {
        Box::pin(self.ask_labels(ask, within))
    }

    fn acquire<'a>(
        &'a self,
        key: &'a str,
        ask: Acquire,
        labels: Labels<'a>,
        within: Duration,
    ) -> Fut<'a, Result<(Acquired, Labelled), TierError>> {
        Box::pin(self.take_lease(key, ask, labels, within))
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
        let message = self.announcer.wake(key);
        self.link
            .release_later(self.names.lease(key), token, message);
    }

    fn remove<'a>(
        &'a self,
        what: Removal<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Removed, TierError>> {
        Box::pin(self.remove_all(what, within))
    }

    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        Box::pin(self.sweep_matching(pattern, manner, batch_within))
    }

    fn reclaim<'a>(
        &'a self,
        region: &'a str,
        dead: &'a (dyn Fn(&str, &Bytes) -> bool + Sync),
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        Box::pin(self.reclaim_below(region, dead, batch_within))
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        let bus = Arc::new(self.bus(listener));
        let start = move || -> link::Running { Box::pin(Arc::clone(&bus).run()) };
        self.link.run_beside(Arc::new(start));
    }

    fn connection(&self) -> u64 {
        self.link.serial()
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

    fn on_move(&self, hook: Arc<dyn Fn() + Send + Sync>) -> bool {
        self.link.on_move(hook)
    }
}
