//! What a call on its way lets its caller know: the value it has in hand, so that the caller may leave with it; and whether the caller has left.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

use super::call::Call;
use crate::flight::{Flight, InHand};

/// Shared by a call and by who waits for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    found: Mutex<(Option<InHand>, Option<Arc<Flight>>)>,
    news: Notify,
    left: AtomicBool,
    needless: Notify,
}

impl Shown {
    /// What this call finds from now on.
    pub(super) fn of(call: &mut Call) -> Self {
        let shown = Self::default();
        call.shown = Some(shown.clone());
        shown
    }

    /// The call has something else in hand, or another flight.
    pub(super) fn show(&self, in_hand: Option<&InHand>, flight: Option<&Arc<Flight>>) {
        let found = (in_hand.cloned(), flight.cloned());
        *self.0.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
        self.0.news.notify_one();
    }

    /// Waits until there is something to [`take`](Self::take).
    pub(super) async fn news(&self) {
        self.0.news.notified().await;
    }

    pub(super) fn take(&self, rest: &mut Call) {
        let found = self.0.found.lock().unwrap_or_else(PoisonError::into_inner);
        (rest.in_hand, rest.flight) = found.clone();
    }

    /// Nobody waits for the call any more.
    pub(super) fn leave(&self) {
        self.0.left.store(true, Ordering::Release);
    }

    /// What comes now is for the caller alone: if he has left, nothing comes.
    pub(super) async fn is_for_the_caller(&self) {
        if self.0.left.load(Ordering::Acquire) {
            self.0.needless.notify_one();
            std::future::pending().await
        }
    }

    /// Waits until there is nothing left to do for others.
    pub(super) async fn needless(&self) {
        self.0.needless.notified().await;
    }
}
