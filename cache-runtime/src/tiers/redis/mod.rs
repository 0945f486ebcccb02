//! The Redis tier: the shared tier on Redis or Valkey (6.2 and later), one server or a cluster.
//!
//! The only place in the project that spells `redis::`. Four layers: a [`link`] keeps a connection
//! and gives a command its deadline; [`servers`] knows which link a key belongs to, of a [`cluster`] too; `commands` are the steps of the
//! protocol; this file is the port.
//! What must be atomic is a Lua script ([`scripts`]); keys are made in [`names`].

mod announcer;
mod bus;
mod client;
mod clock;
mod cluster;
mod commands;
mod endpoint;
mod fault;
mod link;
mod names;
mod parse;
mod post;
mod scripts;
mod sentinel;
mod servers;
mod socket;
#[cfg(test)]
mod tests;
mod url;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use announcer::Announcer;
use bus::Bus;
use cluster::Cluster;
pub(crate) use endpoint::Endpoint;
use endpoint::Topology;
pub(crate) use link::Limits;
use link::Link;
use names::Names;
pub(crate) use parse::parse;
use servers::{Servers, run_bus};

use super::{
    Acquire, Acquired, Fut, Labelled, Labels, LinkState, Read, Remote, Removal, Removed, Store,
    Stored, Tier, TierError,
};
use crate::bus::{Listener, Manner};
use crate::entry::Token;
use crate::key::Pattern;
use crate::observe::StripedDurations;
use crate::tags::{Label, Standing};

/// A shared tier on one server or a cluster.
pub(crate) struct RedisTier {
    names: Names,
    servers: Servers,
    announcer: Announcer,
    foreign_types: AtomicU64,
    round_trips: Arc<StripedDurations>,
}

impl RedisTier {
    /// A tier that connects when it is first used. `name` is of `[A-Za-z0-9_.-]`.
    pub(crate) fn new(name: &str, endpoint: Endpoint, limits: Limits) -> Self {
        let names = Names::new(name);
        let announcer = Announcer::new(endpoint.database, names.bus());
        let endpoint = Endpoint {
            max_value_bytes: limits.max_value_bytes,
            ..endpoint
        };
        let round_trips = Arc::new(StripedDurations::default());
        let times = Arc::clone(&round_trips);
        let servers = match endpoint.topology {
            Topology::Cluster(_) => {
                Servers::Cluster(Cluster::new(endpoint, &names, &announcer, limits, times))
            }
            Topology::One(_) | Topology::Sentinels(_) => {
                let (cache, probe) = (name.to_owned(), names.probe(0));
                let link = Link::new(cache, endpoint, probe, names.bus(), limits, times);
                Servers::One(Arc::new(link))
            }
        };
        Self {
            names,
            servers,
            announcer,
            foreign_types: AtomicU64::new(0),
            round_trips,
        }
    }

    /// The command that says something to all instances.
    fn saying(&self, message: &[u8]) -> redis::Cmd {
        let mut command = redis::cmd("PUBLISH");
        command.arg(self.announcer.channel()).arg(message);
        command
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
        self.servers.stop();
    }
}

impl fmt::Debug for RedisTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTier")
            .field("name", &self.names.cache())
            .field("endpoint", self.servers.endpoint())
            .field("state", &self.servers.state())
            .finish_non_exhaustive()
    }
}

/// The names under which a cache keeps what belongs to a key.
#[cfg(any(test, fuzzing))]
pub(crate) struct NamesOf {
    pub(crate) all: [String; 4],
    /// The key, as it is read from the names of its value and its lease.
    pub(crate) read_back: [Option<String>; 2],
}

/// What [`Names`] makes of a key, for who checks it.
#[cfg(any(test, fuzzing))]
pub(crate) fn names_of(cache: &str, key: &str) -> NamesOf {
    let names = Names::new(cache);
    let (value, lease) = (names.value(key), names.lease(key));
    let read_back = [(names::Part::Value, &value), (names::Part::Lease, &lease)]
        .map(|(part, name)| names.logical(part, name).map(str::to_owned));
    NamesOf {
        all: [value, lease, names.hold(key), names.failed(key)],
        read_back,
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

    fn fail<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        pause: Duration,
        within: Duration,
    ) -> Fut<'a, Result<bool, TierError>> {
        Box::pin(self.note_failure(key, token, pause, within))
    }

    fn release_later(&self, key: &str, token: Token) {
        let message = self.announcer.wake(key);
        self.servers
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
        match &self.servers {
            Servers::One(link) => {
                let bus = Bus::new(&self.names, self.announcer.instance(), link, 0, listener);
                run_bus(link, bus);
            }
            Servers::Cluster(cluster) => cluster.listen(listener),
        }
    }

    fn connection(&self) -> u64 {
        self.servers.serial()
    }

    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Fut<'a, Result<Remote, TierError>> {
        Box::pin(self.look_at(key, within))
    }

    fn now(&self) -> u64 {
        self.servers.now()
    }

    fn foreign_types(&self) -> u64 {
        self.foreign_types.load(Ordering::Relaxed)
    }

    fn state(&self) -> LinkState {
        self.servers.state()
    }

    fn connected_within<'a>(&'a self, within: Duration) -> Fut<'a, bool> {
        Box::pin(self.servers.connected_within(within))
    }

    fn wake(&self) {
        self.servers.wake();
    }

    fn close<'a>(&'a self, within: Duration) -> Fut<'a, usize> {
        Box::pin(self.servers.close(within))
    }

    fn on_reconnect(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        self.servers.on_reconnect(hook);
    }

    fn on_move(&self, hook: Arc<dyn Fn() + Send + Sync>) -> bool {
        self.servers.on_move(hook)
    }
}
