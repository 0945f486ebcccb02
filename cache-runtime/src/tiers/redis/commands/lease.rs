//! Leases: ask, store, prolong, give back.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{millis, unexpected};
use crate::entry::Token;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::link::{Connection, Lane};
use crate::tiers::redis::scripts::{self, Script};
use crate::tiers::{Acquire, Acquired, LeaseKind, Store, Stored, TierError};

const LOAD: u8 = b'l';
const PUT: u8 = b'p';

impl RedisTier {
    pub(in crate::tiers::redis) async fn take_lease(
        &self,
        key: &str,
        ask: Acquire,
        within: Duration,
    ) -> Result<Acquired, TierError> {
        let (lease, hold) = (self.names.lease(key), self.names.hold(key));
        let life = millis(ask.lease);
        let record = record(ask.token, ask.kind);
        let work = async |mut connection: Connection| {
            let sent = Instant::now();
            let answer = match ask.kind {
                LeaseKind::Put => {
                    let (keys, args) = ([&*lease, &*hold], [&record[..], life.as_bytes()]);
                    scripts::PUT.run(&mut connection, &keys, &args).await?
                }
                LeaseKind::Load => {
                    let value = self.names.value(key);
                    let seen = ask
                        .seen
                        .as_ref()
                        .map_or(&[][..], |token| &token.as_bytes()[..]);
                    let ignore: &[u8] = if ask.ignore_value { b"1" } else { b"0" };
                    let keys = [&*value, &*lease, &*hold];
                    let args = [&record[..], life.as_bytes(), seen, ignore];
                    scripts::ACQUIRE.run(&mut connection, &keys, &args).await?
                }
            };
            acquired(answer).map(|(acquired, shown)| (acquired, shown, sent))
        };
        let (acquired, shown, sent) = self.link.call(Lane::Traffic, within, work).await?;
        self.link.clock().learn(shown, sent);
        Ok(acquired)
    }

    pub(in crate::tiers::redis) async fn store_under_lease(
        &self,
        key: &str,
        entry: Store<'_>,
        within: Duration,
    ) -> Result<Stored, TierError> {
        let [value, lease, hold] = self.trio(key);
        let (version, life) = (entry.schema_version.to_string(), millis(entry.life));
        let keys = [&*value, &*lease, &*hold];
        let args = [
            &entry.token.as_bytes()[..],
            version.as_bytes(),
            life.as_bytes(),
            entry.bytes,
        ];
        let work = async |mut connection: Connection| match scripts::STORE
            .run(&mut connection, &keys, &args)
            .await?
        {
            redis::Value::Int(0) => Ok(Stored::Refused),
            redis::Value::Int(1) => Ok(Stored::Stored),
            redis::Value::Int(2) => Ok(Stored::Newer),
            redis::Value::Int(3) => Ok(Stored::Held),
            _ => Err(unexpected("store was answered by something else")),
        };
        self.link.call(Lane::Traffic, within, work).await
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
        self.on_lease(&scripts::RENEW, key, &args, within).await
    }

    /// One release, awaited; the supervisor sends them in batches.
    #[cfg(test)]
    pub(in crate::tiers::redis) async fn give_back(
        &self,
        key: &str,
        token: Token,
        within: Duration,
    ) -> Result<bool, TierError> {
        let args = [&token.as_bytes()[..]];
        self.on_lease(&scripts::RELEASE, key, &args, within).await
    }

    async fn on_lease(
        &self,
        script: &Script,
        key: &str,
        args: &[&[u8]],
        within: Duration,
    ) -> Result<bool, TierError> {
        let lease = self.names.lease(key);
        let work = async |mut connection: Connection| match script
            .run(&mut connection, &[&lease], args)
            .await?
        {
            redis::Value::Int(done) => Ok(done != 0),
            _ => Err(unexpected("a lease script was answered by something else")),
        };
        self.link.call(Lane::Upkeep, within, work).await
    }
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

/// Reads `{outcome, server time, extra}`.
fn acquired(answer: redis::Value) -> redis::RedisResult<(Acquired, i64)> {
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
        _ => return Err(unexpected("a lease was answered by an unknown outcome")),
    };
    Ok((acquired, shown))
}
