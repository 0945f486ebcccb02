//! What servers say of themselves: version, memory, what they do when it is full. For people, who are told what of it is dangerous.

use std::time::Duration;

use crate::tiers::redis::RedisTier;
use crate::tiers::redis::fault::unexpected;
use crate::tiers::redis::link::{Connection, Lane};
use crate::tiers::{ServerFacts, TierError};

impl RedisTier {
    /// Asks every primary.
    pub(super) async fn survey_all(&self, within: Duration) -> Result<Vec<ServerFacts>, TierError> {
        let ground = self.servers.primaries(within).await?;
        let mut facts = Vec::new();
        for primary in &ground.primaries {
            let info = async |mut connection: Connection| {
                let answer = connection.command(&redis::cmd("INFO")).await?;
                match answer.extract_error()? {
                    redis::Value::BulkString(text) => Ok(facts_of(&String::from_utf8_lossy(&text))),
                    _ => Err(unexpected("INFO was answered by no text")),
                }
            };
            facts.push(primary.call(Lane::Upkeep, within, info).await?);
        }
        Ok(facts)
    }
}

/// Reads `name:value` lines; what a server does not say is not known.
fn facts_of(info: &str) -> ServerFacts {
    let value = |name: &str| {
        let mut lines = info.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    let number = |name: &str| value(name)?.parse().ok();
    let mut version = value("redis_version")
        .into_iter()
        .flat_map(|it| it.split('.'));
    let mut part = || version.next()?.parse().ok();
    ServerFacts {
        version: part().and_then(|major| Some((major, part()?))),
        max_memory: number("maxmemory"),
        used_memory: number("used_memory"),
        policy: value("maxmemory_policy").map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_read_and_the_rest_is_not_known() {
        let info = "# Server\r\nredis_version:6.0.16\r\n# Memory\r\nused_memory:850\r\nmaxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\n";
        let facts = facts_of(info);
        assert_eq!(facts.version, Some((6, 0)));
        assert_eq!(
            (facts.max_memory, facts.used_memory),
            (Some(1000), Some(850))
        );
        assert_eq!(facts.policy.as_deref(), Some("volatile-ttl"));
        assert_eq!(
            facts_of("redis_version:odd\r\nmaxmemory:?"),
            ServerFacts::default()
        );
    }
}
