//! Leases: ask, store, prolong, give back.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join;

use super::labels::labelled;
use super::millis;
use crate::entry::Token;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::fault::unexpected;
use crate::tiers::redis::link::{Connection, Deadline, Lane};
use crate::tiers::redis::scripts::{self, Pipeline, Script};
use crate::tiers::redis::servers::Servers;
use crate::tiers::{
    Acquire, Acquired, Announce, Labelled, Labels, LeaseKind, Store, Stored, TierError,
};

const LOAD: u8 = b'l';
const PUT: u8 = b'p';

impl RedisTier {
    pub(in crate::tiers::redis) async fn take_lease(
        &self,
        key: &str,
        ask: Acquire,
        labels: Labels<'_>,
        within: Duration,
    ) -> Result<(Acquired, Labelled), TierError> {
        let (lease, hold) = (self.names.lease(key), self.names.hold(key));
        let life = millis(ask.lease);
        let record = record(ask.token, ask.kind);
        let (value, failed) = (self.names.value(key), self.names.failed(key));
        let sweeps = self.sweeps_beside();
        let seen = ask.seen.as_ref().map(Token::as_bytes);
        let seen = seen.map_or(&[][..], |token| &token[..]);
        let flag = |set: bool| if set { &b"1"[..] } else { b"0" };
        let load = [
            &record[..],
            life.as_bytes(),
            seen,
            flag(ask.ignore_value),
            flag(ask.waits),
            flag(ask.heeds_failures),
        ];
        let (of_put, of_load);
        let (script, keys, args): (&'static Script, &[&str], &[&[u8]]) = match ask.kind {
            LeaseKind::Put => {
                of_put = [&*lease, &hold, sweeps.unwrap_or_default()];
                (&scripts::PUT, named(&of_put, sweeps), &load[..2])
            }
            LeaseKind::Load => {
                of_load = [&*value, &lease, &hold, &failed, sweeps.unwrap_or_default()];
                (&scripts::ACQUIRE, named(&of_load, sweeps), &load)
            }
        };
        let link = match &self.servers {
            Servers::One(link) => link,
            Servers::Cluster(cluster) => {
                let by = Deadline::after(within);
                let work = async |mut connection: Connection| {
                    let sent = Instant::now();
                    let answer = script.run(&mut connection, keys, args).await?;
                    acquired(answer, &connection, sent)
                };
                let lease = cluster.call(&lease, Lane::Traffic, by, work);
                // Both are answered before the origin begins; which comes first is of no interest.
                let (lease, labelled) = join(lease, self.ask_cluster(cluster, labels, by)).await;
                return Ok((lease?, labelled?));
            }
        };
        let work = async |mut connection: Connection| {
            let sent = Instant::now();
            if labels.is_empty() {
                let answer = script.run(&mut connection, keys, args).await?;
                return Ok((acquired(answer, &connection, sent)?, Labelled::default()));
            }
            let steps = |pipeline: &mut Pipeline| {
                pipeline.script(script, keys, args);
                self.add_labels(pipeline, labels);
            };
            let mut answers = Pipeline::run(&mut connection, &steps).await?.into_iter();
            let answer = answers
                .next()
                .unwrap_or_else(|| Err(unexpected("a lease was not answered")))?;
            let acquired = acquired(answer, &connection, sent)?;
            Ok((acquired, labelled(labels, answers)?))
        };
        link.call(Lane::Traffic, within, work).await
    }

    pub(in crate::tiers::redis) async fn store_under_lease(
        &self,
        key: &str,
        entry: Store<'_>,
        within: Duration,
    ) -> Result<Stored, TierError> {
        let [value, lease, hold] = self.trio(key);
        let failed = self.names.failed(key);
        let (version, life) = (entry.schema_version.to_string(), millis(entry.life));
        let sweeps = self.sweeps_beside();
        let keys = [&*value, &lease, &hold, &failed, sweeps.unwrap_or_default()];
        let keys = named(&keys, sweeps);
        let (message, everybody) = match entry.announce {
            Announce::Waiters => (self.announcer.wake(key), b"0"),
            Announce::Everybody => (self.announcer.changed(key), b"1"),
        };
        let args = [
            &entry.token.as_bytes()[..],
            version.as_bytes(),
            life.as_bytes(),
            entry.bytes,
            self.announcer.channel().as_bytes(),
            &message,
            everybody,
        ];
        let work = async |mut connection: Connection| match scripts::STORE
            .run(&mut connection, keys, &args)
            .await?
        {
            redis::Value::Int(0) => Ok(Stored::Refused),
            redis::Value::Int(1) => Ok(Stored::Stored),
            redis::Value::Int(2) => Ok(Stored::Newer),
            redis::Value::Int(3) => Ok(Stored::Held),
            _ => Err(unexpected("store was answered by something else")),
        };
        self.servers.call(&lease, Lane::Traffic, within, work).await
    }

