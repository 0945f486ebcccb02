//! The link: one connection for all calls, under supervision.
//!
//! The stock connection manager was measured to block each call for 9.45 s when the server is gone, to
//! stay poisoned after an authentication error during a reconnect, and never to notice a half-open
//! socket. So a background task owns the connection ([`supervisor`]): it connects, proves readiness,
//! pings, reconnects for ever; callers only ever look at the present [`State`].
//!
//! * A call fails at once when there is no connection. Only while the very first attempt runs does it
//!   wait for it, within its own deadline. The deadline covers permits, that wait and the answer.
//! * A call that meets a broken connection, and one whose silence opens the circuit [`breaker`], tell the supervisor, which drops the
//!   socket. Until it has proved another, within the time a caller would wait, calls fail at once.
//! * Dropping a call in flight never shifts replies: it keeps its place in the queue.
//! * Who needs a task that starts and ends with this one runs in it ([`Link::run_beside`]).
//! * The task ends with the [`Link`]. A connection lives on the runtime of the task, so when that
//!   runtime is gone both are, and the next call starts both again where it runs.

mod backoff;
mod breaker;
mod check;
mod connect;
mod core;
mod live;
mod permits;
mod releases;
mod role;
mod state;
mod supervisor;
mod whereabouts;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use self::core::Core;
pub(super) use self::core::Place;
pub(super) use backoff::Backoff;
pub(super) use live::{Connection, Live, Spelled};
pub(super) use permits::Lane;
use permits::{Permit, Permits};
use state::State;

use super::clock::ServerClock;
use super::endpoint::{Endpoint, Topology};
use super::fault::{Remedy, judge};
use crate::entry::Token;
use crate::observe::StripedDurations;
use crate::tiers::{ErrorKind, LinkState, TierError};

/// How much a tier asks of its server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Reads and fills at the same time; evictions are not counted.
    pub(crate) max_in_flight: usize,
    /// How long a call waits for an answer, if it is a read: a server that takes longer counts as down.
    pub(crate) patience: Duration,
    /// What a value may have; answers that are far larger are refused.
    pub(crate) max_value_bytes: usize,
}

/// Owner of the connection and its supervisor.
#[derive(Debug)]
pub(super) struct Link {
    /// Another for each.
    id: u64,
    core: Arc<Core>,
    permits: Permits,
    /// Of all links of a tier together.
    times: Arc<StripedDurations>,
}

