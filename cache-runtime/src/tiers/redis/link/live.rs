//! One connection, from its making to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::breaker::Breaker;
use crate::tiers::Moment;

/// A handle on the multiplexed connection; cheap to clone, one per call.
#[derive(Clone, Debug)]
pub(in crate::tiers::redis) struct Connection(redis::aio::MultiplexedConnection);

impl Connection {
    pub(super) fn new(connection: redis::aio::MultiplexedConnection) -> Self {
        Self(connection)
    }

    /// Sends one command; an error answer is an error.
    pub(in crate::tiers::redis) async fn command(
        &mut self,
        command: &redis::Cmd,
    ) -> redis::RedisResult<redis::Value> {
        self.0.send_packed_command(command).await?.extract_error()
    }

    /// Sends several commands at once; error answers are among the values.
    pub(in crate::tiers::redis) async fn commands(
        &mut self,
        commands: &redis::Pipeline,
    ) -> redis::RedisResult<Vec<redis::Value>> {
        self.0
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
    pub(super) breaker: Breaker,
    /// What the account may not do, and what that means.
    pub(super) missing: Arc<[Box<str>]>,
}

impl Live {
    pub(super) fn new(connection: Connection, missing: Vec<Box<str>>) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self {
            serial: MADE.fetch_add(1, Ordering::Relaxed) + 1,
            since: Moment::now(),
            connection,
            breaker: Breaker::default(),
            missing: missing.into(),
        }
    }

    pub(in crate::tiers::redis) fn connection(&self) -> Connection {
        self.connection.clone()
    }
}
