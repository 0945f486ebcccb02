//! Reading: the one plain `GET` of a hit, and everything about a key for people.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use super::labels::standings;
use crate::tags::{Label, Standing};
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::fault::is_wrong_type;
use crate::tiers::redis::fault::unexpected;
use crate::tiers::redis::link::{Connection, Lane};
use crate::tiers::redis::names::hash_tag;
use crate::tiers::redis::scripts::Pipeline;
use crate::tiers::{Read, Remote, TierError};

impl RedisTier {
    /// From one server the value first, so that labels that have changed since it was stored are seen. From a cluster all at once: a value that
    /// was stored since its labels were read carries others, which is confirmed; one that was evicted since was there when the read began.
    pub(in crate::tiers::redis) async fn read_value(
        &self,
        key: &str,
        labels: &[Label],
        within: Duration,
    ) -> Result<Read, TierError> {
        if labels.is_empty() {
            let name = self.names.of_value(key);
            // What is in its braces decides the slot of a name.
            let call = self.servers.get(hash_tag(key), &name, within, found);
            return Ok(self.told(call.await?, Vec::new()));
        }
        // In a box, as it is the larger of two and the rarer.
        Box::pin(self.read_with_labels(key, labels, within)).await
    }

    async fn read_with_labels(
        &self,
        key: &str,
        labels: &[Label],
        within: Duration,
    ) -> Result<Read, TierError> {
        let steps = |pipeline: &mut Pipeline| {
            let mut command = redis::cmd("GET");
            command.arg(self.names.value(key));
            pipeline.command(command);
            self.add_reads(pipeline, labels);
        };
        let now = self.servers.now();
        let answers = self.servers.send(Lane::Traffic, within, &steps).await?;
        let mut answers = answers.into_iter();
        let value = answers
            .next()
            .unwrap_or_else(|| Err(unexpected("GET was not answered")));
        let found = text(value).and_then(|found| Ok((found, standings(answers, now)?)));
        let (found, labels) = found.map_err(|error| self.servers.refusal(&error))?;
        Ok(self.told(found, labels))
    }

    fn told(&self, found: Found, labels: Vec<Standing>) -> Read {
        let value = match found {
            Found::Nothing => None,
            Found::Text(bytes) => Some(bytes),
            Found::OtherType => {
                self.foreign_types.fetch_add(1, Ordering::Relaxed);
                None
            }
        };
        Read { value, labels }
    }

    pub(in crate::tiers::redis) async fn look_at(
        &self,
        key: &str,
        within: Duration,
    ) -> Result<Remote, TierError> {
        let mut commands = redis::pipe();
        commands.cmd("GET").arg(self.names.value(key));
        commands.cmd("PTTL").arg(self.names.value(key));
        commands.cmd("EXISTS").arg(self.names.lease(key));
        commands.cmd("PTTL").arg(self.names.hold(key));
        let work = async |mut connection: Connection| remote(connection.commands(&commands).await?);
        let value = self.names.value(key);
        self.servers.call(&value, Lane::Traffic, within, work).await
    }
}

/// What a `GET` found.
enum Found {
    Nothing,
    Text(Bytes),
    OtherType,
}

fn text(answer: redis::RedisResult<redis::Value>) -> redis::RedisResult<Found> {
    found(answer.and_then(|answer| match answer {
        redis::Value::Nil => Ok(None),
        redis::Value::BulkString(bytes) => Ok(Some(bytes.into())),
        _ => Err(unexpected("GET was not answered by a string")),
    }))
}

fn found(answer: redis::RedisResult<Option<Bytes>>) -> redis::RedisResult<Found> {
    match answer {
        Ok(None) => Ok(Found::Nothing),
        Ok(Some(bytes)) => Ok(Found::Text(bytes)),
        Err(error) if is_wrong_type(&error) => Ok(Found::OtherType),
        Err(error) => Err(error),
    }
}

fn remote(answers: Vec<redis::Value>) -> redis::RedisResult<Remote> {
    let Ok([value, life, lease, hold]) = <[redis::Value; 4]>::try_from(answers) else {
        return Err(unexpected("four commands, another number of answers"));
    };
    let life = redis::from_redis_value::<i64>(life.extract_error()?)?;
    let hold = redis::from_redis_value::<i64>(hold.extract_error()?)?;
    Ok(Remote {
        value: match text(value.extract_error())? {
            Found::Text(bytes) => Some(bytes),
            Found::Nothing | Found::OtherType => None,
        },
        remaining: remaining(life),
        leased: redis::from_redis_value::<i64>(lease.extract_error()?)? == 1,
        // A hold without an end holds all the same.
        hold: match hold {
            -1 => Some(Duration::MAX),
            _ => remaining(hold),
        },
    })
}

/// `PTTL` says -2 for no key and -1 for no end.
fn remaining(pttl: i64) -> Option<Duration> {
    u64::try_from(pttl).ok().map(Duration::from_millis)
}
