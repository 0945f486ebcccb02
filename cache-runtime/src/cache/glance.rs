//! A look into memory, and nowhere else.
//!
//! **Problem.** The programmatic calls prepare for a load before they look: a call, labels, a loader that may outlive it. A layer whose requests are nearly all hits pays for that on each of them, and an annotated function does not.
//!
//! **Decision.** One probe, as the hit of an annotated function is one. What needs more than that is no hit here, and the caller goes on with the call that can do it.

use std::cell::Cell;

use super::{
    Cache,
    scope::{self, Mode},
};
use crate::{
    entry::CacheValue,
    key::Key,
    observe::{Count, Served},
    policy::Policy,
    tags::Label,
    tiers::memory::Reader,
};

impl Cache {
    /// The fresh value that this process's memory has under a key, if nothing but a clone is due. Never waits, loads, or asks Redis.
    ///
    /// For layers on top: they ask here first, and go on with [`try_get_or_refresh`](Self::try_get_or_refresh) under the same policy. A value is counted as a hit, under the policy's
    /// [`site`](Policy::site); nothing is not counted, because the call that follows is. There is nothing where memory has nothing that may be served, but also where the hit may have to refresh or compare the value, and inside
    /// [`bypass`](crate::bypass) and [`refresh`](crate::refresh).
    ///
    /// ```
    /// use cache_runtime::{Cache, Policy, key};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let (cache, policy) = (Cache::builder("shop").build()?, Policy::new());
    /// assert_eq!(cache.get_in_memory::<u64>(&key!("answer"), &policy), None);
    /// cache.put(&key!("answer"), 42_u64, &policy).await?;
    /// assert_eq!(cache.get_in_memory::<u64>(&key!("answer"), &policy), Some(42));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn get_in_memory<T: CacheValue>(&self, key: &Key, policy: &Policy) -> Option<T> {
        if let Some(scope) = policy.own_scope() {
            let key = key.clone().in_scope(scope);
            return self.glance(&key, policy);
        }
        self.glance(key, policy)
    }

    fn glance<T: CacheValue>(&self, key: &Key, policy: &Policy) -> Option<T> {
        let core = self.core();
        let defaults = &core.settings.defaults;
        if scope::mode() != Mode::Normal
            || !policy.reads_memory_over(defaults)
            || !self.is_usable(key)
        {
            return None;
        }
        let reader = Reader {
            template: key.template(),
            schema: Some(policy.schema_over(defaults)),
            ..Reader::of::<T>()
        };
        let (now, found) = (core.clock.now(), Cell::new(None));
        core.memory
            .look(core.hash(key.text()), key.text().as_bytes(), |entry| {
                if entry.is_for(&reader, key.full(), now) && core.serves_at_once(entry, now) {
                    found.set(Some(entry.clone()));
                }
            });
        let entry = found.into_inner()?;
        let carries = |tag: &String| {
            let tag = Label::tag(&Key::new(tag));
            entry.labels().any(|label| *label == tag)
        };
        if !policy.own_tags().iter().all(carries) {
            return None;
        }
        // What is left to chance is drawn by the call that follows, and only there: two draws would be the square of the share.
        if policy.fresh.watches() && entry.care()?.may_be_due(now) {
            return None;
        }
        let value = entry.typed::<T>(&reader)?;
        self.site_of(policy, "get_in_memory").add(Count::L1Hit);
        scope::report(Served::Memory);
        Some(value)
    }
}
