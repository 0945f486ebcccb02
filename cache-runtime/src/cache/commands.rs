//! Redis for what is built on a cache: sessions, rate limits, counters.
//!
//! **Problem.** A crate on top that brings a connection of its own brings a second set of everything that makes Redis bearable: reconnecting,
//! deadlines, a breaker, Sentinels, the map of a cluster.
//!
//! **Decision.** It gets the cache's: the same connection, one budget for each call, permits and breaker, and names of its own under the cache's
//! prefix. What would change the connection for everybody, or keep it busy, is refused before it is sent.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use super::Cache;
use crate::{
    engine::{Core, count},
    error::{CacheError, ErrorKind},
    observe::Counters,
    tiers::{self, Commands, Fut, RedisReply, RedisScript, TierError},
};

/// Commands and scripts over a cache's own connection to Redis; see [`Cache::redis`].
///
/// Each call has the whole of [`redis_budget`](crate::CacheBuilder::redis_budget) and one of the permits of
/// [`max_in_flight`](crate::CacheBuilder::max_in_flight), fails at once while Redis is known to be down, and is never repeated. What fails is counted as
/// `redis_errors` and `redis_timeouts` of the site `redis` in [`Cache::stats`].
///
/// **A write whose answer did not come may or may not have been carried out**: after [`ErrorKind::Timeout`] and
/// [`ErrorKind::Unavailable`], and when the future is dropped. A script is carried out whole or not at all. Replication is
/// asynchronous, as for entries: a failover can lose what was confirmed.
///
/// ```no_run
/// use cache_runtime::{Cache, CacheError, RedisReply, RedisScript};
///
/// /// KEYS: a counter. ARGV: its life in milliseconds. Reply: what it shows now.
/// static COUNT: RedisScript = RedisScript::new(
///     "local n = redis.call('INCR', KEYS[1])
///      if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
///      return n",
/// );
///
/// async fn visits(cache: &Cache, user: &str) -> Result<Option<i64>, CacheError> {
///     let Some(redis) = cache.redis() else {
///         return Ok(None);
///     };
///     let key = redis.key("visits", user);
///     let answer = redis.script(&COUNT, &[&key], &[b"60000"]).await?;
///     Ok(answer.as_int())
/// }
///
/// async fn forget(cache: &Cache, user: &str) -> Result<(), CacheError> {
///     if let Some(redis) = cache.redis() {
///         let key = redis.key("visits", user);
///         let gone: RedisReply = redis.command(&key, &[b"UNLINK", key.as_bytes()]).await?;
///         assert!(matches!(gone, RedisReply::Int(0 | 1)));
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct RedisHandle {
    core: Arc<Core>,
    redis: Arc<dyn Commands>,
    counters: Arc<Counters>,
}

/// Errors of these calls are counted under this name, and what was found in Redis that is no entry.
pub(super) const SITE: &str = "redis";

impl Cache {
    /// Redis itself, for crates that keep something of their own beside a cache. `None` where the cache has memory only, or another
    /// [tier](crate::CacheBuilder::tier).
    #[must_use]
    pub fn redis(&self) -> Option<RedisHandle> {
        let core = self.core();
        Some(RedisHandle {
            redis: Arc::clone(core.commands.as_ref()?),
            counters: core.sites.counters(SITE),
            core: Arc::clone(core),
        })
    }
}

impl RedisHandle {
    /// The name in Redis of something that belongs to this cache and is no entry.
    ///
    /// `kind` says what it is (`"session"`), `slot` whose (the session's id): any text, because both are escaped, and one that is very long is digested. Names of different
    /// kinds or slots differ, from each other and from whatever the cache has; no eviction touches them, not [`Evict::all`](crate::Evict::all) nor a pattern, so
    /// give what is stored there an end of its own. In a cluster all names of one `slot` are in one slot: a script may use several of them.
    #[must_use]
    pub fn key(&self, kind: &str, slot: &str) -> String {
        self.redis.name(kind, slot)
    }

    /// Sends one command; `words` are its name and its arguments, and `key` tells which server of a cluster it is for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] with the words of a server that answered with an error; [`ErrorKind::Timeout`] without an answer within the budget;
    /// [`ErrorKind::Unavailable`] without a connection; [`ErrorKind::Busy`] if too much is in flight; [`ErrorKind::Closed`] after [`Cache::close`];
    /// [`ErrorKind::Invalid`], with nothing sent, for a command that waits (`BLPOP`, `XREAD` with `BLOCK`), that walks all there is in one step (`KEYS`: use `SCAN`), or that belongs to a
    /// connection of one's own (`MULTI`, `SUBSCRIBE`, `SELECT`): what takes several steps is a [`script`](Self::script). What is slow because one key is
    /// large (`SORT`, `SMEMBERS`) is sent: how large it gets is up to whoever fills it.
    pub async fn command(&self, key: &str, words: &[&[u8]]) -> Result<RedisReply, CacheError> {
        check(words)?;
        let within = self.core.settings.redis_budget;
        self.told(self.redis.command(key, words, within)).await
    }

