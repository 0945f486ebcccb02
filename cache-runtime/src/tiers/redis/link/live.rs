//! One connection, from its making to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;

use super::super::clock::ServerClock;
use super::breaker::Breaker;
use super::unavailable;
use crate::tiers::redis::client::Driver;
use crate::tiers::redis::wire::{Wire, text, value};
use crate::tiers::{Moment, TierError};

/// A handle on the connection; cheap to clone, one per call.
#[derive(Clone, Debug)]
pub(in crate::tiers::redis) struct Connection {
    wire: Wire,
    clock: Arc<ServerClock>,
    asking: bool,
}

impl Connection {
    pub(super) fn new(wire: Wire, clock: Arc<ServerClock>) -> Self {
        Self {
            wire,
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

    /// A plain `GET`: the text, as a slice of what was read. An error answer is an error.
    pub(in crate::tiers::redis) async fn get(
        &self,
        key: &impl Spelled,
    ) -> redis::RedisResult<Option<Bytes>> {
        let (packed, answers) = self.packed_get(key);
        text(&self.wire.last_of(packed, answers).await?)
    }

    /// The same until then; `None` stands for no answer in time.
    pub(super) async fn get_by(
        &self,
        key: &impl Spelled,
        by: tokio::time::Instant,
    ) -> Option<redis::RedisResult<Option<Bytes>>> {
        let (packed, answers) = self.packed_get(key);
        match self.wire.last_of_by(packed, answers, by).await {
            Ok(answer) => answer.map(|answer| text(&answer)),
            Err(error) => Some(Err(error)),
        }
    }

    /// The command, and how many answers it has.
    fn packed_get(&self, key: &impl Spelled) -> (Vec<u8>, usize) {
        const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";
        let length = key.length();
        let mut packed = Vec::with_capacity(length + 64);
        if self.asking {
            packed.extend_from_slice(ASKING);
        }
        packed.extend_from_slice(b"*2\r\n$3\r\nGET\r\n$");
        push_number(&mut packed, length);
        packed.extend_from_slice(b"\r\n");
        key.spell(&mut packed);
        packed.extend_from_slice(b"\r\n");
        (packed, 1 + usize::from(self.asking))
    }

    /// Sends one command; an error answer is an error.
    pub(in crate::tiers::redis) async fn command(
        &mut self,
        command: &redis::Cmd,
    ) -> redis::RedisResult<redis::Value> {
        if self.asking {
            let mut packed = redis::cmd("ASKING").get_packed_command();
            command.write_packed_command(&mut packed);
            let answer = self.wire.last_of(packed, 2).await?;
            return value(&answer)?.extract_error();
        }
        self.wire.command(command).await
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
            let answers = self.wire.commands(&asked).await?;
            return Ok(answers.into_iter().skip(1).step_by(2).collect());
        }
        self.wire.commands(commands).await
    }
}

/// A name that is written where it is needed.
pub(in crate::tiers::redis) trait Spelled {
    /// How many bytes it has.
    fn length(&self) -> usize;
    fn spell(&self, into: &mut Vec<u8>);
}

fn push_number(into: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        push_number(into, number / 10);
    }
    into.push(b'0' + (number % 10) as u8);
}

/// A connection that was proved ready.
#[derive(Debug)]
pub(in crate::tiers::redis) struct Live {
    /// Counts connections; tells reports about this one from late ones about its predecessors.
    pub(super) serial: u64,
    pub(super) since: Moment,
    pub(super) connection: Connection,
    /// Ends with this, and so does the socket.
    _driver: Driver,
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
            _driver: driver,
            breaker: Breaker::default(),
            missing: missing.into(),
        }
    }

    pub(in crate::tiers::redis) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Unless nothing more is to be asked on it.
    pub(super) fn answers(&self) -> Result<(), TierError> {
        if self.breaker.is_open() {
            return Err(unavailable("the server does not answer"));
        }
        Ok(())
    }
}