    pub(in crate::tiers::redis) async fn renew_lease(
        &self,
        key: &str,
        token: Token,
        life: Duration,
        within: Duration,
    ) -> Result<bool, TierError> {
        let life = millis(life);
        let args = [&token.as_bytes()[..], life.as_bytes()];
        let lease = self.names.lease(key);
        self.on_lease(&scripts::RENEW, &[&lease], &args, within)
            .await
    }

    pub(in crate::tiers::redis) async fn note_failure(
        &self,
        key: &str,
        token: Token,
        pause: Duration,
        within: Duration,
    ) -> Result<bool, TierError> {
        let (lease, failed) = (self.names.lease(key), self.names.failed(key));
        let (pause, message) = (millis(pause), self.announcer.wake(key));
        let args = [
            &token.as_bytes()[..],
            pause.as_bytes(),
            self.announcer.channel().as_bytes(),
            &message,
        ];
        self.on_lease(&scripts::FAIL, &[&lease, &failed], &args, within)
            .await
    }

    /// One release, awaited; the supervisor sends them in batches.
    #[cfg(test)]
    pub(in crate::tiers::redis) async fn give_back(
        &self,
        key: &str,
        token: Token,
        within: Duration,
    ) -> Result<bool, TierError> {
        let (channel, message) = (
            self.announcer.channel().as_bytes(),
            self.announcer.wake(key),
        );
        let args = [channel, &token.as_bytes()[..], &message];
        let lease = self.names.lease(key);
        self.on_lease(&scripts::RELEASE, &[&lease], &args, within)
            .await
    }

    /// The sweeps under way, for a script about one logical key. A cluster's keys are not where those are, and its sweeps do without.
    fn sweeps_beside(&self) -> Option<&str> {
        match self.servers {
            Servers::One(_) => Some(self.names.sweeps()),
            Servers::Cluster(_) => None,
        }
    }

    /// The first of the keys is the lease.
    async fn on_lease(
        &self,
        script: &Script,
        keys: &[&str],
        args: &[&[u8]],
        within: Duration,
    ) -> Result<bool, TierError> {
        let work =
            async |mut connection: Connection| match script.run(&mut connection, keys, args).await?
            {
                redis::Value::Int(done) => Ok(done != 0),
                _ => Err(unexpected("a lease script was answered by something else")),
            };
        self.servers.call(keys[0], Lane::Upkeep, within, work).await
    }
}

/// The keys of a script whose last one is for the sweeps beside it, if there is a place for them.
fn named<'k>(keys: &'k [&'k str], sweeps: Option<&str>) -> &'k [&'k str] {
    &keys[..keys.len() - usize::from(sweeps.is_none())]
}

/// A lease's value: whose it is, and what for.
fn record(token: Token, kind: LeaseKind) -> [u8; 17] {
    let mut record = [0; 17];
    record[..16].copy_from_slice(token.as_bytes());
    record[16] = match kind {
        LeaseKind::Load => LOAD,
        LeaseKind::Put => PUT,
    };
    record
}

/// Reads `{outcome, server time, extra}`, the answer to what was sent then.
fn acquired(
    answer: redis::Value,
    connection: &Connection,
    sent: Instant,
) -> redis::RedisResult<Acquired> {
    use redis::Value::{Array, BulkString, Int};
    let Array(parts) = answer else {
        return Err(unexpected("a lease was answered by no array"));
    };
    let mut parts = parts.into_iter();
    let (Some(Int(outcome)), Some(Int(shown))) = (parts.next(), parts.next()) else {
        return Err(unexpected("a lease was answered without outcome and time"));
    };
    let acquired = match (outcome, parts.next()) {
        (0, Some(BulkString(value))) => Acquired::Value(Bytes::from(value)),
        (1, None) => Acquired::Lead,
        (2, Some(BulkString(kind))) => Acquired::Held {
            by_put: kind == [PUT],
        },
        (3, None) => Acquired::Hold,
        (4, Some(Int(left))) => Acquired::Failed {
            left: Duration::from_millis(left.unsigned_abs()),
        },
        _ => return Err(unexpected("a lease was answered by an unknown outcome")),
    };
    connection.learn(shown, sent);
    Ok(acquired)
}
