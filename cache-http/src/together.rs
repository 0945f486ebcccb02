//! Several futures at once, in one task: what goes to Redis at once comes back in one round trip.

use std::future::{Future, poll_fn};
use std::pin::Pin;
#[cfg(feature = "sessions")]
use std::pin::pin;
use std::task::Poll;

/// A future, and what came of it.
type Running<F> = (Pin<Box<F>>, Option<<F as Future>::Output>);

/// Runs all to their ends; the results are in the order of the futures. Dropped, it drops all.
pub(crate) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    poll_fn(|cx| {
        let mut waits = false;
        for (future, result) in &mut running {
            if result.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *result = Some(output),
                    Poll::Pending => waits = true,
                }
            }
        }
        if waits {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    let results = running.into_iter().map(|(_, result)| result);
    results
        .map(|result| result.expect("all were polled to their ends"))
        .collect()
}

/// Two of different kinds.
#[cfg(feature = "sessions")]
pub(crate) async fn both<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut of_one, mut of_other) = (None, None);
    poll_fn(|cx| {
        if of_one.is_none()
            && let Poll::Ready(output) = one.as_mut().poll(cx)
        {
            of_one = Some(output);
        }
        if of_other.is_none()
            && let Poll::Ready(output) = other.as_mut().poll(cx)
        {
            of_other = Some(output);
        }
        match (of_one.take(), of_other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            some => {
                (of_one, of_other) = some;
                Poll::Pending
            }
        }
    })
    .await
}
