//! Evicting by pattern: what matches is looked for with `SCAN`, values and leases, and goes.
//!
//! **Problem.** `SCAN` finds what is there from its beginning to its end. A load begun before the eviction could store behind the cursor and
//! delete its lease before the cursor came to it (178 of 2,000 such loads survived, measured).
//!
//! **One server: one pass.** Before it begins, the sweep enters itself among those under way ([`Notice`]). While it is there, nothing that was loaded before is
//! stored where the sweep may mean it. So a lease of such a load is there until the pass finds it, or ends without a value; and every value there was is
//! found. Loads that begin meanwhile say in their leases that they know of it, and store.
//!
//! **A cluster, and a server that takes no such entry or has lost it when the pass is over: two passes**, over the leases first, then over the values. After the first no load that ran when
//! the eviction began can store; the second finds what was stored until then. In a cluster no script may ask about one key and about all sweeps. Each pass goes over
//! every primary before the next begins, and a slot that moved meanwhile is a failure: what was in it may have been on neither side when that was
//! looked through.
//!
//! The server's `MATCH` gets a superset, the pattern's own glob, and the exact match is made here on the
//! key inside the braces. Both find keys kept as a region and a digest. What one page found is taken in the round trip that asks for the next.
//!
//! A cursor means nothing to another server or after a restart: a sweep stays on the connections it
//! began on, and fails with them. Holds are left alone.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::millis;
use super::reclaim::Progress;
use crate::bus::{Gone, Manner};
use crate::key::Pattern;
use crate::tiers::TierError;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::announcer::random;
use crate::tiers::redis::fault::{is_forbidden, unexpected};
use crate::tiers::redis::link::{Connection, Deadline, Lane};
use crate::tiers::redis::names::Part;
use crate::tiers::redis::scripts::{self, Pipeline};
use crate::tiers::redis::servers::{Primary, Servers};

/// Slots looked at per command: about half a millisecond of the server.
const COUNT: usize = 1000;
/// How long a sweep is heeded that says no more, beyond what its next page may take.
const HEEDED: Duration = Duration::from_secs(20);

impl RedisTier {
    pub(in crate::tiers::redis) async fn sweep_matching(
        &self,
        pattern: &Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Result<u64, TierError> {
        let ground = self.servers.primaries(batch_within).await?;
        ground.is_whole()?;
        let regions = self.registered(batch_within).await?;
        let glob = pattern.server_glob(regions.as_deref());
        let scan = |parts, glob| Scan {
            parts,
            manner,
            glob,
            pattern,
            batch_within,
        };
        let all = scan(&[Part::Lease, Part::Value], self.names.glob_of_all(&glob));
        let (mut gone, mut done) = (0, false);
        if let Some((primary, mut notice)) = self.begin(&ground.primaries, &all).await? {
            gone = self.scan(primary, &all, Some(&mut notice)).await?;
            done = notice.end(primary, batch_within).await?;
        }
        if !done {
            let glob_of = |part| self.names.glob(part, &glob);
            let leases = scan(&[Part::Lease], glob_of(Part::Lease));
            self.pass(&ground.primaries, &leases).await?;
            let values = scan(&[Part::Value], glob_of(Part::Value));
            gone += self.pass(&ground.primaries, &values).await?;
        }
        ground.is_as_before().await?;
        self.tell(pattern, manner, batch_within).await?;
        Ok(gone)
    }

    /// The regions of all keys there are. One that is registered later is of loads that begin later.
    async fn registered(&self, within: Duration) -> Result<Option<Vec<Box<str>>>, TierError> {
        let steps = |pipeline: &mut Pipeline| pipeline.command(self.registry_read());
        let now = self.servers.now();
        let answers = self.servers.send(Lane::Upkeep, within, &steps).await?;
        // Who may not read them finds more on the server than is meant.
        let answer = answers.into_iter().next().and_then(Result::ok);
        let registry = answer.and_then(|answer| Self::registry(answer, now));
        Ok(registry.and_then(|registry| registry.regions))
    }

    /// Enters a sweep among those under way. `None`: in a cluster, or where the server refuses it.
    async fn begin<'p>(
        &self,
        primaries: &'p [Primary],
        scan: &Scan<'_>,
    ) -> Result<Option<(&'p Primary, Notice)>, TierError> {
        let (Servers::One(_), [primary]) = (&self.servers, primaries) else {
            return Ok(None);
        };
        let notice = Notice {
            sweeps: self.names.sweeps().to_owned(),
            name: random(),
            life: millis(HEEDED + 2 * scan.batch_within),
            told: Instant::now(),
        };
        let args = [&notice.name[..], scan.stem(), notice.life.as_bytes()];
        let steps = |pipeline: &mut Pipeline| {
            pipeline.script(&scripts::SWEEP, &[&notice.sweeps], &args);
        };
        let work = async |mut connection: Connection| Pipeline::run(&mut connection, &steps).await;
        let answers = primary.call(Lane::Upkeep, scan.batch_within, work).await?;
        let begun = matches!(answers[..], [Ok(redis::Value::Int(1))]);
        Ok(begun.then_some((primary, notice)))
    }

