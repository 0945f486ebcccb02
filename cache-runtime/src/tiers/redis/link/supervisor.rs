//! The task that owns the connection.
//!
//! It connects, tells callers, and watches until there is a reason to connect again: a missed ping (a
//! half-open socket is silent; one ping a second with a second to answer finds it within 2 s), a
//! report by a caller, or a release that could not be sent. It never gives up. It logs one line when
//! the link goes down and one when it comes up, not one per attempt or call.
//!
//! Each start has a number, and only the task with the present number may change the state. So a task
//! that was given up (its runtime no longer runs, but was not shut down either) does no harm when it
//! comes back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::clock::ServerClock;
use super::super::endpoint::Endpoint;
use super::super::fault::{Remedy, judge};
use super::Live;
use super::backoff::Backoff;
use super::connect::connect;
use super::releases::Releases;
use super::state::State;
use crate::tiers::Moment;

const PING_EVERY: Duration = Duration::from_secs(1);
const PING_WITHIN: Duration = Duration::from_secs(1);
/// A task that gave no sign for so long is on a runtime that nobody drives. A working one gives a
/// sign at least every four seconds.
const GIVEN_UP: Duration = Duration::from_secs(10);

type Hook = Arc<dyn Fn() + Send + Sync>;

/// What the link and its task share.
pub(in crate::tiers::redis) struct Core {
    pub(super) endpoint: Endpoint,
    pub(super) probe: String,
    pub(super) clock: ServerClock,
    pub(super) state: watch::Sender<State>,
    pub(super) releases: Releases,
    /// The number of the present task, and whether it is there.
    post: watch::Sender<Post>,
    /// Serializes what depends on the number.
    turn: Mutex<()>,
    trouble: watch::Sender<Trouble>,
    hook: Mutex<Option<Hook>>,
    connections: AtomicU64,
    start: Instant,
    last_sign: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Post {
    Vacant(u64),
    Held(u64),
    Abolished,
}

/// A caller's report about one connection.
#[derive(Clone, Debug)]
struct Trouble {
    serial: u64,
    why: Arc<str>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("endpoint", &self.endpoint)
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn new(endpoint: Endpoint, probe: String) -> Self {
        Self {
            endpoint,
            probe,
            clock: ServerClock::new(),
            state: watch::Sender::new(State::Idle),
            releases: Releases::default(),
            post: watch::Sender::new(Post::Vacant(0)),
            turn: Mutex::new(()),
            trouble: watch::Sender::new(Trouble {
                serial: 0,
                why: "".into(),
            }),
            hook: Mutex::new(None),
            connections: AtomicU64::new(0),
            start: Instant::now(),
            last_sign: AtomicU64::new(0),
        }
    }

    /// Starts the task on this runtime unless one works.
    pub(super) fn wake(self: &Arc<Self>) {
        if !self.is_wanted() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_wanted() {
            return;
        }
        let number = match *self.post.borrow() {
            Post::Vacant(last) | Post::Held(last) => last + 1,
            Post::Abolished => return,
        };
        self.sign();
        self.post.send_replace(Post::Held(number));
        self.state.send_replace(State::Starting);
        drop(turn);
        let task = Task {
            core: Arc::clone(self),
            number,
        };
        runtime.spawn(task.run());
    }

    fn is_wanted(&self) -> bool {
        match *self.post.borrow() {
            Post::Vacant(_) => true,
            Post::Held(_) => {
                let silent =
                    self.millis() - self.last_sign.load(Ordering::Relaxed).min(self.millis());
                Duration::from_millis(silent) > GIVEN_UP
            }
            Post::Abolished => false,
        }
    }

    /// Ends the task for good.
    pub(super) fn stop(&self) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.post.send_replace(Post::Abolished);
    }

    /// A caller found the connection unusable.
    pub(super) fn report(&self, live: &Live, why: &str) {
        self.trouble.send_if_modified(|trouble| {
            let news = trouble.serial < live.serial;
            if news {
                *trouble = Trouble {
                    serial: live.serial,
                    why: why.into(),
                };
            }
            news
        });
    }

    pub(super) fn set_hook(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    fn sign(&self) {
        self.last_sign.store(self.millis(), Ordering::Relaxed);
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// One start of the supervisor.
struct Task {
    core: Arc<Core>,
    number: u64,
}

impl Task {
    async fn run(self) {
        let mut posts = self.core.post.subscribe();
        let mine = Post::Held(self.number);
        tokio::select! {
            biased;
            // The sender is in `core`: it cannot be gone.
            _ = posts.wait_for(|post| *post != mine) => {}
            () = self.keep_connected() => {}
        }
    }

    async fn keep_connected(&self) {
        let mut backoff = Backoff::new();
        loop {
            self.core.sign();
            match connect(&self.core).await {
                Ok(connection) => {
                    let serial = self.core.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    let live = Arc::new(Live::new(serial, connection));
                    self.up(&live);
                    let why = self.watch_over(&live).await;
                    backoff.stood(live.since.at.elapsed());
                    self.down(&why);
                }
                Err(why) => self.down(&why),
            }
            self.core.sign();
            sleep(backoff.delay()).await;
        }
    }

    /// Ends when the connection is no good any more, and says why.
    async fn watch_over(&self, live: &Live) -> String {
        tokio::select! {
            why = self.ping(live) => why,
            why = self.send_releases(live) => why,
            why = self.trouble_with(live) => why,
        }
    }

    async fn ping(&self, live: &Live) -> String {
        let command = redis::cmd("PING");
        let mut connection = live.connection();
        loop {
            sleep(PING_EVERY).await;
            self.core.sign();
            match timeout(PING_WITHIN, connection.command(&command)).await {
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

    async fn trouble_with(&self, live: &Live) -> String {
        let mut troubles = self.core.trouble.subscribe();
        match troubles.wait_for(|it| it.serial == live.serial).await {
            Ok(trouble) => trouble.why.to_string(),
            Err(_) => "the link is gone".to_owned(),
        }
    }

    fn up(&self, live: &Arc<Live>) {
        self.publish(|_| State::Up(Arc::clone(live)));
        tracing::info!(endpoint = %self.core.endpoint, "connected to Redis");
        let hook = self
            .core
            .hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let hook = hook.clone();
        if let Some(hook) = hook {
            hook();
        }
    }

    fn down(&self, why: &str) {
        let mut news = false;
        self.publish(|state| {
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
            tracing::warn!(endpoint = %self.core.endpoint, why, "no connection to Redis; retrying");
        }
    }

    fn publish(&self, next: impl FnOnce(&State) -> State) {
        let _turn = self
            .core
            .turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *self.core.post.borrow() == Post::Held(self.number) {
            self.core.state.send_modify(|state| *state = next(state));
        }
    }
}

impl Drop for Task {
    /// Superseded, closed, or the runtime is gone: only then is the post still ours.
    fn drop(&mut self) {
        let _turn = self
            .core
            .turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *self.core.post.borrow() == Post::Held(self.number) {
            self.core.post.send_replace(Post::Vacant(self.number));
            self.core.state.send_replace(State::Idle);
        }
    }
}