    /// Runs a script: by its digest, and with its text where the server does not know it yet.
    ///
    /// `keys` are its `KEYS`, all of one slot in a cluster ([`key`](Self::key) with one `slot`), `arguments` its `ARGV`.
    ///
    /// # Errors
    ///
    /// Those of [`command`](Self::command). [`ErrorKind::Invalid`] without a key, of which the first tells where the script runs. While a slot of a
    /// cluster moves, a script over several keys may be [`ErrorKind::Refused`] with `TRYAGAIN`.
    pub async fn script(
        &self,
        script: &RedisScript,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<RedisReply, CacheError> {
        if keys.is_empty() {
            return Err(invalid(
                "a script without a key: the first one tells where it runs".to_owned(),
            ));
        }
        let within = self.core.settings.redis_budget;
        self.told(self.redis.script(script, keys, arguments, within))
            .await
    }

    async fn told(
        &self,
        call: Fut<'_, Result<RedisReply, TierError>>,
    ) -> Result<RedisReply, CacheError> {
        if self.core.closed.load(Ordering::Acquire) {
            return Err(CacheError::new(ErrorKind::Closed, "the cache is closed"));
        }
        call.await.map_err(|error| {
            count(&error, &self.counters);
            failed(error)
        })
    }
}

impl fmt::Debug for RedisHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisHandle")
            .field("cache", &self.core.settings.name)
            .field("redis", &self.redis)
            .finish()
    }
}

fn failed(error: TierError) -> CacheError {
    use tiers::ErrorKind::{Busy, Protocol, Refused, Timeout, Unavailable};
    let (kind, text) = match error.kind {
        Refused => (ErrorKind::Refused, format!("Redis refused: {error}")),
        Timeout => (ErrorKind::Timeout, format!("Redis: {error}")),
        Busy => (ErrorKind::Busy, format!("Redis: {error}")),
        Unavailable | Protocol => (ErrorKind::Unavailable, format!("Redis: {error}")),
    };
    CacheError::new(kind, text).caused_by(error)
}

fn invalid(why: String) -> CacheError {
    CacheError::new(ErrorKind::Invalid, why)
}

/// What waits for something, and keeps all who come after waiting with it.
const WAITS: [&str; 11] = [
    "BLPOP",
    "BRPOP",
    "BLMOVE",
    "BLMPOP",
    "BRPOPLPUSH",
    "BZPOPMIN",
    "BZPOPMAX",
    "BZMPOP",
    "WAIT",
    "WAITAOF",
    "DEBUG",
];

/// What changes the connection for all who share it, or turns it into something else.
const CHANGES: [&str; 24] = [
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH",
    "UNWATCH",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SSUBSCRIBE",
    "SUNSUBSCRIBE",
    "MONITOR",
    "SELECT",
    "AUTH",
    "HELLO",
    "RESET",
    "QUIT",
    "CLIENT",
    "ASKING",
    "READONLY",
    "READWRITE",
    "SYNC",
    "PSYNC",
    "REPLCONF",
];

/// Whether a connection that many share can carry it.
fn check(words: &[&[u8]]) -> Result<(), CacheError> {
    let [name, rest @ ..] = words else {
        return Err(invalid("a command without a word".to_owned()));
    };
    let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    if is(&"KEYS") {
        return Err(invalid(
            "`KEYS` walks all keys in one step, and everybody waits for the server; use `SCAN`"
                .to_owned(),
        ));
    }
    let reads = ["XREAD", "XREADGROUP"].iter().any(&is);
    if WAITS.iter().any(&is) || (reads && blocks(rest)) {
        return Err(invalid(format!(
            "`{}` waits, and everybody's commands would wait behind it",
            name.escape_ascii()
        )));
    }
    if CHANGES.iter().any(is) {
        return Err(invalid(format!(
            "`{}` is for a connection of one's own; what takes several steps is a script",
            name.escape_ascii()
        )));
    }
    Ok(())
}

/// Whether a read of streams waits for new entries: it has the option `BLOCK`. A stream, a group or a consumer may have that name.
fn blocks(arguments: &[&[u8]]) -> bool {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let is = |option: &[u8]| word.eq_ignore_ascii_case(option);
        if is(b"BLOCK") {
            return true;
        }
        // Names and ids are all that follows.
        if is(b"STREAMS") {
            return false;
        }
        let values = match is(b"GROUP") {
            true => 2,
            false => usize::from(is(b"COUNT") || is(b"CLAIM")),
        };
        words.by_ref().take(values).for_each(drop);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shared_connection_cannot_carry_is_refused() {
        for words in [
            &[][..],
            &[&b"multi"[..]],
            &[&b"BLPOP"[..], b"a", b"0"],
            &[&b"XREAD"[..], b"Block", b"0", b"STREAMS", b"a", b"$"],
            &[
                &b"XREADGROUP"[..],
                b"GROUP",
                b"streams",
                b"c",
                b"COUNT",
                b"1",
                b"BLOCK",
                b"0",
                b"STREAMS",
                b"a",
                b">",
            ],
            &[&b"Keys"[..], b"*"],
            &[&b"Client"[..], b"REPLY", b"OFF"],
        ] {
            let refused = check(words).expect_err("it is refused");
            assert_eq!(refused.kind(), ErrorKind::Invalid);
        }
        for words in [
            &[&b"GET"[..], b"MULTI"][..],
            &[&b"XREAD"[..], b"STREAMS", b"a", b"0"],
            &[&b"XREAD"[..], b"COUNT", b"1", b"STREAMS", b"block", b"0"],
            &[
                &b"XREADGROUP"[..],
                b"GROUP",
                b"block",
                b"BLOCK",
                b"STREAMS",
                b"a",
                b">",
            ],
            &[&b"LPOP"[..], b"block"],
            &[&b"SORT"[..], b"a", b"LIMIT", b"0", b"10"],
        ] {
            assert!(check(words).is_ok());
        }
    }

    #[test]
    fn a_cache_in_memory_has_none() {
        let cache = Cache::builder("memory").build().unwrap();
        assert!(cache.redis().is_none());
    }
}
