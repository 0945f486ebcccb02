//! Calls whose load may outlive them: what a caller does not wait for goes on in the background.

use std::{future::Future, pin::Pin, sync::Arc};

use super::{
    call::{Call, Purpose, Role, Step},
    check,
    refresh::{self, Errand},
    run::{Loaded, alone, complete, typed},
    timer,
};
use crate::{
    entry::CacheValue,
    error::LoadTimeout,
    observe::{Served, Why},
    tiers::memory::Due,
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
    let (call, result) = loop {
        match call.next_in_time().await {
            Step::Serve(value) => break (call, Ok(typed::<V>(&value))),
            Step::Fail(error) => match origin.with.share.receive(&error) {
                Some(error) => break (call, Err(error)),
                None => call.failed_alone(),
            },
            Step::GiveUp => match timed_out(&call, &origin) {
                Some(error) => break (call, Err(error)),
                None => call.policy.fresh.hard_timeout = None,
            },
            Step::Load(role) => {
                let rest = Box::new(call.again());
                let load = (origin.run)();
                let work: Work<V, E> = match role {
                    Role::Lead(lead) => Box::pin(complete(call, lead, origin.with, load)),
                    Role::Alone => Box::pin(async move {
                        let result = alone(&mut call, load).await;
                        (call, result)
                    }),
                };
                break in_time(rest, work, &origin).await;
            }
        }
    };
    call.finished();
    follow_up(&call, &result, &origin);
    result
}

/// What an answer leaves to be done in the background.
fn follow_up<V, E>(call: &Call, result: &Result<V, E>, origin: &Origin<V, E>)
where
    V: CacheValue,
    E: Send + 'static,
{
    let revalidates = call.served == Served::Stale(Why::Revalidating);
    let is_timed = call.policy.fresh.refresh_every.is_some();
    if !revalidates && call.due.is_none() && !is_timed {
        return;
    }
    let errand = Errand::of(call);
    if revalidates || call.due == Some(Due::Refresh) {
        let errand = errand.again().with(call.in_hand.clone());
        refresh::start(errand, origin.clone(), None);
    }
    if let (Some(Due::Check), Ok(value)) = (call.due, result) {
        check::start(&errand, value.clone(), origin);
    }
    timer::keep_fresh(&errand, origin);
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
            Some(Step::GiveUp) => {
                let error = timed_out(&rest, origin).map(Err);
                // There is none: wait on.
                rest.policy.fresh.hard_timeout = None;
                error
            }
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
