//! One primary of a cluster: a link of its own, and a bus beside it.

use std::future::Future;
use std::sync::Arc;

use super::Shared;
use super::chart::Primary;
use super::slots::{slot, tag_in};
use crate::tiers::TierError;
use crate::tiers::redis::endpoint::{Address, Endpoint, Topology};
use crate::tiers::redis::fault::{Redirect, redirect};
use crate::tiers::redis::link::{Connection, Deadline, Lane, Link};

/// A primary, as long as its place and the slot of its probe stay what they are.
#[derive(Debug)]
pub(in crate::tiers::redis) struct Node {
    pub(in crate::tiers::redis) address: Address,
    /// What it is called as well.
    alias: Option<Box<str>>,
    /// What puts a key into a slot of its own; none where it has no slots.
    pub(super) tag: Option<u32>,
    pub(in crate::tiers::redis) link: Arc<Link>,
}

impl Node {
    pub(super) fn new(primary: &Primary, cluster: &Shared) -> Self {
        let names = &cluster.names;
        let endpoint = Endpoint {
            topology: Topology::One(primary.address.clone()),
            ..cluster.endpoint.clone()
        };
        let (limits, times) = (cluster.limits, Arc::clone(&cluster.times));
        let tag = tag_in(&primary.slots);
        let (cache, probe) = (
            names.cache().to_owned(),
            names.probe(tag.unwrap_or_default()),
        );
        Self {
            address: primary.address.clone(),
            alias: primary.alias.clone(),
            tag,
            link: Arc::new(Link::new(
                cache,
                endpoint,
                probe,
                names.bus(),
                limits,
                times,
            )),
        }
    }

    /// Whether this is that primary, and a key with its tag is still in one of its slots.
    pub(super) fn fits(&self, primary: &Primary) -> bool {
        let own = |tag: u32| {
            let slot = slot(tag.to_string().as_bytes());
            primary.slots.iter().any(|range| range.contains(&slot))
        };
        let same = self.address == primary.address && self.alias == primary.alias;
        same && self.tag.map_or(primary.slots.is_empty(), own)
    }

    /// Whether another node means this one: `host:port`, by whatever name, and without a host that of the node who says so.
    pub(super) fn is_called(&self, named: &str, by: &Address) -> bool {
        let (
            Some((host, port)),
            Address::Tcp {
                host: own,
                port: at,
                ..
            },
        ) = (named.rsplit_once(':'), &self.address)
        else {
            return false;
        };
        let host = match (host, by) {
            ("", Address::Tcp { host, .. }) => host,
            (host, _) => host,
        };
        let names = host == own || self.alias.as_deref() == Some(host);
        names && port.parse() == Ok(*at)
    }

    /// Runs work here, unless the server says that it belongs elsewhere.
    pub(super) async fn call<T, W, F>(
        &self,
        lane: Lane,
        by: Deadline,
        work: W,
    ) -> Result<Result<T, Redirect>, TierError>
    where
        T: Send,
        W: FnOnce(Connection) -> F + Send,
        F: Future<Output = redis::RedisResult<T>> + Send,
    {
        let live = self.link.live(by).await?;
        let work = |connection| {
            let work = work(connection);
            async {
                match work.await {
                    Err(error) => redirect(&error).map_or(Err(error), |other| Ok(Err(other))),
                    Ok(answer) => Ok(Ok(answer)),
                }
            }
        };
        self.link.call_on(&live, lane, by, work).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A beat that is under way holds the link for as long as it takes.
        self.link.stop();
    }
}
