//! What this process does about what it hears.

use std::sync::{Arc, Weak};

use super::{Core, evict::settle_news};
use crate::bus::{Gone, Listener, News, Unheard};

/// Listens for a cache. Calls are serialized by whoever delivers.
#[derive(Debug)]
pub(crate) struct Ear(Weak<Core>);

impl Ear {
    pub(crate) fn of(core: &Arc<Core>) -> Self {
        Self(Arc::downgrade(core))
    }

    fn with<T: Default>(&self, act: impl FnOnce(&Core) -> T) -> T {
        self.0.upgrade().map(|core| act(&core)).unwrap_or_default()
    }
}

impl Listener for Ear {
    fn moment(&self) -> u64 {
        self.with(Core::moment)
    }

    fn subscribed(&self, since: u64) {
        self.with(|core| {
            core.coherence.subscribed(since);
            begin_anew(core);
        });
    }

    fn lost(&self, why: &str) {
        self.with(|core| {
            core.coherence.lost(why, core.moment());
            begin_anew(core);
        });
    }

    fn beat(&self, since: u64) {
        self.with(|core| {
            let now = core.moment();
            if !core.coherence.beat(since, now) {
                core.coherence.lost("silent for too long", now);
                core.coherence.resumed(since);
                begin_anew(core);
            }
        });
    }

    fn partly(&self, since: u64, unheard: Unheard, why: &str) {
        self.with(|core| {
            let now = core.moment();
            if !core.coherence.partly(since, now, unheard, why) {
                core.coherence.lost(why, now);
            }
            begin_anew(core);
        });
    }

    fn unsupported(&self, why: &str) {
        self.with(|core| {
            core.coherence.unsupported(why);
            begin_anew(core);
        });
    }

    fn news(&self, news: &News, own: bool) {
        self.with(|core| match news {
            // Another epoch, and not an eviction: what loads now has its lease, and generations of before or after.
            News::Anew if own => {}
            News::Anew => {
                core.coherence.anew();
                begin_anew(core);
            }
            News::Wake(keys) => keys.iter().for_each(|key| core.wakes.wake(key)),
            News::Gone(gone) => {
                // What this process evicted it has settled, or is going to.
                if !own {
                    settle_news(core, gone);
                }
                wake(core, gone);
            }
        });
    }
}

/// Another epoch. What runs may have missed something, and shows it at its end; who waits for a message looks for himself.
fn begin_anew(core: &Core) {
    core.wakes.wake_where(|_| true);
}

/// What is evicted has no lease any more, so there is nobody to wait for.
fn wake(core: &Core, gone: &Gone) {
    gone.keys.iter().for_each(|key| core.wakes.wake(key));
    for pattern in &gone.patterns {
        core.wakes.wake_where(|key| pattern.matches(key));
    }
}
