//! What the link and its supervisor share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::releases::Releases;
use super::state::State;
use super::supervisor::Task;
use super::{Beside, Live};
use crate::tiers::redis::clock::ServerClock;
use crate::tiers::redis::endpoint::{Address, Endpoint, Topology};
use crate::tiers::redis::post::Post;

/// The server of the present connection or of the last, and whether it is another now; none before the first, where it has to be found.
pub(in crate::tiers::redis) type Place = watch::Receiver<Option<Arc<Address>>>;
pub(super) type Hook = Arc<dyn Fn() + Send + Sync>;

/// What the link and its supervisor share.
pub(super) struct Core {
    /// The cache's name, for logs.
    pub(super) cache: String,
    pub(super) endpoint: Endpoint,
    pub(super) probe: String,
    /// How long a caller waits for an answer.
    pub(super) patience: Duration,
    pub(super) clock: Arc<ServerClock>,
    pub(super) state: watch::Sender<State>,
    /// The number of the present connection, zero without one; set after the state, so that a call which has read it goes over that connection or a
    /// later one.
    pub(super) serial: AtomicU64,
    /// The server of the present connection, or of the last.
    place: watch::Sender<Option<Arc<Address>>>,
    pub(super) releases: Releases,
    trouble: watch::Sender<Trouble>,
    hook: Mutex<Option<Hook>>,
    move_hook: Mutex<Option<Hook>>,
    beside: Mutex<Option<Beside>>,
    pub(super) post: Post,
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
    pub(super) fn new(
        cache: String,
        endpoint: Endpoint,
        probe: String,
        channel: String,
        patience: Duration,
    ) -> Self {
        let nothing = Trouble {
            serial: 0,
            why: "".into(),
        };
        let place = match &endpoint.topology {
            Topology::One(address) => Some(Arc::new(address.clone())),
            Topology::Sentinels(_) | Topology::Cluster(_) => None,
        };
        Self {
            cache,
            endpoint,
            probe,
            patience,
            clock: Arc::new(ServerClock::new()),
            state: watch::Sender::new(State::Idle),
            serial: AtomicU64::new(0),
            place: watch::Sender::new(place),
            releases: Releases::new(channel),
            trouble: watch::Sender::new(nothing),
            hook: Mutex::new(None),
            move_hook: Mutex::new(None),
            beside: Mutex::new(None),
            post: Post::new(),
        }
    }

    /// Starts the task on this runtime unless one works.
    pub(super) fn wake(self: &Arc<Self>) {
        if self.post.is_attended() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let starting = || self.turn_to(State::Starting);
        if let Some(number) = self.post.fill(starting) {
            runtime.spawn(Task::new(Arc::clone(self), number).run());
        }
    }

    /// Every later call fails.
    pub(super) fn close(&self) {
        self.post.overrule(|| self.turn_to(State::Closed));
    }

    /// Changes the state, if the task with this number may.
    pub(super) fn publish(&self, number: u64, next: impl FnOnce(&State) -> State) {
        self.post.act(number, || {
            let next = next(&self.state.borrow());
            self.turn_to(next);
        });
    }

    /// The connection to come is to this server. Told only if the last one was to another.
    pub(super) fn settle(&self, address: &Arc<Address>) {
        self.place.send_if_modified(|place| {
            let news = place.as_ref() != Some(address);
            if news {
                *place = Some(Arc::clone(address));
            }
            news
        });
    }

    pub(super) fn place(&self) -> Place {
        self.place.subscribe()
    }

    /// The task with this number ended.
    pub(super) fn vacate(&self, number: u64) {
        self.post.vacate(number, || self.turn_to(State::Idle));
    }

    /// Under the post's lock.
    fn turn_to(&self, next: State) {
        let serial = match &next {
            State::Up(live) => live.serial,
            _ => 0,
        };
        self.state.send_replace(next);
        self.serial.store(serial, Ordering::SeqCst);
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

    /// Waits until a caller reports this connection, and says why.
    pub(super) async fn reported(&self, live: &Live) -> String {
        let mut troubles = self.trouble.subscribe();
        match troubles.wait_for(|it| it.serial == live.serial).await {
            Ok(trouble) => trouble.why.to_string(),
            Err(_) => "the link is gone".to_owned(),
        }
    }

    pub(super) fn set_hook(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    pub(super) fn hook(&self) -> Option<Hook> {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        hook.clone()
    }

    pub(super) fn set_move_hook(&self, hook: Hook) {
        let mut present = self
            .move_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *present = Some(hook);
    }

    /// What to call before a connection to this server is anybody's, if the last one was to another.
    pub(super) fn move_hook(&self, to: &Arc<Address>) -> Option<Hook> {
        let moves = self.place.borrow().as_ref().is_some_and(|last| last != to);
        let hook = self
            .move_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        hook.clone().filter(|_| moves)
    }

    pub(super) fn set_beside(&self, beside: Beside) {
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = Some(beside);
    }

    pub(super) fn beside(&self) -> Option<Beside> {
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        beside.clone()
    }
}
