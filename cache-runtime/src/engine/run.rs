//! The part of a call that knows its types: run the origin, hand the value over.
//!
//! Everything else is compiled once; this is compiled per annotated function and is kept small.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    call::{Call, Role, Step},
    chain::{self, Link},
    lead::Lead,
    refresh,
    store::Wish,
};
use crate::{
    cache::scope,
    entry::{CacheValue, Erased},
    flight::{Outcome, SharedError},
    key::{self, Holes, Key, LateTemplate},
    observe::{Count, Served},
    site::{Hooks, Share},
    tags::Label,
    tiers::memory::Due,
};

/// How the origin is run for the cache and its result handed to whoever waits.
pub(crate) struct Loaded<V, E> {
    pub(crate) hooks: Hooks<V>,
    pub(crate) share: Share<E>,
}

impl<V, E> Clone for Loaded<V, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, E> Copy for Loaded<V, E> {}

/// Answers a call: from a tier, from another's load, or by running `load`, at most once.
///
/// A future is as large as the largest it may come to wait for, and a hit in Redis allocates one: so what only a load needs has a box of its own, here and
/// in what is called.
pub(crate) async fn run<V, E, L>(
    mut call: Box<Call>,
    with: Loaded<V, E>,
    load: Pin<Box<L>>,
) -> Result<V, E>
where
    V: CacheValue,
    L: Future<Output = Result<V, E>>,
{
    let (call, result) = loop {
        match call.next().await {
            Step::Serve(value) if call.due == Some(Due::Refresh) => {
                call.finished();
                let in_hand = call.in_hand.take();
                let value = typed::<V>(value);
                return Ok(Box::pin(refresh::here(&call, in_hand, None, value, with, load)).await);
            }
            Step::Serve(value) => {
                // Its flight has the value as well: without it, it may be the last there is.
                call.flight = None;
                break (call, Ok(typed::<V>(value)));
            }
            Step::Fail(error) => match with.share.receive(&error) {
                Some(error) => break (call, Err(error)),
                None => call.failed_alone(),
            },
            // There is no error for it.
            Step::GiveUp => call.policy.fresh.hard_timeout = None,
            Step::Load(Role::Alone) => {
                let result = Box::pin(alone(&mut call, load)).await;
                break (call, result);
            }
            Step::Load(Role::Lead(lead)) => {
                break Box::pin(complete(call, lead, with, load)).await;
            }
        }
    };
    call.finished();
    result
}

/// Runs the load of a leader and ends its flight. An error that a stale value hides is answered with that.
pub(super) async fn complete<V, E, L>(
    mut call: Box<Call>,
    mut lead: Box<Lead>,
    with: Loaded<V, E>,
    load: Pin<Box<L>>,
) -> (Box<Call>, Result<V, E>)
where
    V: CacheValue,
    L: Future<Output = Result<V, E>> + ?Sized,
{
    call.counters.add(Count::Load);
    let link = Link::new(call.core.id(), call.key.clone(), call.old());
    let load = scope::in_load(chain::with(Arc::clone(&link), load));
    lead.guard.flight().asks_now();
    let started = Instant::now();
    let result = tokio::select! {
        // The load is looked at first: when both are ready, its value counts and the lease decides.
        biased;
        result = load => result,
        never = lead.renew(call.core.settings.redis_budget) => match never {},
    };
    count_error(&call, &result);
    let result = match result {
        Ok(value) => {
            if link.is_not_modified() {
                call.counters.add(Count::NotModified);
            }
            call.core.failures.forget(call.key.text());
            let wish = with.hooks.wish(&value, started.elapsed(), &call.late);
            let value = Arc::new(value);
            call.stored = lead
                .finish(&mut call, Arc::clone(&value) as Erased, wish)
                .await;
            Ok(Arc::unwrap_or_clone(value))
        }
        Err(error) => {
            // None is made for those who get the stale value.
            let shared = (!call.hides_errors()).then(|| with.share.give(&error));
            match lead.failed(&mut call, shared).await {
                Some(value) => Ok(typed::<V>(value)),
                None => Err(error),
            }
        }
    };
    (call, result)
}

