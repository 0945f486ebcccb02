//! One connection, from its making to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::super::clock::ServerClock;
use super::super::fault::unexpected;
use super::breaker::Breaker;
use crate::tiers::Moment;
use crate::tiers::redis::client::Driver;

/// A handle on the multiplexed connection; cheap to clone, one per call.
#[derive(Clone, Debug)]
pub(in crate::tiers::redis) struct Connection {
    socket: redis::aio::MultiplexedConnection,
    clock: Arc<ServerClock>,
    asking: bool,
}

impl Connection {
    pub(super) fn new(socket: redis::aio::MultiplexedConnection, clock: Arc<ServerClock>) -> Self {
        Self {
            socket,
            clock,
            asking: false,
        }
    }

    /// Each command is asked of a server that is about to get its slot.
    pub(in crate::tiers::redis) fn asking(self) -> Self {
        Self {
            asking: true,
            ..self
        }
    }

    /// Takes in that the server's clock showed `shown` in an answer to what was sent then.
    pub(in crate::tiers::redis) fn learn(&self, shown: i64, sent: Instant) {
        self.clock.learn(shown, sent);
    }

    /// Sends one command; an error answer is an error.
    pub(in crate::tiers::redis) async fn command(
        &mut self,
        command: &redis::Cmd,
    ) -> redis::RedisResult<redis::Value> {
        if self.asking {
            let mut asked = redis::pipe();
            asked.cmd("ASKING").add_command(command.clone());
            let answers = self.socket.send_packed_commands(&asked, 1, 1).await?;
            return answers.into_iter().next_back().map_or_else(
                || Err(unexpected("a command was not answered")),
                redis::Value::extract_error,
            );
        }
        self.socket
            .send_packed_command(command)
            .await?
            .extract_error()
    }

    /// Sends several commands at once; error answers are among the values.
    pub(in crate::tiers::redis) async fn commands(
        &mut self,
        commands: &redis::Pipeline,
    ) -> redis::RedisResult<Vec<redis::Value>> {
        if self.asking {
            let mut asked = redis::pipe();
            for command in commands.cmd_iter() {
                asked.cmd("ASKING").add_command(command.clone());
            }
            let answers = self
                .socket
                .send_packed_commands(&asked, 0, asked.len())
                .await?;
            return Ok(answers.into_iter().skip(1).step_by(2).collect());
        }
        self.socket
            .send_packed_commands(commands, 0, commands.len())
            .await
    }
}

/// A connection that was proved ready.
#[derive(Debug)]
pub(in crate::tiers::redis) struct Live {
    /// Counts connections; tells reports about this one from late ones about its predecessors.
    pub(super) serial: u64,
    pub(super) since: Moment,
    connection: Connection,
    /// Ends with this, and so does the socket.
    pub(super) driver: Driver,
    pub(super) breaker: Breaker,
    /// What the account may not do, and what that means.
    pub(super) missing: Arc<[Box<str>]>,
}

impl Live {
    pub(super) fn new(connection: Connection, driver: Driver, missing: Vec<Box<str>>) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self {
            serial: MADE.fetch_add(1, Ordering::Relaxed) + 1,
            since: Moment::now(),
            connection,
            driver,
            breaker: Breaker::default(),
            missing: missing.into(),
        }
    }

    pub(in crate::tiers::redis) fn connection(&self) -> Connection {
        self.connection.clone()
    }
}
