//! Making a connection, and proving that it serves.
//!
//! A connection is not a server that serves: one that loads its data answers `HELLO` and `PING`, one
//! that became a replica answers everything but writes, and one whose process is stopped accepts
//! connections. So a connection counts when our account is accepted, a read of one of our keys and a
//! deletion of a key nobody has are not refused, the time came back, and it does not call itself a replica. One round trip, which also
//! loads the scripts. A second one has to be as fast as a caller wants it: a server that is too slow for every
//! call would else be found well again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::super::endpoint::Address;
use super::super::fault::{Remedy, is_wrong_type, judge, redirect};
use super::super::scripts::Script;
use super::check::missing;
use super::core::Core;
use super::role::refuse_replica;
use super::{Connection, Live};

/// Bounds the making of the socket and, again, the first round trip.
const WITHIN: Duration = Duration::from_secs(1);

/// Connects, signs in and proves readiness; on failure says why, without secrets.
pub(super) async fn connect(core: &Core, address: &Address) -> Result<Live, String> {
    let words = |error: redis::RedisError| core.endpoint.words(&error);
    let (wire, driver) = match timeout(WITHIN, core.endpoint.connect(address)).await {
        Ok(made) => made.map_err(words)?,
        Err(_) => return Err(format!("no connection within {WITHIN:?}")),
    };
    let mut connection = Connection::new(wire, Arc::clone(&core.clock));
    match timeout(WITHIN, greet(core, &mut connection)).await {
        Ok(greeted) => greeted.map_err(words)?,
        Err(_) => return Err(format!("connected, but no answer within {WITHIN:?}")),
    }
    let patience = core.patience.min(WITHIN);
    match timeout(patience, read(core, &mut connection)).await {
        Ok(answered) => answered.map_err(words)?,
        Err(_) => {
            return Err(format!(
                "connected, but answers take longer than {patience:?}"
            ));
        }
    }
    let missing = timeout(WITHIN, missing(&mut connection, &core.probe)).await;
    Ok(Live::new(connection, driver, missing.unwrap_or_default()))
}

/// What a caller would ask.
async fn read(core: &Core, connection: &mut Connection) -> redis::RedisResult<()> {
    let mut command = redis::cmd("GET");
    command.arg(&core.probe);
    match connection.command(&command).await {
        Err(error) if !is_about_the_key(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Any answer about the key is an answer, also that another server has its slot now.
fn is_about_the_key(error: &redis::RedisError) -> bool {
    is_wrong_type(error) || redirect(error).is_some()
}

/// Which question an answer belongs to.
#[derive(Clone, Copy)]
enum Asked {
    Account,
    Database,
    Write,
    Read,
    Time,
    Script,
    Role,
}

async fn greet(core: &Core, connection: &mut Connection) -> redis::RedisResult<()> {
    let (commands, asked) = questions(core);
    let sent = Instant::now();
    let answers = connection.commands(&commands).await?;
    for (asked, answer) in asked.into_iter().zip(answers) {
        match (asked, answer.extract_error()) {
            (Asked::Time, Ok(time)) => core.clock.learn(millis(&time)?, sent),
            (Asked::Role, Ok(hello)) => refuse_replica(hello)?,
            (_, Ok(_)) | (Asked::Role, Err(_)) => {}
            (Asked::Read, Err(error)) if is_about_the_key(&error) => {}
            // What is forbidden here fails where it is needed, with its own message.
            (Asked::Write | Asked::Script, Err(error)) if judge(&error).1 == Remedy::None => {}
            (_, Err(error)) => return Err(error),
        }
    }
    Ok(())
}

fn questions(core: &Core) -> (redis::Pipeline, Vec<Asked>) {
    let mut commands = redis::pipe();
    let mut asked = Vec::new();
    if let Some(sign_in) = core.endpoint.account.sign_in() {
        commands.add_command(sign_in);
        asked.push(Asked::Account);
    }
    if core.endpoint.database != 0 {
        commands.cmd("SELECT").arg(core.endpoint.database);
        asked.push(Asked::Database);
    }
    commands.cmd("UNLINK").arg(&core.probe);
    commands.cmd("GET").arg(&core.probe);
    commands.cmd("TIME");
    asked.extend([Asked::Write, Asked::Read, Asked::Time]);
    for script in Script::all() {
        commands.add_command(script.load());
        asked.push(Asked::Script);
    }
    commands.cmd("HELLO");
    asked.push(Asked::Role);
    (commands, asked)
}

/// `TIME`'s two texts, seconds and microseconds.
fn millis(time: &redis::Value) -> redis::RedisResult<i64> {
    let (seconds, micros): (i64, i64) = redis::from_redis_value_ref(time)?;
    Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000))
}
