//! A model of the server: what the scripts do, in memory, with a network that delays, reorders and loses.
//!
//! Several caches on one model are several processes on one Redis. A command travels, is carried out, and its answer
//! travels back; how long each part takes is for the [`Network`] to say: a random time of tokio's clock (pause it, and a schedule takes
//! no time at all), or as long as a test likes. A command whose caller has given up, or was dropped, is carried out all the
//! same, possibly after later ones: this is harsher than one connection, and what a reconnect can do.

mod bus;
mod labels;
mod network;
mod scan;
mod slot;
#[cfg(test)]
mod tests;
mod tier;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicBool},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

pub use self::network::{Fate, Network, Passage, Step};
use self::{
    bus::{Line, Subscriber},
    labels::LabelStore,
    scan::Sweeps,
    slot::Slot,
    tier::ModelTier,
};
use crate::{
    bus::News,
    key::Key,
    tags::Label,
    tiers::{ErrorKind, Tier, TierError},
};

/// How badly the network behaves; shares are of commands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The longest way there, and the longest way back.
    pub delay: Duration,
    /// Share of the commands that never arrive.
    pub lost: f64,
    /// Share of the answers that never arrive.
    pub unanswered: f64,
    /// Share of the messages at whose delivery the subscriber's connection breaks instead.
    pub severed: f64,
    /// The longest time until a broken connection is made again, beside the ways there and back.
    pub outage: Duration,
    /// The server allows no publish/subscribe.
    pub no_bus: bool,
}

/// A Redis shared by the caches that are built on it.
#[derive(Clone, Debug, Default)]
pub struct ModelRedis {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    network: Arc<dyn Network>,
    processes: usize,
    keys: BTreeMap<Box<str>, Slot>,
    labels: LabelStore,
    sweeps: Sweeps,
    lines: Vec<Weak<Line>>,
    /// Changes when the data is lost.
    incarnation: u64,
    publishes: u64,
    connection: u64,
    epoch: Option<Instant>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            network: Arc::new(Faults::default()),
            processes: 0,
            keys: BTreeMap::new(),
            labels: LabelStore::default(),
            sweeps: Sweeps::default(),
            lines: Vec::new(),
            incarnation: 0,
            publishes: 0,
            connection: 0,
            epoch: None,
        }
    }
}

/// A command on its way.
#[derive(Clone, Copy)]
struct Command {
    process: usize,
    name: &'static str,
    /// The patience of its caller.
    within: Duration,
    /// The instance was closed: it is not sent.
    closed: bool,
}

/// Why nothing is sent any more.
fn closed() -> TierError {
    TierError::new(ErrorKind::Unavailable, "the tier was closed")
}

impl ModelRedis {
    /// An empty server behind a perfect network.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the network behaves like this.
    pub fn set_faults(&self, faults: Faults) {
        self.set_network(Arc::new(faults));
    }

    /// From now on this is the network.
    pub fn set_network(&self, network: Arc<dyn Network>) {
        self.lock().network = network;
    }

    /// Leases held at this moment.
    #[must_use]
    pub fn leases(&self) -> usize {
        self.lock()
            .keys
            .values_mut()
            .map(Slot::live)
            .filter(|slot| slot.lease.is_some())
            .count()
    }

    /// Values stored at this moment.
    #[must_use]
    pub fn values(&self) -> usize {
        self.lock()
            .keys
            .values_mut()
            .map(Slot::live)
            .filter(|slot| slot.value.is_some())
            .count()
    }

    /// Messages sent so far.
    #[must_use]
    pub fn publishes(&self) -> u64 {
        self.lock().publishes
    }

    /// The server loses everything.
    pub fn flush(&self) {
        let mut state = self.lock();
        state.keys.clear();
        state.labels = LabelStore::default();
        state.sweeps.lose();
        state.incarnation += 1;
    }

