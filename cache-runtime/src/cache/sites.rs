//! The counters of every site that has called a cache.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use once_cell::sync::OnceCell;

use crate::{
    engine::Core,
    observe::{Counters, Stats},
};

/// Counters by site name. Bounded by the program: names are those of functions and of literal templates.
#[derive(Debug, Default)]
pub(crate) struct Sites(RwLock<HashMap<String, Arc<Counters>>>);

impl Sites {
    /// The counters of a site, made at its first call.
    pub(crate) fn counters(&self, name: &str) -> Arc<Counters> {
        let known = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned();
        known.unwrap_or_else(|| {
            let mut sites = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sites.entry(name.to_owned()).or_default())
        })
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for (name, counters) in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let figures = counters.snapshot();
            stats.total.add(&figures);
            stats.sites.insert(name.clone(), figures);
        }
        stats
    }
}

/// The counters a site found at its first call: most programs have one cache, and a hit should not look them up.
#[derive(Debug)]
pub(crate) struct FirstCounters(OnceCell<(std::sync::Weak<Core>, Arc<Counters>)>);

impl FirstCounters {
    pub(crate) const fn new() -> Self {
        Self(OnceCell::new())
    }

    /// Counts in `core`, under `name`, which is asked for once in most programs.
    pub(crate) fn with<T>(
        &self,
        core: &Arc<Core>,
        name: impl Fn() -> String,
        count: impl FnOnce(&Arc<Counters>) -> T,
    ) -> T {
        let (owner, counters) = self
            .0
            .get_or_init(|| (Arc::downgrade(core), core.sites.counters(&name())));
        // The weak reference keeps the address from being used again.
        if std::ptr::eq(owner.as_ptr(), Arc::as_ptr(core)) {
            count(counters)
        } else {
            count(&core.sites.counters(&name()))
        }
    }
}
