//! Who keeps something going in the background: one task, started where it is first needed.
//!
//! Each start has a number, and only the task with the present number may change what it keeps. So a task that was given up (its runtime
//! no longer runs, but was not shut down either) does no harm when it comes back. When the runtime of a task is gone, the post is vacant, and
//! the next call fills it again where that call runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A task that gave no sign for so long is on a runtime that nobody drives. A working one gives a
/// sign at least every four seconds.
const GIVEN_UP: u64 = 10_000;
/// The last sign of a task that must never be replaced.
const FOR_EVER: u64 = u64::MAX;

/// A post that one task at a time holds.
pub(super) struct Post {
    holder: watch::Sender<Holder>,
    /// Serializes changes of the holder and of what may change only while it is held.
    turn: Mutex<()>,
    /// Whether there is no reason to start a task. With the last sign, all that a call looks at.
    attended: AtomicBool,
    last_sign: AtomicU64,
    start: coarsetime::Instant,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    /// Nobody's; the last task had this number.
    Vacant(u64),
    Held(u64),
    /// What was kept is closed or gone.
    Abolished,
}

impl Post {
    pub(super) fn new() -> Self {
        Self {
            holder: watch::Sender::new(Holder::Vacant(0)),
            turn: Mutex::new(()),
            attended: AtomicBool::new(false),
            last_sign: AtomicU64::new(0),
            start: coarsetime::Instant::now_without_cache_update(),
        }
    }

    /// Whether a task works. Costs two loads.
    pub(super) fn is_attended(&self) -> bool {
        let silent = || {
            let last = self.last_sign.load(Ordering::Relaxed);
            self.millis().saturating_sub(last)
        };
        self.attended.load(Ordering::Acquire) && silent() < GIVEN_UP
    }

    /// The number of the task to start, unless one works; `first` runs before anybody else can know.
    pub(super) fn fill(&self, first: impl FnOnce()) -> Option<u64> {
        let _turn = self.turn();
        if self.is_attended() {
            return None;
        }
        let number = match *self.holder.borrow() {
            Holder::Vacant(last) | Holder::Held(last) => last + 1,
            Holder::Abolished => return None,
        };
        self.sign();
        self.holder.send_replace(Holder::Held(number));
        self.attended.store(true, Ordering::Release);
        first();
        Some(number)
    }

    /// Ends the task for good.
    pub(super) fn abolish(&self) {
        let _turn = self.turn();
        self.holder.send_replace(Holder::Abolished);
        self.last_sign.store(FOR_EVER, Ordering::Relaxed);
        self.attended.store(true, Ordering::Release);
    }

    /// Waits until the task with this number is no longer wanted.
    pub(super) async fn relieved(&self, number: u64) {
        let mut holders = self.holder.subscribe();
        // The sender is here: it cannot be gone.
        let _ = holders
            .wait_for(|holder| *holder != Holder::Held(number))
            .await;
    }

    /// Changes what is kept, if the task with this number may; tells whether it did. The change runs under the lock that [`abolish`](Self::abolish)
    /// takes, so it must not drop what could be the last handle of the owner.
    pub(super) fn act(&self, number: u64, change: impl FnOnce()) -> bool {
        let _turn = self.turn();
        let may = *self.holder.borrow() == Holder::Held(number);
        if may {
            change();
        }
        may
    }

    /// Changes what is kept, whoever holds the post.
    pub(super) fn overrule(&self, change: impl FnOnce()) {
        let _turn = self.turn();
        change();
    }

    /// The task with this number ended. If it was still wanted, its runtime is gone: `last` is done then.
    pub(super) fn vacate(&self, number: u64, last: impl FnOnce()) {
        let _turn = self.turn();
        if *self.holder.borrow() == Holder::Held(number) {
            self.holder.send_replace(Holder::Vacant(number));
            self.attended.store(false, Ordering::Release);
            last();
        }
    }

    /// The task gives a sign of life.
    pub(super) fn sign(&self) {
        let now = self.millis();
        // Of an abolished post the sign is final.
        let _ = self
            .last_sign
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                (last != FOR_EVER).then_some(now)
            });
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every call asks for this; seconds are what matters.
    fn millis(&self) -> u64 {
        let now = coarsetime::Instant::now_without_cache_update();
        now.duration_since(self.start).as_millis()
    }
}
