//! Calls whose load may outlive them: what a caller does not wait for goes on in the background.

use std::{future::Future, pin::Pin, sync::Arc};

use super::{
    call::{Call, Purpose, Role, Step},
    check,
    read::wants,
    refresh::{self, Claim, Errand},
    run::{Loaded, alone, complete, typed},
    timer,
};
use crate::{
    entry::CacheValue,
    error::LoadTimeout,
    observe::{Served, Why},
    tiers::memory::{Care, Due, MemoryEntry},
};

/// One run of the origin.
pub(crate) type Load<V, E> = Pin<Box<dyn Future<Output = Result<V, E>> + Send>>;

/// An origin that can be run as often as needed, whoever still waits.
pub(crate) struct Origin<V, E> {
    pub(crate) run: Arc<dyn Fn() -> Load<V, E> + Send + Sync>,
    pub(crate) with: Loaded<V, E>,
    /// What a call that gives up is told; nothing where it never does.
    pub(crate) timeout: Option<fn(LoadTimeout) -> E>,
}

impl<V, E> Clone for Origin<V, E> {
    fn clone(&self) -> Self {
        Self {
            run: Arc::clone(&self.run),
            with: self.with,
            timeout: self.timeout,
        }
    }
}

/// Answers a call: from a tier, from another's load, or by running the origin, of which the caller need not see the end.
pub(crate) async fn run_owned<V, E>(call: Call, origin: Origin<V, E>) -> Result<V, E>
where
    V: CacheValue,
    E: Send + 'static,
{
    let mut call = Box::new(call);
    call.purpose = Purpose::AnswerOwned;
    call.watch = timer::watched(&call);
    if origin.timeout.is_none() {
        call.policy.fresh.hard_timeout = None;
    }
    let errand = Errand::of(&call);
    let (call, result) = loop {
        match call.next().await {
            Step::Serve(value) => break (call, Ok(typed::<V>(&value))),
            Step::Fail(error) => match origin.with.share.receive(&error) {
                Some(error) => break (call, Err(error)),
                None => call.failed_alone(),
            },
            Step::GiveUp => match timed_out(&call, &origin) {
                Some(error) => break (call, Err(error)),
                None => call.policy.fresh.hard_timeout = None,
            },
            Step::Load(Role::Alone) => {
                let result = alone(&mut call, (origin.run)()).await;
                break (call, result);
            }
            Step::Load(Role::Lead(lead)) => {
                let rest = Box::new(call.again());
                let work = complete(call, lead, origin.with, (origin.run)());
                break in_time(rest, Box::pin(work), &origin).await;
            }
        }
    };
    call.finished();
    if call.served == Served::Stale(Why::Revalidating) || call.due == Some(Due::Refresh) {
        let errand = errand.again().with(call.in_hand.clone());
        refresh::start(errand, origin.clone(), None);
    }
    if let (Some(Due::Check), Ok(value)) = (call.due, &result) {
        check::start(&errand, value.clone(), &origin);
    }
    timer::keep_fresh(&errand, &origin);
    result
}

/// Answers a call from memory, whatever that calls for.
pub(crate) fn serve_hit<V, E>(call: &mut Call, origin: &Origin<V, E>) -> Option<V>
where
    V: CacheValue,
    E: Send + 'static,
{
    let entry = call.entry()?;
    if let Some(due) = call.due_of(&entry) {
        return serve_due(call.again(), &entry, due, origin);
    }
    let value = entry.typed::<V>(&call.reader)?;
    call.served = Served::Memory;
    call.finished();
    Some(value)
}

/// Answers a hit in memory that calls for something.
pub(crate) fn serve_due<V, E>(
    mut call: Call,
    entry: &Arc<MemoryEntry>,
    due: Due,
    origin: &Origin<V, E>,
) -> Option<V>
where
    V: CacheValue,
    E: Send + 'static,
{
    let value = entry.typed::<V>(&call.reader)?;
    call.watch = timer::watched(&call);
    let errand = Errand::of(&call);
    let due = match due {
        Due::Watch => {
            if let Some(wants) = wants(&call.policy, call.watch.as_ref()) {
                let care = Care::new(&wants, &entry.term, None);
                // Another hit may have been first.
                let _ = entry.care.set(Box::new(care));
            }
            timer::keep_fresh(&errand, origin);
            let care = entry.care.get();
            care.and_then(|care| care.due(call.core.clock.now(), fastrand::f64))
        }
        due => Some(due),
    };
    match due {
        Some(Due::Refresh) => {
            if let Some(claim) = Claim::of(&call.core, entry) {
                let in_hand = claim.in_hand(&call);
                refresh::start(errand.with(in_hand), origin.clone(), Some(claim));
            }
        }
        Some(Due::Check) => check::start(&errand, value.clone(), origin),
        Some(Due::Watch) | None => {}
    }
    call.served = Served::Memory;
    call.finished();
    Some(value)
}

type Work<V, E> = Pin<Box<dyn Future<Output = (Box<Call>, Result<V, E>)> + Send>>;

/// A load as far as its caller waits for it; from there on it goes on by itself.
async fn in_time<V, E>(
    mut rest: Box<Call>,
    mut work: Work<V, E>,
    origin: &Origin<V, E>,
) -> (Box<Call>, Result<V, E>)
where
    V: CacheValue,
    E: Send + 'static,
{
    while let Some(patience) = rest.patience() {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep_until(patience) => {}
        }
        let answer = match rest.patience_is_over() {
            Some(Step::Serve(value)) => Some(Ok(typed::<V>(&value))),
            Some(Step::GiveUp) => timed_out(&rest, origin).map(Err),
            _ => None,
        };
        if let Some(answer) = answer {
            let core = Arc::clone(&rest.core);
            core.workers.adopt(async move {
                let (call, result) = work.await;
                if result.is_err() {
                    tracing::debug!(
                        cache = call.core.settings.name,
                        "a load that nobody waits for has failed"
                    );
                }
            });
            return (rest, answer);
        }
    }
    work.await
}

fn timed_out<V, E>(call: &Call, origin: &Origin<V, E>) -> Option<E> {
    let make = origin.timeout?;
    let after = call.policy.fresh.hard_timeout.unwrap_or_default();
    Some(make(LoadTimeout(after)))
}
