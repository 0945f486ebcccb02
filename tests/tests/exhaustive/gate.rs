//! The network, the database and the callers under control: whatever is under way waits at the gate until it is let go on.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use cache_runtime::testing::{Fate, Network, Passage, Step};
use tokio::sync::Notify;

use crate::{
    event::{Event, Kind},
    tree::Tree,
};

/// How much may go wrong in one schedule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trouble {
    /// Answers that do not come in time, and subscriptions that break.
    pub(crate) faults: u8,
    /// Calls that are dropped.
    pub(crate) drops: u8,
}

#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    /// Something has come to the gate, or a call has ended.
    pub(crate) changed: Notify,
}

#[derive(Debug)]
struct State {
    tree: Tree,
    left: Trouble,
    next: u64,
    waiting: Vec<Waiting>,
}

/// One who waits, for one of two events.
#[derive(Debug)]
struct Waiting {
    ticket: u64,
    process: usize,
    kinds: [Option<Kind>; 2],
    happened: Option<Kind>,
    waker: Waker,
}

impl Waiting {
    fn events(&self) -> impl Iterator<Item = Event> {
        let waits = self.happened.is_none();
        let ids = 2 * self.ticket..;
        let kinds = self.kinds.iter().zip(ids);
        kinds.filter_map(move |(kind, id)| {
            let (process, kind) = (self.process, kind.filter(|_| waits)?);
            Some(Event { id, process, kind })
        })
    }
}

impl Gate {
    pub(crate) fn new(tree: Tree) -> Arc<Self> {
        let state = State {
            tree,
            left: Trouble::default(),
            next: 0,
            waiting: Vec::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schedule is over.
    pub(crate) fn take_tree(&self) -> Tree {
        mem::take(&mut self.lock().tree)
    }

    /// From now on so much may go wrong.
    pub(crate) fn allow(&self, trouble: Trouble) {
        self.lock().left = trouble;
    }

    /// What can happen now, the longest waiting first.
    pub(crate) fn possible(&self) -> Vec<Event> {
        let state = self.lock();
        let left = state.left;
        let may = |event: &Event| match event.kind {
            Kind::GivesUp | Kind::Breaks => left.faults > 0,
            Kind::Drops => left.drops > 0,
            _ => true,
        };
        let events = state.waiting.iter().flat_map(Waiting::events);
        events.filter(may).collect()
    }

    /// Chooses one of these; `None` if all that follows has been seen in another order.
    pub(crate) fn choose(&self, possible: &[Event]) -> Option<Event> {
        let chosen = self.lock().tree.next(possible)?;
        Some(possible[chosen])
    }

    /// This happens.
    pub(crate) fn let_go(&self, event: Event) {
        let mut state = self.lock();
        match event.kind {
            Kind::GivesUp | Kind::Breaks => state.left.faults -= 1,
            Kind::Drops => state.left.drops -= 1,
            _ => {}
        }
        let mut all = state.waiting.iter_mut();
        let waiting = all
            .find(|waiting| waiting.ticket == event.id / 2)
            .expect("only what waits is let go");
        waiting.happened = Some(event.kind);
        waiting.waker.wake_by_ref();
    }

    /// Whether a call that could go on is dropped instead.
    pub(crate) fn drops_instead(&self) -> bool {
        let mut state = self.lock();
        let drops = state.left.drops > 0 && state.tree.whether();
        state.left.drops -= u8::from(drops);
        drops
    }

    /// Waits for an event.
    pub(crate) fn pass(self: &Arc<Self>, process: usize, kind: Kind) -> Pass {
        self.pass_one(process, [Some(kind), None])
    }

    fn pass_one(self: &Arc<Self>, process: usize, kinds: [Option<Kind>; 2]) -> Pass {
        Pass {
            gate: Arc::clone(self),
            process,
            kinds,
            ticket: None,
        }
    }
}

/// Waits at the gate from its first poll on.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    process: usize,
    kinds: [Option<Kind>; 2],
    ticket: Option<u64>,
}

impl Future for Pass {
    type Output = Kind;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Kind> {
        let (gate, process, kinds) = (Arc::clone(&self.gate), self.process, self.kinds);
        let mut state = gate.lock();
        let Some(ticket) = self.ticket else {
            let ticket = state.next;
            state.next += 1;
            state.waiting.push(Waiting {
                ticket,
                process,
                kinds,
                happened: None,
                waker: context.waker().clone(),
            });
            self.ticket = Some(ticket);
            gate.changed.notify_one();
            return Poll::Pending;
        };
        let mut all = state.waiting.iter_mut();
        let waiting = all
            .find(|waiting| waiting.ticket == ticket)
            .expect("who waits stays until the end of the wait");
        waiting.waker.clone_from(context.waker());
        waiting.happened.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let mut state = self.gate.lock();
            state.waiting.retain(|waiting| waiting.ticket != ticket);
        }
    }
}

/// The network of the model.
#[derive(Debug)]
pub(crate) struct Controlled(pub(crate) Arc<Gate>);

impl Network for Controlled {
    fn step(&self, process: usize, step: Step) -> Passage {
        let kinds = match step {
            Step::Patience(_) => [None, Some(Kind::GivesUp)],
            Step::Message { own: false, .. } => [Some(Kind::Over(step)), Some(Kind::Breaks)],
            Step::Batch | Step::Message { own: true, .. } => {
                return Box::pin(std::future::ready(Fate::Arrived));
            }
            _ => [Some(Kind::Over(step)), None],
        };
        let pass = self.0.pass_one(process, kinds);
        Box::pin(async move {
            match pass.await {
                Kind::Breaks => Fate::Lost,
                _ => Fate::Arrived,
            }
        })
    }
}
