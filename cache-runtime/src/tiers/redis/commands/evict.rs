//! Evicting keys and labels: one round trip, one message.
//!
//! What is too much for one script or one message goes in several rounds, each with a deadline and a message of its own: each
//! announces what it did, whatever becomes of the next.
//!
//! A script about several logical keys is right for one server, which all of them are on. A cluster has to split by slot.

use std::time::Duration;

use super::labels::era;
use super::millis;
use crate::bus::{Gone, Manner};
use crate::tags::LabelKind;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::announcer::random;
use crate::tiers::redis::link::{Connection, Lane};
use crate::tiers::redis::scripts::{self, Pipeline};
use crate::tiers::{Eviction, LabelEviction, Removal, Removed, TierError};

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

    /// One round trip. The last script announces what all of them did.
    async fn remove_part(&self, part: Removal<'_>, within: Duration) -> Result<Removed, TierError> {
        if part.keys.is_empty() && part.labels.is_empty() && !part.registry {
            return Ok(Removed::default());
        }
        let steps = |pipeline: &mut Pipeline| {
            let message = self.announcer.gone(gone(&part));
            let by_keys = if part.labels.is_empty() {
                &message[..]
            } else {
                &[]
            };
            if !part.keys.is_empty() {
                self.add_keys(pipeline, part.keys, part.manner, by_keys);
            }
            if !part.labels.is_empty() {
                self.add_evictions(pipeline, part.labels, part.manner, &message);
            }
            if part.registry {
                pipeline.command(self.registry_read());
            }
        };
        let work = async |mut connection: Connection| {
            let mut answers = Pipeline::run(&mut connection, steps).await?;
            let registry = if part.registry { answers.pop() } else { None };
            // Who may not read the registry has evicted all the same.
            let regions = registry.and_then(Result::ok).and_then(Self::regions);
            for answer in answers {
                answer?;
            }
            Ok(Removed { regions })
        };
        self.link.call(Lane::Upkeep, within, work).await
    }

    fn add_keys(
        &self,
        pipeline: &mut Pipeline,
        chunk: &[Eviction<'_>],
        manner: Manner,
        message: &[u8],
    ) {
        let names = |it: &Eviction<'_>| {
            let names = &self.names;
            [
                names.value(it.key),
                names.lease(it.key),
                names.failed(it.key),
                names.hold(it.key),
            ]
        };
        let keys: Vec<String> = chunk.iter().flat_map(names).collect();
        let mut args = vec![
            flag(manner).to_vec(),
            self.announcer.channel().into(),
            message.to_vec(),
        ];
        args.extend(chunk.iter().map(|it| hold(it.hold).into_bytes()));
        pipeline.script(&scripts::EVICT, &keys, &args);
    }

    fn add_evictions(
        &self,
        pipeline: &mut Pipeline,
        labels: &[LabelEviction<'_>],
        manner: Manner,
        message: &[u8],
    ) {
        let is_cache = |it: &&LabelEviction<'_>| it.label.kind() == LabelKind::Cache;
        let cache = labels.iter().filter(is_cache).map(|it| it.hold).max();
        let mut keys = vec![self.names.sites(), self.names.clock()];
        let mut args = vec![
            flag(manner).to_vec(),
            self.announcer.channel().into(),
            message.to_vec(),
            era().into_bytes(),
            millis(LIFE).into_bytes(),
            cache.map_or(Vec::new(), |_| random().into()),
            hold(cache.unwrap_or_default()).into_bytes(),
        ];
        for it in labels.iter().filter(|it| !is_cache(it)) {
            keys.push(self.names.label(it.label));
            args.extend([random().into(), hold(it.hold).into_bytes()]);
        }
        pipeline.script(&scripts::EVICT_LABELS, &keys, &args);
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

/// What the message says.
fn gone(what: &Removal<'_>) -> Gone {
    let holds = what.keys.iter().map(|it| it.hold);
    let holds = holds.chain(what.labels.iter().map(|it| it.hold));
    Gone {
        manner: what.manner,
        keys: what.keys.iter().map(|it| it.key.into()).collect(),
        labels: what.labels.iter().map(|it| it.label.clone()).collect(),
        patterns: Vec::new(),
        hold: holds.max().unwrap_or_default(),
    }
}

fn flag(manner: Manner) -> &'static [u8] {
    match manner {
        Manner::Evict => b"0",
        Manner::Expire => b"1",
    }
}

/// Zero is "no hold", so it must stay zero.
fn hold(hold: Duration) -> String {
    if hold.is_zero() {
        "0".to_owned()
    } else {
        millis(hold)
    }
}
