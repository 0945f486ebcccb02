//! Who is told how calls were answered.

use std::sync::Arc;

use super::Core;
use crate::observe::{Count, Counters, Event, Hook, Served};

/// The hooks of one call.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) hit: Option<Hook>,
    pub(crate) miss: Option<Hook>,
    pub(crate) site: Box<str>,
    pub(crate) key: Box<str>,
}

impl Told {
    /// Has a hook told of the answer, in the background.
    pub(crate) fn tell(&self, core: &Arc<Core>, counters: &Counters, served: Served) {
        let hook = match served {
            Served::Memory | Served::Redis | Served::Stale(_) => self.hit,
            Served::Loaded | Served::Shared => self.miss,
            Served::Bypassed(_) => None,
        };
        let Some(hook) = hook else { return };
        let event = Event::new(&core.settings.name, &self.site, &self.key, served);
        if !core.background.tell(hook, event) {
            counters.add(Count::EventDropped);
        }
    }
}
