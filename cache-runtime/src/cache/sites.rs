//! The counters of every site that has called a cache.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{BuildHasher, Hash},
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
        let made = || (name.to_owned(), Counters::of(name).into());
        known_or_made(&self.counters, name, made)
    }

    /// The counters of the site of an instantiation.
    pub(crate) fn of_instance(&self, instance: &'static str) -> Arc<Counters> {
        let made = || (instance, self.counters(&site::counters_name(instance)));
        known_or_made(&self.of_instances, instance, made)
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
        known_or_made(&self.bound, &id, || (id, make().into()))
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

/// What a table has under a key; else what is made, with no lock held, unless another was first.
fn known_or_made<K, Q, V, S>(
    table: &RwLock<HashMap<K, Arc<V>, S>>,
    key: &Q,
    make: impl FnOnce() -> (K, Arc<V>),
) -> Arc<V>
where
    K: Borrow<Q> + Eq + Hash,
    Q: Eq + Hash + ?Sized,
    S: BuildHasher,
{
    let known = table.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(key) {
        return Arc::clone(known);
    }
    drop(known);
    let (key, made) = make();
    let mut known = table.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(key).or_insert(made))
}
