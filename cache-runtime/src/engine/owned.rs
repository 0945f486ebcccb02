//! Calls whose load may outlive them: what a caller does not wait for goes on in the background.

use std::{future::Future, pin::Pin, sync::Arc};

use tokio::runtime::Handle;
use tracing::Instrument as _;

use super::{
    call::{Call, Purpose, Role, Step},
    check,
    refresh::{self, Errand},
    run::{Loaded, alone, complete, typed},
    shown::Shown,
    spans, timer,
};
use crate::{
    entry::CacheValue,
    error::LoadTimeout,
    observe::{Count, Served, Why},
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
pub(crate) fn run_owned<V, E>(
    call: Call,
    origin: Origin<V, E>,
) -> impl Future<Output = Result<V, E>>
where
    V: CacheValue,
    E: Send + 'static,
{
    let mut call = Box::new(call);
    let span = spans::fill(&mut call);
    fill(call, origin).instrument(span)
}

async fn fill<V, E>(mut call: Box<Call>, origin: Origin<V, E>) -> Result<V, E>
where
    V: CacheValue,
    E: Send + 'static,
{
    // Without a runtime nothing can go on by itself, nor be waited for.
    if Handle::try_current().is_ok() {
        call.purpose = Purpose::AnswerOwned;
    }
    call.watch = timer::watched(&call);
    let (call, result) = if call.has_timeouts() {
        in_time(call, &origin).await
    } else {
        answer(call, origin.clone()).await
    };
    call.finished();
    spans::answered(&call, &result);
    follow_up(&call, &result, &origin);
    result
}

type Answered<V, E> = (Box<Call>, Result<V, E>);

/// The whole way of a call.
async fn answer<V, E>(mut call: Box<Call>, origin: Origin<V, E>) -> Answered<V, E>
where
    V: CacheValue,
    E: Send + 'static,
{
    loop {
        match call.next().await {
            Step::Serve(value) => return (call, Ok(typed::<V>(value))),
            Step::Fail(error) => match origin.with.share.receive(&error) {
                Some(error) => return (call, Err(error)),
                None => call.failed_alone(),
            },
            Step::GiveUp => match timed_out(&call, &origin) {
                Some(error) => return (call, Err(error)),
                None => call.policy.fresh.hard_timeout = None,
            },
            Step::Load(Role::Lead(lead)) => {
                return complete(call, lead, origin.with, (origin.run)()).await;
            }
            Step::Load(Role::Alone) => {
                call.wait_for_somebody().await;
                let result = alone(&mut call, (origin.run)()).await;
                return (call, result);
            }
        }
    }
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

/// The way of a call as far as its caller waits for it; from there on it goes on by itself: the load, if it has not begun yet, begins without him.
async fn in_time<V, E>(mut call: Box<Call>, origin: &Origin<V, E>) -> Answered<V, E>
where
    V: CacheValue,
    E: Send + 'static,
{
    let shown = Shown::of(&mut call);
    let mut rest = Box::new(call.again());
    rest.look_for_stale();
    let mut work = Box::pin(answer(call, origin.clone()));
    loop {
        let patience = rest.patience();
        let over = async {
            match patience {
                Some(patience) => tokio::time::sleep_until(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = shown.news() => {
                shown.take(&mut rest);
                continue;
            }
            () = over => {}
        }
        let answer = match rest.patience_is_over() {
            Some(Step::Serve(value)) => Some(Ok(typed::<V>(value))),
            Some(Step::GiveUp) => {
                let error = timed_out(&rest, origin).map(Err);
                // There is none: wait on.
                rest.policy.fresh.hard_timeout = None;
                error
            }
            _ => None,
        };
        if let Some(answer) = answer {
            shown.leave();
            rest.core.workers.adopt(async move {
                let (call, result) = tokio::select! {
                    biased;
                    done = work => done,
                    () = shown.needless() => return,
                };
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
}

fn timed_out<V, E>(call: &Call, origin: &Origin<V, E>) -> Option<E> {
    let make = origin.timeout?;
    let after = call.policy.fresh.hard_timeout.unwrap_or_default();
    call.counters.add(Count::Timeout);
    Some(make(LoadTimeout(after)))
}