    /// The generation of a tag is lost.
    pub fn lose_tag(&self, tag: &str) {
        let label = Label::tag(&Key::new(tag));
        self.lock().labels.lose(&label);
    }

    /// The registry of templates is lost, and with it the generation of the cache.
    pub fn lose_registry(&self) {
        self.lock().labels.lose_registry();
    }

    /// The logical clock is lost.
    pub fn lose_clock(&self) {
        self.lock().labels.lose_clock();
    }

    /// Every subscriber loses its connection.
    pub fn sever(&self) {
        let lines = self.lock().lines.clone();
        lines
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|line| line.sever());
    }

    /// Every process makes a new data connection.
    pub fn reconnect(&self) {
        self.lock().connection += 1;
    }

    /// One more process on this server. A model is the store of one cache, whatever its name.
    #[must_use]
    pub fn tier(&self) -> Arc<dyn Tier> {
        let mut state = self.lock();
        let process = state.processes;
        state.processes += 1;
        Arc::new(ModelTier {
            server: self.clone(),
            process,
            subscriber: Subscriber::of(process),
            closed: AtomicBool::new(false),
        })
    }

    fn network(&self) -> Arc<dyn Network> {
        Arc::clone(&self.lock().network)
    }

    fn step(&self, process: usize, step: Step) -> Passage {
        self.network().step(process, step)
    }

    fn incarnation(&self) -> u64 {
        self.lock().incarnation
    }

    fn add_line(&self, line: &Arc<Line>) {
        let mut state = self.lock();
        state.lines.retain(|known| known.strong_count() > 0);
        if !state
            .lines
            .iter()
            .any(|known| known.as_ptr() == Arc::as_ptr(line))
        {
            state.lines.push(Arc::downgrade(line));
        }
    }

    /// Sends a message to every subscriber.
    fn publish(&self, news: News, by: &Weak<Line>) {
        let (number, lines) = {
            let mut state = self.lock();
            state.publishes += 1;
            (state.publishes, state.lines.clone())
        };
        let news = Arc::new(news);
        for line in lines.iter().filter_map(Weak::upgrade) {
            line.send(number, &news, by.as_ptr() == Arc::as_ptr(&line));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, key: &str, act: impl FnOnce(&mut Slot) -> T) -> T {
        let mut state = self.lock();
        act(state.keys.entry(key.into()).or_default().live())
    }

    /// With the sweeps under way, in the same step.
    fn with_sweeps<T>(&self, key: &str, act: impl FnOnce(&mut Slot, &mut Sweeps) -> T) -> T {
        let state = &mut *self.lock();
        let slot = state.keys.entry(key.into()).or_default().live();
        act(slot, &mut state.sweeps)
    }

    /// Sends a command: there, carried out, and back.
    async fn send<T: Send + 'static>(
        &self,
        command: Command,
        act: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, TierError> {
        self.send_slowly(command, async move |server| act(&server))
            .await
    }

    /// The same, carried out in more than one moment.
    async fn send_slowly<T: Send + 'static, F>(
        &self,
        command: Command,
        act: impl FnOnce(Self) -> F,
    ) -> Result<T, TierError>
    where
        F: Future<Output = T> + Send + 'static,
    {
        if command.closed {
            return Err(closed());
        }
        let step = |step| self.step(command.process, step);
        let there = step(Step::Command(command.name));
        let back = step(Step::Answer(command.name));
        let patience = step(Step::Patience(command.within));
        let (mut answer, answered) = oneshot::channel();
        let work = act(self.clone());
        tokio::spawn(async move {
            if there.await == Fate::Lost {
                return;
            }
            let result = work.await;
            tokio::select! {
                biased;
                // Nobody waits for it.
                () = answer.closed() => {}
                Fate::Arrived = back => drop(answer.send(result)),
            }
        });
        tokio::select! {
            biased;
            Ok(result) = answered => Ok(result),
            _ = patience => Err(TierError::new(
                ErrorKind::Timeout,
                "the model did not answer in time",
            )),
        }
    }
}