/// A load for one caller.
pub(super) async fn alone<V, E, L>(call: &mut Call, load: L) -> Result<V, E>
where
    V: CacheValue,
    L: Future<Output = Result<V, E>>,
{
    if !matches!(call.served, Served::Bypassed(_)) {
        call.counters.add(Count::Load);
    }
    let link = Link::new(call.core.id(), call.key.clone(), None);
    let result = scope::in_load(chain::with(link, load)).await;
    count_error(call, &result);
    match result {
        Err(error) => match call.stale_for_error() {
            Some(value) => Ok(typed::<V>(value)),
            None => Err(error),
        },
        value => value,
    }
}

fn count_error<V, E>(call: &Call, result: &Result<V, E>) {
    if result.is_err() {
        call.counters.add(Count::LoadError);
    }
}

/// Without a clone where nobody else has it.
pub(super) fn typed<V: CacheValue>(value: Erased) -> V {
    let value = value
        .downcast::<V>()
        .expect("values are handed over between readers of one type only");
    Arc::unwrap_or_clone(value)
}

impl<V> Hooks<V> {
    /// What the site wants done with a value it has loaded in `took`; `templates` are those of tags that wait for it.
    pub(crate) fn wish(&self, value: &V, took: Duration, templates: &[LateTemplate]) -> Wish {
        let veto = self.unless.is_some_and(|unless| unless(value));
        let ttl = self
            .ttl_from
            .filter(|_| !veto)
            .map(|ttl_from| ttl_from(value));
        let tags = if veto {
            Some(Vec::new())
        } else {
            self.tags(value, templates)
        };
        Wish {
            veto: veto || tags.is_none(),
            ttl,
            took,
            tags: tags.unwrap_or_default(),
        }
    }

    /// The tags a value names; `None` if one of them has no text: then it cannot be evicted by it, and is not stored.
    fn tags(&self, value: &V, templates: &[LateTemplate]) -> Option<Vec<Label>> {
        let mut tags = Vec::new();
        if let (Some(fill), false) = (self.late_tags, templates.is_empty()) {
            let mut holes = Holes::new(templates.to_vec());
            fill(value, &mut holes);
            for template in holes.finish() {
                let key = template.render().ok()?.into_key(key::UNSPECIFIED);
                tags.push(Label::tag(&key));
            }
        }
        if let Some(tags_from) = self.tags_from {
            let more = tags_from(value).into_iter();
            tags.extend(more.map(|tag| Label::tag(&Key::new(&tag))));
        }
        tags.sort_unstable();
        tags.dedup();
        Some(tags)
    }
}

impl<E> Share<E> {
    /// The leader's error, for its waiters.
    pub(crate) fn give(&self, error: &E) -> Outcome {
        match self {
            Self::Not => Outcome::FailedAlone,
            Self::Clone { give, .. } => Outcome::Failed(give(error)),
            Self::With { make, wrap, .. } => Outcome::Failed(wrap(make(error))),
        }
    }

    /// A waiter's error; `None` when the leader's is of another type or cannot be shared.
    pub(crate) fn receive(&self, error: &SharedError) -> Option<E> {
        match self {
            Self::Not => None,
            Self::Clone { receive, .. } => receive(error),
            Self::With { make, unwrap, .. } => unwrap(error, *make),
        }
    }
}

/// An error that is not `Sync`, among waiters: one at a time makes its own from it.
pub(crate) fn wrap<E: Send + 'static>(error: E) -> SharedError {
    Arc::new(Mutex::new(error))
}

/// A waiter's own error from [`wrap`]'s.
pub(crate) fn unwrap<E: Send + 'static>(error: &SharedError, make: fn(&E) -> E) -> Option<E> {
    let error = error.downcast_ref::<Mutex<E>>()?;
    Some(make(&error.lock().unwrap_or_else(PoisonError::into_inner)))
}
