//! Evicting by pattern: two passes of `SCAN`, over the leases first, then over the values.
//!
//! In one pass a load begun before the eviction could store behind the cursor and delete its lease
//! before the cursor came to it (178 of 2,000 such loads survived, measured). After the first pass no
//! load that ran when the eviction began can store; the second finds what was stored until then.
//!
//! The server's `MATCH` gets a superset, the pattern's own glob, and the exact match is made here on the
//! key inside the braces. Both find keys kept as a region and a digest.
//!
//! A cursor means nothing to another server or after a restart: a sweep stays on the connection it
//! began on, and fails with it. A cluster has to sweep every primary. Holds are left alone.

use std::time::Duration;

use super::reclaim::Progress;
use super::unexpected;
use crate::bus::{Gone, Manner};
use crate::key::Pattern;
use crate::tiers::TierError;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::fault::is_forbidden;
use crate::tiers::redis::link::{Connection, Deadline, Lane, Live};
use crate::tiers::redis::names::Part;
use crate::tiers::redis::scripts;

/// Slots looked at per command: about half a millisecond of the server.
const COUNT: usize = 1000;

impl RedisTier {
    pub(in crate::tiers::redis) async fn sweep_matching(
        &self,
        pattern: &Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Result<u64, TierError> {
        let live = self.link.live(Deadline::after(batch_within)).await?;
        let glob = pattern.server_glob();
        let scan = |part| Scan {
            part,
            manner,
            glob: self.names.glob(part, &glob),
            pattern,
            batch_within,
        };
        self.scan(&live, &scan(Part::Lease)).await?;
        let gone = self.scan(&live, &scan(Part::Value)).await?;
        self.tell(&live, pattern, manner, batch_within).await?;
        Ok(gone)
    }

    /// Tells the others, after the second pass. Who may not publish has evicted all the same; who could not
    /// is not done.
    async fn tell(
        &self,
        live: &Live,
        pattern: &Pattern,
        manner: Manner,
        within: Duration,
    ) -> Result<(), TierError> {
        let gone = Gone {
            manner,
            patterns: vec![pattern.clone()],
            ..Gone::default()
        };
        let mut command = redis::cmd("PUBLISH");
        let message = self.announcer.gone(gone);
        command.arg(self.announcer.channel()).arg(&message);
        let work = async |mut connection: Connection| match connection.command(&command).await {
            Err(error) if !is_forbidden(&error) => Err(error),
            told => Ok(told.map(drop)),
        };
        let by = Deadline::after(within);
        let told = self.link.call_on(live, Lane::Upkeep, by, work).await?;
        if let Err(error) = told {
            tracing::debug!(why = %self.link.endpoint().words(&error), "an eviction by pattern was not announced");
        }
        Ok(())
    }

    async fn scan(&self, live: &Live, scan: &Scan<'_>) -> Result<u64, TierError> {
        let (mut gone, mut seen, mut cursor) = (0, 0_usize, 0);
        let mut progress = Progress::begin();
        loop {
            let (next, found) = self.batch(live, scan, cursor).await?;
            let keys = found
                .iter()
                .filter(|key| self.is_meant(scan, key))
                .collect::<Vec<_>>();
            seen += found.len();
            if !keys.is_empty() {
                gone += self.take(live, scan, &keys).await?;
            }
            progress.tell(&scan.glob, seen, gone);
            if next == 0 {
                return Ok(gone);
            }
            cursor = next;
        }
    }

    fn is_meant(&self, scan: &Scan<'_>, key: &[u8]) -> bool {
        let key = std::str::from_utf8(key).ok();
        let key = key.and_then(|key| self.names.logical(scan.part, key));
        key.is_some_and(|key| scan.pattern.matches(key))
    }

    async fn batch(
        &self,
        live: &Live,
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
        let by = Deadline::after(scan.batch_within);
        self.link.call_on(live, Lane::Upkeep, by, work).await
    }

    async fn take(
        &self,
        live: &Live,
        scan: &Scan<'_>,
        keys: &[&Vec<u8>],
    ) -> Result<u64, TierError> {
        let keeps = scan.part == Part::Value && scan.manner == Manner::Expire;
        let work = async |mut connection: Connection| {
            let answer = if keeps {
                let names: Vec<_> = keys
                    .iter()
                    .map(|key| String::from_utf8_lossy(key))
                    .collect();
                let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
                scripts::EXPIRE_VALUES
                    .run(&mut connection, &names, &[])
                    .await?
            } else {
                let mut command = redis::cmd("UNLINK");
                for key in keys {
                    command.arg(key);
                }
                connection.command(&command).await?
            };
            match answer {
                redis::Value::Int(gone) => Ok(u64::try_from(gone).unwrap_or_default()),
                _ => Err(unexpected("a batch was not answered by a number")),
            }
        };
        let by = Deadline::after(scan.batch_within);
        self.link.call_on(live, Lane::Upkeep, by, work).await
    }
}

/// One scan of one pass.
struct Scan<'p> {
    part: Part,
    manner: Manner,
    glob: String,
    pattern: &'p Pattern,
    batch_within: Duration,
}
