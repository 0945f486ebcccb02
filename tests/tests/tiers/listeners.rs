//! What a broken tier says to whoever listens.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cache_runtime::tier::{Listener, News};

use crate::faults::Fault;
use crate::locked;

/// Stands between a sound tier and its listener.
pub(crate) struct Overhearing {
    pub(crate) to: Arc<dyn Listener>,
    pub(crate) fault: Fault,
    pub(crate) messages: AtomicUsize,
}

impl Listener for Overhearing {
    fn moment(&self) -> u64 {
        self.to.moment()
    }

    fn subscribed(&self, since: u64) {
        self.to.subscribed(since);
    }

    fn lost(&self, why: &str) {
        self.to.lost(why);
    }

    fn beat(&self, since: u64) {
        let ahead = match self.fault {
            Fault::BeatsCountFromLater => 60_000,
            _ => 0,
        };
        self.to.beat(since + ahead);
    }

    fn unsupported(&self, why: &str) {
        self.to.unsupported(why);
    }

    fn news(&self, news: &News, own: bool) {
        let number = self.messages.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::LosesAMessage if number == 1 => {}
            Fault::TellsTwice => {
                self.to.news(news, own);
                self.to.news(news, own);
            }
            Fault::DoesNotKnowItsOwn => self.to.news(news, false),
            _ => self.to.news(news, own),
        }
    }
}

/// The listeners of all instances on a store.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Vec<Arc<dyn Listener>>>>);

impl Board {
    pub(crate) fn add(&self, listener: &Arc<dyn Listener>) {
        locked(&self.0).push(Arc::clone(listener));
    }

    /// Tells all of them at once.
    pub(crate) fn tell(&self, news: &News) {
        for listener in locked(&self.0).iter() {
            listener.news(news, false);
        }
    }
}
