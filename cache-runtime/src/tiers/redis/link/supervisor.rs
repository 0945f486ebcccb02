//! The task that owns the connection.
//!
//! It connects, tells callers, and watches until there is a reason to connect again: a missed ping (a
//! half-open socket is silent; one ping a second with a second to answer finds it within 2 s), a
//! server that became a replica and takes writes all the same, a report by a caller, a release that could not be sent, or another server that is the one to talk to now. It never gives up. It logs one line when
//! the link goes down and one when it comes up, not one per attempt or call.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::connect::connect;
use super::core::Core;
use super::role::refuse_replica;
use super::state::State;
use super::whereabouts::Whereabouts;
use super::{Connection, Live};
use crate::tiers::Moment;
use crate::tiers::redis::endpoint::Address;
use crate::tiers::redis::fault::{Remedy, judge};

const PING_EVERY: Duration = Duration::from_secs(1);
const PING_WITHIN: Duration = Duration::from_secs(1);

/// One start of the supervisor.
pub(super) struct Task {
    core: Arc<Core>,
    number: u64,
}

impl Task {
    pub(super) fn new(core: Arc<Core>, number: u64) -> Self {
        Self { core, number }
    }

    pub(super) async fn run(self) {
        tokio::select! {
            biased;
            () = self.core.post.relieved(self.number) => {}
            _ = async { tokio::join!(self.keep_connected(), self.beside()) } => {}
        }
    }

    async fn beside(&self) {
        if let Some(start) = self.core.beside() {
            start().await;
        }
    }

    async fn keep_connected(&self) {
        let whereabouts = Whereabouts::of(&self.core.endpoint);
        let mut backoff = Backoff::new();
        loop {
            self.core.post.sign();
            match whereabouts.find().await {
                Ok(address) => tokio::select! {
                    () = self.stay(&whereabouts, &address, &mut backoff) => {}
                    // Whatever it was doing there, the next server is known: nothing to wait for.
                    why = whereabouts.left(&address, &self.core.cache) => self.down(&why),
                },
                Err(why) => {
                    self.down(&why);
                    self.pause(&mut backoff).await;
                }
            }
        }
    }

    /// At one server, from the attempt to connect to the pause before the next.
    async fn stay(&self, whereabouts: &Whereabouts, at: &Arc<Address>, backoff: &mut Backoff) {
        match connect(&self.core, at).await {
            Ok(live) => {
                let live = Arc::new(live);
                self.up(&live, at);
                let why = self.watch_over(&live).await;
                backoff.stood(live.since.at.elapsed());
                self.down(&why);
            }
            Err(why) => self.down(&whereabouts.explain(at, why)),
        }
        self.pause(backoff).await;
    }

    async fn pause(&self, backoff: &mut Backoff) {
        self.core.post.sign();
        sleep(backoff.delay()).await;
    }

    /// Ends when the connection is no good any more, and says why.
    async fn watch_over(&self, live: &Live) -> String {
        tokio::select! {
            why = self.ping(live) => why,
            why = self.send_releases(live) => why,
            why = self.core.reported(live) => why,
        }
    }

    async fn ping(&self, live: &Live) -> String {
        let mut connection = live.connection();
        loop {
            sleep(PING_EVERY).await;
            self.core.post.sign();
            match timeout(PING_WITHIN, serves(&mut connection)).await {
                // An account without this command is told so: the server lives.
                Ok(Err(error)) if judge(&error).1 == Remedy::Reconnect => {
                    return self.core.endpoint.words(&error);
                }
                Ok(_) => {}
                Err(_) => return format!("no answer to a ping within {PING_WITHIN:?}"),
            }
        }
    }

    async fn send_releases(&self, live: &Live) -> String {
        loop {
            self.core.releases.news().await;
            match timeout(PING_WITHIN, self.core.releases.send_all(live.connection())).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return self.core.endpoint.words(&error),
                Err(_) => return format!("no answer to a release within {PING_WITHIN:?}"),
            }
        }
    }

    fn up(&self, live: &Arc<Live>, at: &Arc<Address>) {
        if let Some(hook) = self.core.move_hook(at) {
            hook();
        }
        self.core.publish(self.number, |_| {
            self.core.settle(at);
            State::Up(Arc::clone(live))
        });
        tracing::info!(cache = self.core.cache, endpoint = %self.core.endpoint, server = %at, "connected to Redis");
        if !live.missing.is_empty() {
            tracing::warn!(cache = self.core.cache, endpoint = %self.core.endpoint, missing = ?live.missing, "the account may not do all that is needed");
        }
        if let Some(hook) = self.core.hook() {
            hook();
        }
    }

    fn down(&self, why: &str) {
        let mut news = false;
        self.core.publish(self.number, |state| {
            let since = match state {
                State::Down { since, .. } => *since,
                _ => {
                    news = true;
                    Moment::now()
                }
            };
            State::Down {
                since,
                why: why.into(),
            }
        });
        if news {
            tracing::warn!(cache = self.core.cache, endpoint = %self.core.endpoint, why, "no connection to Redis; retrying");
        }
    }
}

/// Whether it answers, and is what it was.
async fn serves(connection: &mut Connection) -> redis::RedisResult<()> {
    let mut questions = redis::pipe();
    questions.cmd("PING");
    questions.cmd("HELLO");
    let mut answers = connection.commands(&questions).await?.into_iter();
    if let Some(pong) = answers.next() {
        pong.extract_error()?;
    }
    match answers.next().map(redis::Value::extract_error) {
        Some(Ok(hello)) => refuse_replica(hello),
        _ => Ok(()),
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.core.vacate(self.number);
    }
}
