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
use tracing::Instrument as _;

use super::{
    call::{Call, Role, Step},
    chain::{self, Link},
    lead::Lead,
    refresh, spans,
    store::Wish,
};
use crate::{
    cache::scope,
    entry::{CacheValue, Erased},
    flight::{Outcome, SharedError},
    key::{self, Holes, Key, LateTemplate},
    observe::{Count, Served},
    policy::{Own, StampedeProtection},
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
pub(crate) fn run<V, E, L>(
    mut call: Box<Call>,
    with: Loaded<V, E>,
    load: Pin<Box<L>>,
) -> impl Future<Output = Result<V, E>>
where
    V: CacheValue,
    L: Future<Output = Result<V, E>>,
{
    let span = spans::fill(&mut call);
    fill(call, with, load).instrument(span)
}

async fn fill<V, E, L>(mut call: Box<Call>, with: Loaded<V, E>, load: Pin<Box<L>>) -> Result<V, E>
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
                spans::answered::<(), ()>(&call, &Ok(()));
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
    spans::answered(&call, &result);
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
    spans::leads(&call);
    let load = scope::in_load(chain::with(Arc::clone(&link), load)).instrument(spans::load(&call));
    lead.guard.flight().asks_now();
    let started = Instant::now();
    let loading = call.counters.loading();
    let result = tokio::select! {
        // The load is looked at first: when both are ready, its value counts and the lease decides.
        biased;
        result = load => result,
        never = lead.renew(call.core.settings.redis_budget) => match never {},
    };
    drop(loading);
    let took = started.elapsed();
    call.counters.loaded_in(took);
    count_error(&call, &result);
    let result = match result {
        Ok(value) => {
            if link.is_not_modified() {
                call.counters.add(Count::NotModified);
            }
            call.core.failures.forget(call.key.text());
            let wish = wish(&call, &with.hooks, &value, took);
            note_terms(&call, &wish);
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
    let started = Instant::now();
    let loading = call.counters.loading();
    let load = scope::in_load(chain::with(link, load)).instrument(spans::load(call));
    let result = load.await;
    drop(loading);
    if !matches!(call.served, Served::Bypassed(_)) {
        call.counters.loaded_in(started.elapsed());
    }
    count_error(call, &result);
    match result {
        Err(error) => match call.stale_for_error() {
            Some(value) => Ok(typed::<V>(value)),
            None => Err(error),
        },
        value => value,
    }
}

/// What the site asks for, for the report.
fn note_terms(call: &Call, wish: &Wish) {
    let policy = &call.policy;
    call.counters.set_terms(|terms| {
        terms.ttl = Some(wish.ttl.unwrap_or(policy.lifetimes.ttl)).filter(|ttl| !ttl.is_zero());
        terms.negative_ttl = policy.lifetimes.negative_ttl;
        terms.wait_timeout = Some(policy.wait_timeout);
        terms.fleet = policy.protection == StampedeProtection::Fleet;
        terms.lies_anywhere = call.key.region().is_empty();
    });
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

/// What is wanted done with a value that was loaded in `took`: by its annotated function, or by the policy of a programmatic call.
pub(super) fn wish<V: CacheValue>(
    call: &Call,
    hooks: &Hooks<V>,
    value: &V,
    took: Duration,
) -> Wish {
    match &call.own {
        Some(own) => Wish::of(own, value, took),
        None => hooks.wish(value, took, &call.late),
    }
}

impl Wish {
    /// What a policy wants done with a value that was loaded in `took`.
    pub(crate) fn of<V: CacheValue>(own: &Own, value: &V, took: Duration) -> Self {
        let veto = own.refuses(value);
        let (ttl, mut tags) = if veto {
            (None, Vec::new())
        } else {
            (own.ttl_of(value), labels(own.tags_of(value)))
        };
        tags.sort_unstable();
        tags.dedup();
        Self {
            veto,
            ttl,
            took,
            tags,
        }
    }
}

fn labels(tags: Vec<String>) -> Vec<Label> {
    let tags = tags.into_iter();
    tags.map(|tag| Label::tag(&Key::new(&tag))).collect()
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
            tags.extend(labels(tags_from(value)));
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
