//! One connection, from its making to its end.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

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

/// So many calls in a row without an answer, and the socket is taken for dead.
const SILENCES: u32 = 5;

/// A connection that was proved ready.
#[derive(Debug)]
pub(in crate::tiers::redis) struct Live {
    /// Counts connections; tells reports about this one from late ones about its predecessors.
    pub(super) serial: u64,
    pub(super) since: Moment,
    connection: Connection,
    silences: AtomicU32,
}

impl Live {
    pub(super) fn new(connection: Connection) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self {
            serial: MADE.fetch_add(1, Ordering::Relaxed) + 1,
            since: Moment::now(),
            connection,
            silences: AtomicU32::new(0),
        }
    }

    pub(in crate::tiers::redis) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// A call was answered.
    pub(super) fn answered(&self) {
        // Read first: the counter is zero nearly always, and shared by all callers.
        if self.silences.load(Ordering::Relaxed) != 0 {
            self.silences.store(0, Ordering::Relaxed);
        }
    }

    /// A call was not answered in time; whether that was one too many.
    pub(super) fn silent(&self) -> bool {
        self.silences.fetch_add(1, Ordering::Relaxed) + 1 == SILENCES
    }
}
