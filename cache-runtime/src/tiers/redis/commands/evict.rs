//! Evicting keys and labels: one round trip, and a message for each hold.
//!
//! What is too much for one script or one message goes in several rounds, each with a deadline and messages of its own: each
//! announces what it did, whatever becomes of the next.
//!
//! A script about several logical keys is right for one server, which all of them are on. What a cluster does is in [`cluster::evict`](super::super::cluster).

use std::time::Duration;

use super::labels::era;
use super::millis;
use crate::bus::{Gone, Manner};
use crate::tags::{Label, LabelKind};
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::announcer::random;
use crate::tiers::redis::link::{Connection, Deadline, Lane};
use crate::tiers::redis::scripts::{self, Pipeline};
use crate::tiers::redis::servers::Servers;
use crate::tiers::{Removal, Removed, TierError};

/// Keys and labels per round trip: a script holds the server up while it runs.
const CHUNK: usize = 1000;
/// Bytes of names per round trip, so that its message stays under 64 KiB.
const NAMES: usize = 48 * 1024;
/// The least life of a generation that took the place of another.
const LIFE: Duration = Duration::from_secs(3 * 3_600);

impl RedisTier {
    pub(in crate::tiers::redis) async fn remove_all(
        &self,
        mut what: Removal<'_>,
        within: Duration,
    ) -> Result<Removed, TierError> {
        loop {
            let part = take_part(&mut what);
            let last = what.keys.is_empty() && what.labels.is_empty();
            let registry = last && what.registry;
            let removed = self
                .remove_part(Removal { registry, ..part }, within)
                .await?;
            if last {
                return Ok(removed);
            }
        }
    }

    /// One round trip. Of what has one hold, the last script announces what all of them did.
    async fn remove_part(&self, part: Removal<'_>, within: Duration) -> Result<Removed, TierError> {
        if part.keys.is_empty() && part.labels.is_empty() && !part.registry {
            return Ok(Removed::default());
        }
        let link = match &self.servers {
            Servers::One(link) => link,
            Servers::Cluster(cluster) => {
                return self
                    .remove_in_cluster(cluster, part, Deadline::after(within))
                    .await;
            }
        };
        let steps = |pipeline: &mut Pipeline| {
            for gone in part.news() {
                let message = self.announcer.gone(gone.clone());
                let by_keys = if gone.labels.is_empty() {
                    &message[..]
                } else {
                    &[]
                };
                if !gone.keys.is_empty() {
                    self.add_keys(pipeline, &gone, by_keys);
                }
                if !gone.labels.is_empty() {
                    self.add_evictions(pipeline, &gone, &message);
                }
            }
            if part.registry {
                pipeline.command(self.registry_read());
            }
        };
        let now = self.servers.now();
        let work = async |mut connection: Connection| {
            let mut answers = Pipeline::run(&mut connection, &steps).await?;
            let registry = if part.registry { answers.pop() } else { None };
            // Who may not read the registry has evicted all the same.
            let registry = registry
                .and_then(Result::ok)
                .and_then(|answer| Self::registry(answer, now));
            for answer in answers {
                answer?;
            }
            Ok(registry.unwrap_or_default())
        };
        link.call(Lane::Upkeep, within, work).await
    }

    pub(in crate::tiers::redis) fn add_keys(
        &self,
        pipeline: &mut Pipeline,
        gone: &Gone,
        message: &[u8],
    ) {
        let names = |key: &str| {
            let names = &self.names;
            [
                names.value(key),
                names.lease(key),
                names.failed(key),
                names.hold(key),
            ]
        };
        let keys: Vec<String> = gone.keys.iter().flat_map(|key| names(key)).collect();
        let mut args = vec![
            flag(gone.manner).to_vec(),
            self.announcer.channel().into(),
            message.to_vec(),
        ];
        args.extend(gone.keys.iter().map(|_| hold(gone.hold).into_bytes()));
        pipeline.script(&scripts::EVICT, &keys, &args);
    }

    fn add_evictions(&self, pipeline: &mut Pipeline, gone: &Gone, message: &[u8]) {
        let is_cache = |label: &&Label| label.kind() == LabelKind::Cache;
        let mut keys = vec![self.names.sites(), self.names.clock()];
        let labels = gone.labels.iter().filter(|label| !is_cache(label));
        keys.extend(labels.map(|label| self.names.label(label)));
        let cache = gone.labels.iter().any(|label| is_cache(&label));
        let labels = keys.len() - 2;
        let args = self.label_args(gone, message, &era(), cache, labels);
        pipeline.script(&scripts::EVICT_LABELS, &keys, &args);
    }

    /// The arguments of an eviction of labels, and of the cache. `made` is an era, should the clock be lost; where the clock is not among the
    /// keys, what it was moved on to.
    pub(in crate::tiers::redis) fn label_args(
        &self,
        gone: &Gone,
        message: &[u8],
        made: &str,
        cache: bool,
        labels: usize,
    ) -> Vec<Vec<u8>> {
        let (random, hold) = (|| random().to_vec(), hold(gone.hold).into_bytes());
        let mut args = vec![
            flag(gone.manner).to_vec(),
            self.announcer.channel().into(),
            message.to_vec(),
            made.into(),
            millis(LIFE).into_bytes(),
            if cache { random() } else { Vec::new() },
            hold.clone(),
        ];
        for _ in 0..labels {
            args.extend([random(), hold.clone()]);
        }
        args
    }
}

/// Takes off what goes in one round trip and into one message: keys first, and labels when there are no more keys. At least one
/// of what there is.
fn take_part<'a>(what: &mut Removal<'a>) -> Removal<'a> {
    let (mut count, mut bytes) = (0, 0);
    let mut fits = |name: &str| {
        count += 1;
        bytes += name.len() + 3;
        count == 1 || (count <= CHUNK && bytes <= NAMES)
    };
    let keys = what.keys.iter().take_while(|it| fits(it.key)).count();
    let (keys, later) = what.keys.split_at(keys);
    what.keys = later;
    let fitting = what.labels.iter().take_while(|it| fits(it.label.as_str()));
    let labels = if later.is_empty() { fitting.count() } else { 0 };
    let (labels, later) = what.labels.split_at(labels);
    what.labels = later;
    Removal {
        keys,
        labels,
        ..*what
    }
}

fn flag(manner: Manner) -> &'static [u8] {
    match manner {
        Manner::Evict => b"0",
        Manner::Expire => b"1",
    }
}

/// Zero is "no hold", so it must stay zero.
pub(in crate::tiers::redis) fn hold(hold: Duration) -> String {
    if hold.is_zero() {
        "0".to_owned()
    } else {
        millis(hold)
    }
}
