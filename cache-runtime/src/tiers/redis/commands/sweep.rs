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

use super::unexpected;
use crate::key::Pattern;
use crate::tiers::TierError;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::link::{Connection, Deadline, Lane, Live};
use crate::tiers::redis::names::Part;

/// Slots looked at per command: about half a millisecond of the server.
const COUNT: usize = 1000;

impl RedisTier {
    pub(in crate::tiers::redis) async fn sweep_matching(
        &self,
        pattern: &Pattern,
        batch_within: Duration,
    ) -> Result<u64, TierError> {
        let live = self.link.live(Deadline::after(batch_within)).await?;
        let glob = pattern.server_glob();
        let scan = |part| Scan {
            part,
            glob: self.names.glob(part, &glob),
            pattern,
            batch_within,
        };
        self.scan(&live, &scan(Part::Lease)).await?;
        self.scan(&live, &scan(Part::Value)).await
    }

    async fn scan(&self, live: &Live, scan: &Scan<'_>) -> Result<u64, TierError> {
        let mut gone = 0;
        let mut cursor = 0;
        loop {
            let (next, found) = self.batch(live, scan, cursor).await?;
            let keys = found
                .iter()
                .filter(|key| self.is_meant(scan, key))
                .collect::<Vec<_>>();
            if !keys.is_empty() {
                gone += self.unlink(live, scan, &keys).await?;
            }
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

    async fn unlink(
        &self,
        live: &Live,
        scan: &Scan<'_>,
        keys: &[&Vec<u8>],
    ) -> Result<u64, TierError> {
        let mut command = redis::cmd("UNLINK");
        for key in keys {
            command.arg(key);
        }
        let work = async |mut connection: Connection| match connection.command(&command).await? {
            redis::Value::Int(gone) => Ok(u64::try_from(gone).unwrap_or_default()),
            _ => Err(unexpected("UNLINK was not answered by a number")),
        };
        let by = Deadline::after(scan.batch_within);
        self.link.call_on(live, Lane::Upkeep, by, work).await
    }
}

/// One scan of one pass.
struct Scan<'p> {
    part: Part,
    glob: String,
    pattern: &'p Pattern,
    batch_within: Duration,
}
