//! The time of all who wait for answers, kept by one timer.
//!
//! **Problem.** A timer for each call is two turns at the lock that all timers of a runtime share. But whoever keeps the time of others has to run when it is
//! over: the task that carries is woken by those who ask, and a scheduler may let it wait for as long as the task that woke it goes on without giving way.
//!
//! **Decision.** A task of its own, which nobody wakes but its timer, as long as anybody waits. It ends when the first of them, at the time it was set, has waited long
//! enough. Usually he has his answer by then, and it is set again for who waits longest now.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::outbox::{Outbox, Request, Told, Untold};

/// What the task that carries has in its hands, and the task that watches looks through.
#[derive(Debug, Default)]
pub(super) struct InHand {
    /// Taken out, to be written next.
    pub(super) taken: Vec<Request>,
    /// Who waits for the answers to what was written.
    pub(super) waiting: VecDeque<Waiting>,
    /// The watcher looks again, without being told.
    is_watched: bool,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) answers: usize,
    pub(super) until: Option<Instant>,
    /// Who has waited long enough keeps his place.
    pub(super) to: Option<oneshot::Sender<Told>>,
}

impl InHand {
    /// Tells those who have waited long enough.
    fn tell(&mut self, now: Instant) {
        let is_late = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        for late in self.waiting.iter_mut().filter(|it| is_late(it.until)) {
            late.until = None;
            if let Some(to) = late.to.take() {
                let _ = to.send(Err(Untold::Late));
            }
        }
        for late in self.taken.extract_if(.., |it| it.is_late(now)) {
            let _ = late.to.send(Err(Untold::Late));
        }
    }

    /// Until when the first of them waits.
    fn first(&self) -> Option<Instant> {
        let waiting = self.waiting.iter().filter_map(|it| it.until);
        let taken = self.taken.iter().filter_map(|it| it.until);
        waiting.chain(taken).min()
    }
}

/// Shared by the two tasks of a connection.
#[derive(Debug, Default)]
pub(super) struct Hands {
    in_hand: Mutex<InHand>,
    begun: Notify,
}

impl Hands {
    pub(super) fn lock(&self) -> MutexGuard<'_, InHand> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task, and its end.
#[derive(Debug, Default)]
pub(super) struct Watcher(Option<JoinHandle<()>>);

impl Watcher {
    /// Sees to it that those in hand are told in time. Who asks once it looks need not have a timer.
    pub(super) fn begin(&mut self, hands: &Arc<Hands>, outbox: &Arc<Outbox>) {
        let mut in_hand = hands.lock();
        if in_hand.is_watched || in_hand.first().is_none() {
            return;
        }
        in_hand.is_watched = true;
        drop(in_hand);
        hands.begun.notify_one();
        if self.0.is_none() {
            let (hands, outbox) = (Arc::clone(hands), Arc::clone(outbox));
            self.0 = Some(tokio::spawn(async move { watch(&hands, &outbox).await }));
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn watch(hands: &Hands, outbox: &Outbox) {
    loop {
        hands.begun.notified().await;
        while let Some(next) = look(hands, outbox) {
            sleep_until(next).await;
        }
    }
}

/// Tells those whose time is over, and says when to look again: who asks meanwhile relies on it.
fn look(hands: &Hands, outbox: &Outbox) -> Option<Instant> {
    let now = Instant::now();
    let mut in_hand = hands.lock();
    in_hand.tell(now);
    let next = outbox.look(now, in_hand.first());
    in_hand.is_watched = next.is_some();
    next
}
