//! The network of the model, behind a port: what travels takes one [`Step`] after another, and the network says when a step is over.
//!
//! [`Faults`] decides by chance. A test that has to see every order decides itself.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use tokio::time::sleep;

use super::Faults;

/// What the model waits for. All steps are those of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command travels to the server, which carries it out at the end. Lost: it never gets there.
    Command(&'static str),
    /// A moment between two commands of one pipeline: other clients may come between.
    Between,
    /// The answer travels back. Lost: it never gets there.
    Answer(&'static str),
    /// Its caller waits so long for the answer, and then gives up.
    Patience(Duration),
    /// What was sent to a subscriber meanwhile comes in.
    Batch,
    /// A message of it is handed over. Lost: the connection breaks.
    Message {
        /// Its number among all messages.
        number: u64,
        /// The process has sent it itself.
        own: bool,
    },
    /// A subscription travels to the server.
    Subscribe,
    /// Its acknowledgement travels back.
    Acknowledge,
    /// A broken connection is made again.
    Reconnect,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// As it should.
    Arrived,
    /// Something got lost.
    Lost,
}

/// A step on its way.
pub type Passage = Pin<Box<dyn Future<Output = Fate> + Send>>;

/// Decides when a step of a process is over, and how.
pub trait Network: fmt::Debug + Send + Sync {
    /// Begins a step of a process; processes are numbered in the order in which their caches were built. The step begins when it is first polled,
    /// and one that is dropped is of no interest any more.
    fn step(&self, process: usize, step: Step) -> Passage;

    /// Whether the server allows publish/subscribe.
    fn has_bus(&self) -> bool {
        true
    }
}

impl Network for Faults {
    fn step(&self, _: usize, step: Step) -> Passage {
        let some_of = |longest: Duration| longest.mul_f64(fastrand::f64());
        let time = match step {
            Step::Patience(within) => within,
            Step::Between => some_of(self.delay / 5),
            Step::Reconnect => some_of(self.outage),
            Step::Message { .. } => Duration::ZERO,
            _ => some_of(self.delay),
        };
        let share = match step {
            Step::Command(_) => self.lost,
            Step::Answer(_) => self.unanswered,
            Step::Message { .. } => self.severed,
            _ => 0.0,
        };
        let fate = if fastrand::f64() < share {
            Fate::Lost
        } else {
            Fate::Arrived
        };
        if matches!(step, Step::Message { .. }) {
            return Box::pin(std::future::ready(fate));
        }
        Box::pin(async move {
            sleep(time).await;
            fate
        })
    }

    fn has_bus(&self) -> bool {
        !self.no_bus
    }
}
