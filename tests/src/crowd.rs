//! Many callers at once, all of them inside their call when the test goes on.
//!
//! On tokio's single-threaded runtime a task that has been polled once has run up to its first wait. A crowd
//! counts its members as they are polled; when all have been, each is where the call under test makes it wait, and no
//! sleep was needed to be sure of it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{AbortHandle, JoinError, JoinSet};

use crate::eventually::PATIENCE;

/// Callers that run side by side; dropping the crowd drops their calls.
#[derive(Debug)]
pub struct Crowd<T> {
    tasks: JoinSet<(usize, T)>,
    handles: Vec<AbortHandle>,
    polled: Arc<AtomicUsize>,
}

impl<T: Send + 'static> Crowd<T> {
    /// Starts `callers` calls, made by `call` from the caller's number, and returns when each has been polled.
    ///
    /// To be used on a single-threaded runtime: elsewhere "polled" does not mean "waiting".
    pub async fn of<F>(callers: usize, call: impl Fn(usize) -> F) -> Crowd<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut crowd = Crowd {
            tasks: JoinSet::new(),
            handles: Vec::new(),
            polled: Arc::default(),
        };
        crowd.join(callers, call).await;
        crowd
    }

    /// Adds callers; their numbers go on from the last.
    pub async fn join<F>(&mut self, callers: usize, call: impl Fn(usize) -> F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        for _ in 0..callers {
            let number = self.handles.len();
            let (call, polled) = (call(number), Arc::clone(&self.polled));
            self.handles.push(self.tasks.spawn(async move {
                polled.fetch_add(1, Ordering::SeqCst);
                (number, call.await)
            }));
        }
        while self.polled.load(Ordering::SeqCst) < self.handles.len() {
            tokio::task::yield_now().await;
        }
    }

    /// Drops the call of one caller, as a client that hangs up does.
    pub fn hang_up(&self, number: usize) {
        self.handles[number].abort();
    }

    /// How many callers have no answer yet.
    pub fn waiting(&self) -> usize {
        self.handles
            .iter()
            .filter(|handle| !handle.is_finished())
            .count()
    }

    /// The answers of all who got one, by caller; those who hung up or panicked are left out.
    ///
    /// # Panics
    /// If somebody is not answered within [`PATIENCE`].
    pub async fn answers(mut self) -> Vec<T> {
        let mut answers = Vec::new();
        while let Some(answer) = self.join_next().await {
            answers.extend(answer.ok());
        }
        answers.sort_by_key(|(number, _)| *number);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// The next caller to come back, with an answer or without.
    ///
    /// # Panics
    /// If nobody does within [`PATIENCE`].
    pub async fn next(&mut self) -> Option<Result<T, JoinError>> {
        Some(self.join_next().await?.map(|(_, answer)| answer))
    }

    async fn join_next(&mut self) -> Option<Result<(usize, T), JoinError>> {
        let next = tokio::time::timeout(PATIENCE, self.tasks.join_next()).await;
        next.unwrap_or_else(|_| panic!("{} callers are not answered", self.waiting()))
    }
}

#[cfg(test)]
mod tests {
    use super::Crowd;
    use crate::origin::Origin;

    #[tokio::test]
    async fn everybody_is_inside_when_the_test_goes_on() {
        let origin = Origin::closed();
        let crowd = Crowd::of(50, |_| {
            let origin = std::sync::Arc::clone(&origin);
            async move { origin.run().await }
        })
        .await;
        assert_eq!((origin.runs(), crowd.waiting()), (50, 50));
        crowd.hang_up(7);
        origin.open_gate();
        let answers = crowd.answers().await;
        assert_eq!(answers.len(), 49);
        assert!(!answers.contains(&8));
    }
}
