//! The counters of every site that has called a cache.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::Bound;
use crate::observe::{Counters, Stats, Terms};
use crate::site;

/// So many names may programmatic calls be counted under.
const MOST_NAMES: usize = 256;
/// So many bytes may each have.
const LONGEST_NAME: usize = 128;

/// Counters by site name, and what sites are in this cache. Bounded by the program, whose functions sites are, and for names that calls bring along by a number.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    counters: RwLock<HashMap<String, Arc<Counters>>>,
    /// Of them, those that calls have named.
    named: AtomicUsize,
    /// The same by the name of an instantiation of a function that evicts: to shorten it was half of what the eviction of a key in memory took.
    of_instances: RwLock<HashMap<&'static str, Arc<Counters>, foldhash::fast::RandomState>>,
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
            let made = || Arc::new(Counters::of(name));
            Arc::clone(sites.entry(name.to_owned()).or_insert_with(made))
        })
    }

    /// The counters of the site of an instantiation.
    pub(crate) fn of_instance(&self, instance: &'static str) -> Arc<Counters> {
        let known = self
            .of_instances
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(instance)
            .cloned();
        known.unwrap_or_else(|| {
            let counters = self.counters(&site::counters_name(instance));
            let mut known = self
                .of_instances
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(instance).or_insert(counters))
        })
    }

    /// The counters under a name that a call brings along; `None` if that is too long, or one too many.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Counters>> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        let known = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = known.get(name) {
            return Some(Arc::clone(counters));
        }
        drop(known);
        let mut sites = self
            .counters
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = sites.get(name) {
            return Some(Arc::clone(counters));
        }
        // Under the lock nobody else counts.
        if self.named.load(Ordering::Relaxed) >= MOST_NAMES {
            return None;
        }
        self.named.fetch_add(1, Ordering::Relaxed);
        let made = Arc::new(Counters::of(name));
        sites.insert(name.to_owned(), Arc::clone(&made));
        Some(made)
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

    /// What sites ask for, by their names.
    pub(super) fn terms(&self) -> Vec<(String, Terms)> {
        let sites = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        let terms = |(name, site): (&String, &Arc<Counters>)| (name.clone(), site.terms());
        sites.iter().map(terms).collect()
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
