//! Evicting by pattern: two passes of `SCAN`, over the leases first, then over the values.
//!
//! In one pass a load begun before the eviction could store behind the cursor and delete its lease
//! before the cursor came to it (178 of 2,000 such loads survived, measured). After the first pass no
//! load that ran when the eviction began can store; the second finds what was stored until then.
//!
//! The server's `MATCH` gets a superset, the pattern's own glob, and the exact match is made here on the
//! key inside the braces. Both find keys kept as a region and a digest.
//!
//! A cursor means nothing to another server or after a restart: a sweep stays on the connections it
//! began on, and fails with them. In a cluster each pass goes over every primary before the next begins, and a slot that moved meanwhile is a
//! failure: what was in it may have been on neither side when that was looked through. Holds are left alone.

use std::time::Duration;

use futures_util::future::join_all;

use super::reclaim::Progress;
use crate::bus::{Gone, Manner};
use crate::key::Pattern;
use crate::tiers::TierError;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::fault::is_forbidden;
use crate::tiers::redis::link::{Connection, Deadline, Lane};
use crate::tiers::redis::names::Part;
use crate::tiers::redis::scripts::{self, Pipeline};
use crate::tiers::redis::servers::{Primary, Servers};

/// Slots looked at per command: about half a millisecond of the server.
const COUNT: usize = 1000;

impl RedisTier {
    pub(in crate::tiers::redis) async fn sweep_matching(
        &self,
        pattern: &Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Result<u64, TierError> {
        let ground = self.servers.primaries(batch_within).await?;
        ground.is_whole()?;
        let glob = pattern.server_glob();
        let scan = |part| Scan {
            part,
            manner,
            glob: self.names.glob(part, &glob),
            pattern,
            batch_within,
        };
        self.pass(&ground.primaries, &scan(Part::Lease)).await?;
        let gone = self.pass(&ground.primaries, &scan(Part::Value)).await?;
        ground.is_as_before().await?;
        self.tell(pattern, manner, batch_within).await?;
        Ok(gone)
    }

    /// Tells the others, after the second pass. Who may not publish has evicted all the same; who could not
    /// is not done.
    async fn tell(
        &self,
        pattern: &Pattern,
        manner: Manner,
        within: Duration,
    ) -> Result<(), TierError> {
        let gone = Gone {
            manner,
            patterns: vec![pattern.clone()],
            ..Gone::default()
        };
        let command = self.saying(&self.announcer.gone(gone));
        let link = match &self.servers {
            Servers::One(link) => link,
            Servers::Cluster(cluster) => {
                let mut message = redis::pipe();
                message.add_command(command);
                return cluster.publish(Deadline::after(within), &message).await;
            }
        };
        let work = async |mut connection: Connection| match connection.command(&command).await {
            Err(error) if !is_forbidden(&error) => Err(error),
            told => Ok(told.map(drop)),
        };
        let told = link.call(Lane::Upkeep, within, work).await?;
        if let Err(error) = told {
            tracing::debug!(why = %self.servers.endpoint().words(&error), "an eviction by pattern was not announced");
        }
        Ok(())
    }

    async fn pass(&self, primaries: &[Primary], scan: &Scan<'_>) -> Result<u64, TierError> {
        let scans = primaries.iter().map(|primary| self.scan(primary, scan));
        join_all(scans).await.into_iter().sum()
    }

    async fn scan(&self, primary: &Primary, scan: &Scan<'_>) -> Result<u64, TierError> {
        let (mut gone, mut seen, mut cursor) = (0, 0_usize, 0);
        let mut progress = Progress::begin();
        loop {
            let (next, found) = batch(primary, scan, cursor).await?;
            let keys: Vec<&str> = found
                .iter()
                .filter_map(|key| std::str::from_utf8(key).ok())
                .filter(|key| self.is_meant(scan, key))
                .collect();
            seen += found.len();
            if !keys.is_empty() {
                gone += take(primary, scan, &keys).await?;
            }
            progress.tell(&scan.glob, seen, gone);
            if next == 0 {
                return Ok(gone);
            }
            cursor = next;
        }
    }

    fn is_meant(&self, scan: &Scan<'_>, key: &str) -> bool {
        let key = self.names.logical(scan.part, key);
        key.is_some_and(|key| scan.pattern.matches(key))
    }
}

async fn batch(
    primary: &Primary,
    scan: &Scan<'_>,
    cursor: u64,
) -> Result<(u64, Vec<Vec<u8>>), TierError> {
    let mut command = redis::cmd("SCAN");
    command
        .arg(cursor)
        .arg("MATCH")
        .arg(&scan.glob)
        .arg("COUNT")
        .arg(COUNT);
    let work = async |mut connection: Connection| {
        let answer = connection.command(&command).await?;
        Ok(redis::from_redis_value(answer)?)
    };
    primary.call(Lane::Upkeep, scan.batch_within, work).await
}

/// Takes what a scan has found, key by key: in a cluster they are of several slots.
async fn take(primary: &Primary, scan: &Scan<'_>, keys: &[&str]) -> Result<u64, TierError> {
    let keeps = scan.part == Part::Value && scan.manner == Manner::Expire;
    let steps = |pipeline: &mut Pipeline| {
        for key in keys {
            if keeps {
                pipeline.script(&scripts::EXPIRE_VALUE, &[key], &[] as &[&[u8]]);
            } else {
                let mut command = redis::cmd("UNLINK");
                command.arg(key);
                pipeline.command(command);
            }
        }
    };
    let work = async |mut connection: Connection| {
        let mut gone = 0;
        for answer in Pipeline::run(&mut connection, steps).await? {
            gone += redis::from_redis_value::<u64>(answer?)?;
        }
        Ok(gone)
    };
    primary.call(Lane::Upkeep, scan.batch_within, work).await
}

/// One scan of one pass.
struct Scan<'p> {
    part: Part,
    manner: Manner,
    glob: String,
    pattern: &'p Pattern,
    batch_within: Duration,
}
