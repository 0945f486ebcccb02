//! The data connection: commands and their answers over one socket.
//!
//! **Problem.** A hit is a small command and a small answer, so what counts is everything around them. The client library's multiplexed
//! connection hands each command through a queue of its own, parses each answer in the one task that reads the socket, a copy of the text
//! included, and tells only one of those who wait why a connection ended.
//!
//! **Decision.** What the library's connection would do is done here: one task ([`carrier`]) writes what waits in the [`outbox`] as one text, reads as much as has
//! come, and cuts it where [`Walk`](super::socket::Walk) says that answers end. Who asked gets its answer as it came, a slice of what was
//! read, and makes of it what it needs ([`answer`]) on its own thread. Commands are packed by the library.
//!
//! * Answers come in the order of commands (RESP2), so who waits is a queue. One that has left keeps its place, and delays nobody.
//! * What is left before it was sent is not sent. What waits for a socket that takes nothing is bounded by who still waits for it.
//! * A deadline is the caller's. Where hits have one, the [`watcher`] keeps it for all of them with one timer ([`Wire::last_of_by`]).
//! * When the connection ends, all who wait are told why.
//! * A subscribed connection speaks RESP3 and stays with the library.

mod answer;
mod carrier;
mod outbox;
#[cfg(test)]
mod tests;
mod watcher;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use self::answer::{last, values};
pub(super) use self::answer::{text, value};
use self::carrier::Carrier;
use self::outbox::{Outbox, Request, Told, Untold, Watch};
use super::socket::Stream;

/// A handle on a connection; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Wire(Arc<Outbox>);

impl Wire {
    /// A connection over this stream, and what has to run for it. No answer has more than `most` bytes.
    pub(super) fn over(
        stream: Box<dyn Stream>,
        most: u64,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let outbox = Arc::new(Outbox::new());
        let carrier = Carrier::new(stream, most, Arc::clone(&outbox));
        (Self(outbox), carrier)
    }

    /// Sends one command; an error answer is an error.
    pub(super) async fn command(&self, command: &redis::Cmd) -> redis::RedisResult<redis::Value> {
        let answer = self.ask(command.get_packed_command(), 1).await?;
        value(&answer)?.extract_error()
    }

    /// Sends several commands at once; error answers are among the values.
    pub(super) async fn commands(
        &self,
        commands: &redis::Pipeline,
    ) -> redis::RedisResult<Vec<redis::Value>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.ask(commands.get_packed_pipeline(), commands.len());
        values(&answers.await?)
    }

    /// Sends what is packed, and waits for the last of so many answers, at least one.
    pub(super) async fn last_of(
        &self,
        packed: Vec<u8>,
        answers: usize,
    ) -> redis::RedisResult<Bytes> {
        let all = self.ask(packed, answers).await?;
        if answers == 1 { Ok(all) } else { last(&all) }
    }

    /// The same until then; `None`: there was no answer in time.
    ///
    /// A timer for each call is two turns at the lock that all timers of a runtime share. So as long as there are such calls a task of the
    /// connection keeps one for all of them, and tells those whose time is over. It is as good as theirs only on their runtime: whoever runs elsewhere,
    /// or comes while the task keeps none that ends soon enough, has a timer of his own.
    pub(super) async fn last_of_by(
        &self,
        packed: Vec<u8>,
        answers: usize,
        by: Instant,
    ) -> redis::RedisResult<Option<Bytes>> {
        let (to, mut told) = oneshot::channel();
        let watch = self.0.push(Request {
            packed,
            answers,
            until: self.0.is_at_home().then_some(by),
            to,
        })?;
        let told = match watch {
            Watch::Watcher => told.await,
            // In a box, as few need it.
            Watch::Asker => match Box::pin(timeout_at(by, &mut told)).await {
                Ok(told) => told,
                Err(_) => return Ok(None),
            },
        };
        match told.unwrap_or_else(|_| Err(Untold::Failed(outbox::given_up()))) {
            Ok(all) if answers == 1 => Ok(Some(all)),
            Ok(all) => last(&all).map(Some),
            Err(Untold::Late) => Ok(None),
            Err(Untold::Failed(why)) => Err(why),
        }
    }

    /// Sends what is packed, and waits for so many answers. Dropping it takes nothing back that was sent.
    async fn ask(&self, packed: Vec<u8>, answers: usize) -> redis::RedisResult<Bytes> {
        let (to, told) = oneshot::channel();
        self.0.push(Request {
            packed,
            answers,
            until: None,
            to,
        })?;
        untimed(told.await)
    }
}

/// What was told to who has set no time.
fn untimed(told: Result<Told, oneshot::error::RecvError>) -> redis::RedisResult<Bytes> {
    match told {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Untold::Failed(why))) => Err(why),
        Ok(Err(Untold::Late)) | Err(_) => Err(outbox::given_up()),
    }
}