    /// Tells the others, after the last pass. Who may not publish has evicted all the same; who could not
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
        let scans = primaries
            .iter()
            .map(|primary| self.scan(primary, scan, None));
        join_all(scans).await.into_iter().sum()
    }

    async fn scan(
        &self,
        primary: &Primary,
        scan: &Scan<'_>,
        mut notice: Option<&mut Notice>,
    ) -> Result<u64, TierError> {
        let apart = matches!(self.servers, Servers::Cluster(_));
        let (mut gone, mut seen) = (0, 0);
        let (mut found, mut cursor) = (Found::default(), Some(0));
        let mut progress = Progress::begin();
        loop {
            let prolonged = notice.as_mut().and_then(|it| it.prolong());
            let steps = |pipeline: &mut Pipeline| {
                prolonged.iter().for_each(|it| pipeline.command(it.clone()));
                found.take(pipeline, scan.manner, apart);
                cursor
                    .iter()
                    .for_each(|it| pipeline.command(scan.page(*it)));
            };
            let work = async |mut connection: Connection| {
                let answers = Pipeline::run(&mut connection, &steps).await?;
                answers.into_iter().collect::<redis::RedisResult<Vec<_>>>()
            };
            let mut answers = primary.call(Lane::Upkeep, scan.batch_within, work).await?;
            let page = cursor.and_then(|_| answers.pop());
            // The values are the last that was taken.
            let values = found.values_taken(scan.manner, apart);
            let first = answers.len().saturating_sub(values);
            gone += sum(answers.split_off(first)).map_err(|error| self.servers.refusal(&error))?;
            progress.tell(&scan.glob, seen, gone);
            if cursor.is_none() {
                return Ok(gone);
            }
            let (next, page) = page_of(page).map_err(|error| self.servers.refusal(&error))?;
            seen += page.len();
            found = self.sorted(scan, page);
            cursor = (next != 0).then_some(next);
            if cursor.is_none() && found.is_empty() {
                return Ok(gone);
            }
        }
    }

    /// What of a page is meant.
    fn sorted(&self, scan: &Scan<'_>, page: Vec<Vec<u8>>) -> Found {
        let mut found = Found::default();
        for key in page
            .into_iter()
            .filter_map(|key| String::from_utf8(key).ok())
        {
            let is_meant = |part: &Part| {
                let key = self.names.logical(*part, &key);
                key.is_some_and(|key| scan.pattern.matches(key))
            };
            match scan.parts.iter().copied().find(is_meant) {
                Some(Part::Lease) => found.leases.push(key),
                Some(Part::Value) => found.values.push(key),
                None => {}
            }
        }
        found
    }
}

fn page_of(answer: Option<redis::Value>) -> redis::RedisResult<(u64, Vec<Vec<u8>>)> {
    let answer = answer.ok_or_else(|| unexpected("SCAN was not answered"))?;
    Ok(redis::from_redis_value(answer)?)
}

fn sum(answers: Vec<redis::Value>) -> redis::RedisResult<u64> {
    let numbers = answers.into_iter();
    numbers
        .map(|it| redis::from_redis_value::<u64>(it).map_err(Into::into))
        .sum()
}

/// One scan of one pass.
struct Scan<'p> {
    parts: &'static [Part],
    manner: Manner,
    glob: String,
    pattern: &'p Pattern,
    batch_within: Duration,
}

impl Scan<'_> {
    fn page(&self, cursor: u64) -> redis::Cmd {
        let mut command = redis::cmd("SCAN");
        command
            .arg(cursor)
            .arg("MATCH")
            .arg(&self.glob)
            .arg("COUNT")
            .arg(COUNT);
        command
    }

    /// What all begins with that the glob finds.
    fn stem(&self) -> &[u8] {
        let stem = self.glob.split(['*', '[']).next();
        stem.unwrap_or_default().as_bytes()
    }
}

/// What one page found, to be taken with the next round trip.
#[derive(Default)]
struct Found {
    leases: Vec<String>,
    values: Vec<String>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.leases.is_empty() && self.values.is_empty()
    }

    /// In a cluster one by one, since they are of several slots.
    fn take(&self, pipeline: &mut Pipeline, manner: Manner, apart: bool) {
        let mut unlink = |keys: &[String]| {
            for keys in keys.chunks(if apart { 1 } else { keys.len().max(1) }) {
                let mut command = redis::cmd("UNLINK");
                command.arg(keys);
                pipeline.command(command);
            }
        };
        unlink(&self.leases);
        match manner {
            Manner::Evict => unlink(&self.values),
            Manner::Expire => {
                for value in &self.values {
                    pipeline.script(&scripts::EXPIRE_VALUE, &[value], &[] as &[&[u8]]);
                }
            }
        }
    }

    /// How many commands take the values.
    fn values_taken(&self, manner: Manner, apart: bool) -> usize {
        if apart || manner == Manner::Expire {
            self.values.len()
        } else {
            usize::from(!self.values.is_empty())
        }
    }
}

/// A sweep's entry among those under way.
struct Notice {
    sweeps: String,
    name: [u8; 16],
    life: String,
    /// When it was last said to live on.
    told: Instant,
}

impl Notice {
    /// Now and then, that it lives on.
    fn prolong(&mut self) -> Option<redis::Cmd> {
        if self.told.elapsed() < HEEDED / 4 {
            return None;
        }
        self.told = Instant::now();
        let mut command = redis::cmd("PEXPIRE");
        command.arg(&self.sweeps).arg(&self.life);
        Some(command)
    }

    /// Takes it back, after the pass; whether it was there until then. If it was not, nobody knows what was stored meanwhile.
    async fn end(self, primary: &Primary, within: Duration) -> Result<bool, TierError> {
        let mut command = redis::cmd("HDEL");
        command.arg(&self.sweeps).arg(&self.name[..]);
        let steps = |pipeline: &mut Pipeline| pipeline.command(command.clone());
        let work = async |mut connection: Connection| Pipeline::run(&mut connection, &steps).await;
        let answers = primary.call(Lane::Upkeep, within, work).await?;
        Ok(matches!(answers[..], [Ok(redis::Value::Int(1))]))
    }
}
