//! What this account may not do, found out when a connection is made.
//!
//! An account with too few rights does not fail where it is noticed: a message that may not be published is missed in another process.
//! So every command is tried once, on a key and a channel that nobody uses, and what is refused is told with what it means. Nothing
//! depends on it: each command is refused again, and dealt with, where it is needed.

use super::Connection;
use crate::tiers::redis::fault::is_forbidden;
use crate::tiers::redis::scripts;

/// What is missing: `SCAN: …`, each with what it means. Nothing, if the question is not answered: that is for the link to find out.
pub(super) async fn missing(connection: &mut Connection, probe: &str) -> Vec<Box<str>> {
    let mut refused = in_scripts(connection, probe).await;
    refused.extend(by_themselves(connection, probe).await);
    let told = |command: String| format!("{command}: {}", means(&command)).into();
    refused.into_iter().map(told).collect()
}

/// The names of commands that are refused outside of scripts.
async fn by_themselves(connection: &mut Connection, probe: &str) -> Vec<String> {
    let mut commands = redis::pipe();
    commands.cmd("EVAL").arg("return 0").arg(0);
    commands.add_command(scripts::CHECK.load());
    commands.cmd("SCAN").arg(0).arg("MATCH").arg(probe);
    commands.cmd("PING");
    let answers = connection.commands(&commands).await.unwrap_or_default();
    let named = ["EVAL", "SCRIPT LOAD", "SCAN", "PING"]
        .into_iter()
        .zip(answers);
    let refused = named.filter(|(_, answer)| {
        let answer = answer.clone().extract_error();
        answer.is_err_and(|error| is_forbidden(&error))
    });
    refused.map(|(name, _)| name.to_owned()).collect()
}

/// The names of commands that are refused within a script, if one can be run.
async fn in_scripts(connection: &mut Connection, probe: &str) -> Vec<String> {
    let answer = scripts::CHECK
        .run(connection, &[probe], &[probe.as_bytes()])
        .await;
    match answer {
        Ok(names) => redis::from_redis_value(names).unwrap_or_default(),
        Err(error) if is_forbidden(&error) => vec!["EVALSHA".to_owned()],
        Err(_) => Vec::new(),
    }
}

/// What does not work without a command.
fn means(command: &str) -> &'static str {
    match command {
        "PUBLISH" => {
            "other processes do not hear of what is evicted or put here, and their waiters are not woken"
        }
        "SCAN" => {
            "an eviction by a pattern that needs it takes everything in the region around it, and what died with a region stays until it expires"
        }
        "EVALSHA" => "nothing is stored in Redis, and no eviction is confirmed",
        "EVAL" => {
            "once the server has lost its scripts, nothing is stored in Redis and no eviction is confirmed until the next connection"
        }
        "SCRIPT LOAD" => "the first call of each script is refused, and made again with its text",
        "PING" => "the server notes a refusal a second",
        "GET" | "GETRANGE" | "STRLEN" => "values in Redis cannot be read",
        "HSET" | "HGET" | "HGETALL" | "HEXISTS" | "HLEN" | "HDEL" => {
            "the registry of regions cannot be kept: nothing is stored in Redis, and evictions by region are not confirmed"
        }
        "UNLINK" | "DEL" => "no eviction is confirmed",
        "SETRANGE" => "`expire` of a key or pattern is not confirmed",
        _ => "nothing is stored in Redis",
    }
}
