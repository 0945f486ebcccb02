//! Freeing the memory of entries whose region died, and telling how far a scan has come.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::key::Pattern;
use crate::tiers::TierError;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::link::{Connection, Lane};
use crate::tiers::redis::names::Part;
use crate::tiers::redis::scripts::{self, Pipeline};
use crate::tiers::redis::servers::Primary;

/// Slots looked at per command.
const COUNT: usize = 1000;
/// As much of a value as is looked at: its header.
const FIRST: usize = 128;
/// Between two events about one scan.
const EVERY: Duration = Duration::from_secs(1);

/// Whether a value, known by its logical key and its first bytes, is dead.
type Dead<'a> = &'a (dyn Fn(&str, &Bytes) -> bool + Sync);

impl RedisTier {
    pub(in crate::tiers::redis) async fn reclaim_below(
        &self,
        region: &str,
        dead: Dead<'_>,
        batch_within: Duration,
    ) -> Result<u64, TierError> {
        let below = Pattern::region(region);
        let mut gone = 0;
        // One after the other: nobody waits for this.
        for primary in self.servers.primaries(batch_within).await?.primaries {
            gone += self
                .reclaim_at(&primary, &below, dead, batch_within)
                .await?;
        }
        Ok(gone)
    }

    async fn reclaim_at(
        &self,
        primary: &Primary,
        below: &Pattern,
        dead: Dead<'_>,
        batch_within: Duration,
    ) -> Result<u64, TierError> {
        let glob = self.names.glob(Part::Value, &below.server_glob(None));
        let (mut gone, mut seen, mut cursor) = (0, 0, 0);
        let mut progress = Progress::begin();
        loop {
            let batch = async |mut connection: Connection| {
                let mut scan = redis::cmd("SCAN");
                scan.arg(cursor)
                    .arg("MATCH")
                    .arg(&glob)
                    .arg("COUNT")
                    .arg(COUNT);
                let answer = connection.command(&scan).await?;
                let (next, found): (u64, Vec<Vec<u8>>) = redis::from_redis_value(answer)?;
                let ours: Vec<String> = found
                    .into_iter()
                    .filter_map(|key| String::from_utf8(key).ok())
                    .filter(|key| {
                        let logical = self.names.logical(Part::Value, key);
                        logical.is_some_and(|key| below.matches(key))
                    })
                    .collect();
                let freed = self.free(&mut connection, &ours, dead).await?;
                Ok((next, ours.len(), freed))
            };
            let (next, looked_at, freed) = primary.call(Lane::Upkeep, batch_within, batch).await?;
            seen += looked_at;
            gone += freed;
            progress.tell(&glob, seen, gone);
            if next == 0 {
                return Ok(gone);
            }
            cursor = next;
            // The others come first: nobody waits for this.
            tokio::task::yield_now().await;
        }
    }

    async fn free(
        &self,
        connection: &mut Connection,
        keys: &[String],
        dead: Dead<'_>,
    ) -> redis::RedisResult<u64> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut first = redis::pipe();
        for key in keys {
            first.cmd("GETRANGE").arg(key).arg(0).arg(FIRST - 1);
        }
        let answers = connection.commands(&first).await?;
        let mut entries = Vec::new();
        for (key, answer) in keys.iter().zip(answers) {
            let (Some(logical), redis::Value::BulkString(bytes)) =
                (self.names.logical(Part::Value, key), answer)
            else {
                continue;
            };
            let bytes = Bytes::from(bytes);
            if bytes.len() > 16 && dead(logical, &bytes) {
                entries.push((key.as_str(), bytes.slice(..16)));
            }
        }
        if entries.is_empty() {
            return Ok(0);
        }
        let steps = |pipeline: &mut Pipeline| {
            for (key, token) in &entries {
                pipeline.script(&scripts::RECLAIM, &[key], &[token]);
            }
        };
        let answers = Pipeline::run(connection, &steps).await?;
        // Of a slot that has moved nothing is freed here.
        let freed = answers.into_iter().filter_map(Result::ok);
        freed
            .map(|it| redis::from_redis_value::<u64>(it).map_err(Into::into))
            .sum()
    }
}

/// Tells of a long scan, at most once a second.
pub(super) struct Progress {
    told: Instant,
}

impl Progress {
    pub(super) fn begin() -> Self {
        Self {
            told: Instant::now(),
        }
    }

    /// So many keys have matched so far, and so many entries are gone.
    pub(super) fn tell(&mut self, glob: &str, matched: usize, gone: u64) {
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            tracing::info!(glob, matched, gone, "a scan of Redis goes on");
        }
    }
}