impl Link {
    /// A link that connects when first used. `probe` is a key nobody writes; who waits for a lease is told on `channel`.
    pub(super) fn new(
        cache: String,
        endpoint: Endpoint,
        probe: String,
        channel: String,
        limits: Limits,
        times: Arc<StripedDurations>,
    ) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self {
            id: MADE.fetch_add(1, Ordering::Relaxed),
            core: Arc::new(Core::new(cache, endpoint, probe, channel, limits.patience)),
            permits: Permits::new(limits.max_in_flight),
            times,
        }
    }

    /// Runs one piece of work on the connection, all within the deadline.
    pub(super) async fn call<T, W, F>(
        &self,
        lane: Lane,
        within: Duration,
        work: W,
    ) -> Result<T, TierError>
    where
        T: Send,
        W: FnOnce(Connection) -> F + Send,
        F: Future<Output = redis::RedisResult<T>> + Send,
    {
        let by = Deadline::after(within);
        match self.decided()? {
            // Who gets what it needs at once, and it is as good as always so, need not look at the clock again.
            Some(live) if lane == Lane::Traffic && !within.is_zero() => {
                let _permit = self.permits.traffic()?;
                self.ask(&live, by, work).await
            }
            decided => {
                let call = async {
                    let live = match decided {
                        Some(live) => live,
                        None => self.live(by).await?,
                    };
                    self.call_on(&live, lane, by, work).await
                };
                Box::pin(call).await
            }
        }
    }

    /// A plain `GET` within the deadline, and what `read` makes of its answer: the call of every hit.
    pub(super) async fn get<T: Send>(
        &self,
        key: &(impl Spelled + Sync),
        within: Duration,
        read: fn(redis::RedisResult<Option<Bytes>>) -> redis::RedisResult<T>,
    ) -> Result<T, TierError> {
        let by = Deadline::after(within);
        let Some(live) = self.decided()?.filter(|_| !within.is_zero()) else {
            let work = async |connection: Connection| read(connection.get(key).await);
            return Box::pin(self.call(Lane::Traffic, within, work)).await;
        };
        let _permit = self.permits.traffic()?;
        live.answers()?;
        match live.connection.get_by(key, by.at).await.map(read) {
            Some(answer) => self.answered(&live, by.began(), answer),
            None => Err(self.unanswered(&live, by)),
        }
    }

    /// As [`call`](Self::call), on this connection and no other.
    pub(super) async fn call_on<T, W, F>(
        &self,
        live: &Live,
        lane: Lane,
        by: Deadline,
        work: W,
    ) -> Result<T, TierError>
    where
        T: Send,
        W: FnOnce(Connection) -> F + Send,
        F: Future<Output = redis::RedisResult<T>> + Send,
    {
        let _permit = self.admit(lane, by).await?;
        self.ask(live, by, work).await
    }

    async fn admit(&self, lane: Lane, by: Deadline) -> Result<Permit<'_>, TierError> {
        let permit = match lane {
            Lane::Traffic => self.permits.traffic()?,
            Lane::Upkeep => self.permits.upkeep(by).await?,
        };
        if by.left().is_zero() {
            // Nothing was sent, so nobody was silent.
            let text = format!("no time was left of {:?}", by.within);
            return Err(TierError::new(ErrorKind::Timeout, text));
        }
        Ok(permit)
    }

    async fn ask<T, W, F>(&self, live: &Live, by: Deadline, work: W) -> Result<T, TierError>
    where
        T: Send,
        W: FnOnce(Connection) -> F + Send,
        F: Future<Output = redis::RedisResult<T>> + Send,
    {
        let mut answer = None;
        let asked = {
            let work = pin!(async { answer = Some(work(live.connection()).await) });
            self.wait(live, by, work).await?
        };
        let answer = answer.expect("work that has ended has answered");
        self.answered(live, asked, answer)
    }

    /// Waits for what is done on this connection; when that began. What is done has no type of its own here, so that this is compiled once.
    async fn wait(
        &self,
        live: &Live,
        by: Deadline,
        work: Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) -> Result<Instant, TierError> {
        live.answers()?;
        let asked = Instant::now();
        match timeout_at(by.at, work).await {
            Ok(()) => Ok(asked),
            Err(_) => Err(self.unanswered(live, by)),
        }
    }

    fn answered<T>(
        &self,
        live: &Live,
        asked: Instant,
        answer: redis::RedisResult<T>,
    ) -> Result<T, TierError> {
        self.times.record(asked.elapsed());
        if answer.is_ok() {
            live.breaker.answered();
        }
        answer.map_err(|error| self.failed(live, &error))
    }

    /// The present connection, waiting for the very first attempt only.
    pub(super) async fn live(&self, by: Deadline) -> Result<Arc<Live>, TierError> {
        if let Some(live) = self.decided()? {
            return Ok(live);
        }
        let mut states = self.core.state.subscribe();
        let first = timeout_at(by.at, states.wait_for(|state| state.decided().is_some())).await;
        match first {
            Ok(Ok(state)) => state
                .decided()
                .unwrap_or_else(|| Err(unavailable("not connected"))),
            _ => Err(unavailable("not connected yet")),
        }
    }

    /// The present connection; none while it is worth waiting for the first.
    fn decided(&self) -> Result<Option<Arc<Live>>, TierError> {
        if !in_runtime() {
            return Err(unavailable("there is no tokio runtime here"));
        }
        self.core.wake();
        self.core.state.borrow().decided().transpose()
    }

    fn failed(&self, live: &Live, error: &redis::RedisError) -> TierError {
        let (kind, remedy) = judge(error);
        let text = self.core.endpoint.words(error);
        match remedy {
            Remedy::Reconnect => self.core.report(live, &text),
            Remedy::None => live.breaker.answered(),
        }
        TierError::new(kind, text)
    }

    fn unanswered(&self, live: &Live, by: Deadline) -> TierError {
        let text = format!("no answer within {:?}", by.within);
        if live.breaker.silent() {
            self.core.report(live, &text);
        }
        TierError::new(ErrorKind::Timeout, text)
    }

    pub(super) fn wake(&self) {
        self.core.wake();
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.core.endpoint
    }

    /// Which server it is, and when it becomes another.
    pub(super) fn place(&self) -> Place {
        self.core.place()
    }

    pub(super) fn clock(&self) -> &ServerClock {
        &self.core.clock
    }

    pub(super) fn state(&self) -> LinkState {
        self.core.state.borrow().shown()
    }

    pub(super) async fn connected_within(&self, within: Duration) -> bool {
        if !in_runtime() {
            return false;
        }
        self.core.wake();
        let mut states = self.core.state.subscribe();
        let up = states.wait_for(|state| matches!(state, State::Up(_)));
        matches!(timeout_at(Deadline::after(within).at, up).await, Ok(Ok(_)))
    }

    pub(super) fn on_reconnect(&self, hook: Arc<dyn Fn() + Send + Sync>) {
        self.core.set_hook(hook);
    }

    /// Whether the server can become another.
    pub(super) fn on_move(&self, hook: Arc<dyn Fn() + Send + Sync>) -> bool {
        self.core.set_move_hook(hook);
        matches!(self.core.endpoint.topology, Topology::Sentinels(_))
    }

    /// Sets what runs in the task beside the supervision, at each of its starts: before the first.
    pub(super) fn run_beside(&self, start: Beside) {
        self.core.set_beside(start);
    }

    pub(super) fn release_later(&self, lease: String, token: Token, message: Vec<u8>) {
        self.core.releases.push(lease, token, message);
    }

    /// The number of the present connection; zero without one.
    pub(super) fn serial(&self) -> u64 {
        self.core.serial.load(Ordering::SeqCst)
    }

    /// Ends the task for good.
    pub(super) fn stop(&self) {
        self.core.post.abolish();
    }

    /// Stops the task, sends the queued releases, closes; how many were not sent.
    pub(super) async fn close(&self, within: Duration) -> usize {
        self.core.post.abolish();
        if !self.core.releases.is_empty() && in_runtime() {
            let present = self.core.state.borrow().decided();
            if let Some(Ok(live)) = present {
                let all = self.core.releases.send_all(live.connection());
                // What was not sent in time is counted below.
                let _ = timeout_at(Deadline::after(within).at, all).await;
            }
        }
        self.core.close();
        self.core.releases.len()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What runs in the link's task.
pub(super) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Starts it.
pub(super) type Beside = Arc<dyn Fn() -> Running + Send + Sync>;

/// When a call must have ended, and what was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    within: Duration,
}

impl Deadline {
    pub(super) fn after(within: Duration) -> Self {
        // Beyond this the timer cannot count, and nobody waits.
        const EVER: Duration = Duration::from_secs(86_400 * 365);
        Self {
            at: Instant::now() + within.min(EVER),
            within,
        }
    }

    /// The moment it was made. Nobody looks at the clock once more for it.
    fn began(self) -> Instant {
        self.at.checked_sub(self.within).unwrap_or(self.at)
    }

    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// Half of what is left.
    pub(super) fn half(self) -> Self {
        Self::after(self.left() / 2)
    }

    /// What is left of it.
    pub(super) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// Timers and tasks need a runtime; asking for its handle costs more than asking for the task's id.
pub(super) fn in_runtime() -> bool {
    tokio::task::try_id().is_some() || Handle::try_current().is_ok()
}

pub(super) fn unavailable(text: impl Into<Box<str>>) -> TierError {
    TierError::new(ErrorKind::Unavailable, text)
}
