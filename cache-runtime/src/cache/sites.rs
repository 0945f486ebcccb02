//! The counters of every site that has called a cache.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::Bound;
use crate::observe::{Counters, Stats};

/// Counters by site name, and what sites are in this cache. Bounded by the program: sites are functions, and names are those of functions and of literal templates.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    counters: RwLock<HashMap<String, Arc<Counters>>>,
    /// By the address of a site and the name of an instantiation.
    bound: RwLock<HashMap<(usize, &'static str), Arc<Bound>, foldhash::fast::RandomState>>,
}

impl Sites {
    /// The counters of a site, made at its first call.
    pub(crate) fn counters(&self, name: &str) -> Arc<Counters> {
        let known = self
            .counters
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned();
        known.unwrap_or_else(|| {
            let mut sites = self
                .counters
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sites.entry(name.to_owned()).or_default())
        })
    }

    /// What a site is here, made at its first call.
    pub(super) fn bound(&self, id: (usize, &'static str), make: impl Fn() -> Bound) -> Arc<Bound> {
        let known = self.bound.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(bound) = known.get(&id) {
            return Arc::clone(bound);
        }
        drop(known);
        let made = Arc::new(make());
        let mut known = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(id).or_insert(made))
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        let sites = self.counters.read();
        for (name, counters) in sites.unwrap_or_else(PoisonError::into_inner).iter() {
            let figures = counters.snapshot();
            stats.total.add(&figures);
            stats.sites.insert(name.clone(), figures);
        }
        stats
    }
}
