//! Commands and scripts of others, over the connection, under the permits and with the breaker of the cache's own.

use std::time::Duration;

use bytes::Bytes;

use crate::observe::Histogram;
use crate::tiers::redis::RedisTier;
use crate::tiers::redis::fault::unexpected;
use crate::tiers::redis::link::{Connection, Lane};
use crate::tiers::redis::scripts;
use crate::tiers::{Commands, Fut, RedisReply, RedisScript, ServerFacts, TierError};

impl Commands for RedisTier {
    fn name(&self, kind: &str, slot: &str) -> String {
        self.names.own(kind, slot)
    }

    fn round_trips(&self) -> Histogram {
        self.round_trips.snapshot()
    }

    fn survey(&self, within: Duration) -> Fut<'_, Result<Vec<ServerFacts>, TierError>> {
        Box::pin(self.survey_all(within))
    }

    fn may_be_asked(&self) -> bool {
        self.servers.endpoint().account.user.is_none()
    }

    fn command<'a>(
        &'a self,
        key: &'a str,
        words: &'a [&'a [u8]],
        within: Duration,
    ) -> Fut<'a, Result<RedisReply, TierError>> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        Box::pin(async move {
            let command = &command;
            let work = async |mut connection: Connection| reply(connection.command(command).await?);
            self.servers.call(key, Lane::Traffic, within, work).await
        })
    }

    fn script<'a>(
        &'a self,
        script: &'a RedisScript,
        keys: &'a [&'a str],
        arguments: &'a [&'a [u8]],
        within: Duration,
    ) -> Fut<'a, Result<RedisReply, TierError>> {
        let (text, digest) = (script.source(), script.digest(scripts::digest));
        let key = keys.first().copied().unwrap_or_default();
        Box::pin(async move {
            let work = async |mut connection: Connection| {
                let answer = scripts::run(&mut connection, text, digest, keys, arguments);
                reply(answer.await?)
            };
            self.servers.call(key, Lane::Traffic, within, work).await
        })
    }
}

/// An answer without the library's words for it. One that hides an error is that error.
fn reply(answer: redis::Value) -> redis::RedisResult<RedisReply> {
    use redis::Value;
    let list = |answers: Vec<Value>| {
        let answers = answers.into_iter().map(reply);
        Ok(RedisReply::List(answers.collect::<Result<_, _>>()?))
    };
    let text = |text: Vec<u8>| Ok(RedisReply::Bytes(text.into()));
    match answer.extract_error()? {
        Value::Nil => Ok(RedisReply::Nil),
        Value::Int(number) => Ok(RedisReply::Int(number)),
        Value::BulkString(bytes) => text(bytes),
        Value::SimpleString(status) => text(status.into_bytes()),
        Value::Okay => Ok(RedisReply::Bytes(Bytes::from_static(b"OK"))),
        Value::Array(answers) | Value::Set(answers) => list(answers),
        // The connection speaks RESP2, which has no more kinds.
        _ => Err(unexpected("an answer of a kind that RESP2 does not have")),
    }
}
