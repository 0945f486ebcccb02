//! Sending commands to the primaries they belong to, and where those send us.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};

use super::Cluster;
use super::node::Node;
use super::state::Map;
use crate::tiers::redis::fault::{Redirect, redirect};
use crate::tiers::redis::link::{Connection, Deadline, Lane, unavailable};
use crate::tiers::redis::scripts::{Pipeline, Steps};
use crate::tiers::{ErrorKind, TierError};

/// The answers to several commands, in their order; what a node did not answer is its failure.
pub(in crate::tiers::redis) type Answers = Vec<Result<redis::RedisResult<redis::Value>, TierError>>;

/// Which redirections are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tiers::redis) enum Follow {
    All,
    /// Not to where a slot is on its way: who hears what is said there is not sure.
    Moved,
}

/// What is done on a connection.
type Work<'w, 'f, T> = &'w (dyn Fn(Connection) -> BoxFuture<'f, redis::RedisResult<T>> + Sync);

impl Cluster {
    /// Runs work where a key belongs. It runs again, once, where it is sent.
    // What is done is in a box, and all around it compiled once for each kind of answer.
    pub(in crate::tiers::redis) async fn call<T, W, F>(
        &self,
        key: &str,
        lane: Lane,
        by: Deadline,
        work: W,
    ) -> Result<T, TierError>
    where
        T: Send,
        W: Fn(Connection) -> F + Sync,
        F: Future<Output = redis::RedisResult<T>> + Send,
    {
        self.route(key, lane, by, &|connection| Box::pin(work(connection)))
            .await
    }

    async fn route<T: Send>(
        &self,
        key: &str,
        lane: Lane,
        by: Deadline,
        work: Work<'_, '_, T>,
    ) -> Result<T, TierError> {
        let map = self.map(by).await?;
        let Some(node) = map.owner(key.as_bytes()) else {
            self.survey();
            return Err(unserved());
        };
        let other = match node.call(lane, by, work).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(other)) => other,
            Err(error) => {
                self.notice(&error);
                return Err(error);
            }
        };
        let node = self.follow(&map, node, &other, key.as_bytes(), by).await?;
        let again = match other {
            Redirect::Ask(_) => node.call(lane, by, |it| work(it.asking())).await?,
            Redirect::Moved(_) => node.call(lane, by, work).await?,
        };
        again.map_err(|_| moved_again())
    }

    /// Sends several commands, each where its first key belongs, all at once; the answers are in their order. What is not followed is
    /// among them.
    pub(in crate::tiers::redis) async fn scatter(
        &self,
        lane: Lane,
        by: Deadline,
        follow: Follow,
        steps: Steps<'_>,
    ) -> Result<Answers, TierError> {
        let map = self.map(by).await?;
        let keys = Pipeline::of(steps).keys();
        let mut groups = BTreeMap::<usize, Vec<usize>>::new();
        for (step, key) in keys.iter().enumerate() {
            groups.entry(map.number(key)).or_default().push(step);
        }
        let sent = groups.into_iter().map(|(node, meant)| {
            let map = &map;
            async move {
                let answers = match map.nodes().get(node) {
                    Some(node) => send(node, lane, by, steps, &meant, false).await,
                    None => Err(unserved()),
                };
                (meant, answers)
            }
        });
        let mut answers: Answers = keys.iter().map(|_| Err(unserved())).collect();
        for (meant, answered) in join_all(sent).await {
            match answered {
                Ok(answered) => {
                    for (step, answer) in meant.into_iter().zip(answered) {
                        answers[step] = Ok(answer);
                    }
                }
                Err(error) => {
                    self.notice(&error);
                    for step in meant {
                        answers[step] = Err(error.clone());
                    }
                }
            }
        }
        let sent_on = redirected(&answers, follow)
            .into_iter()
            .map(|(step, other)| {
                let (map, key) = (&map, &keys[step]);
                async move {
                    let answer = self.send_on(map, &other, lane, by, steps, step, key);
                    (step, answer.await)
                }
            });
        for (step, answer) in join_all(sent_on).await {
            answers[step] = answer;
        }
        Ok(answers)
    }

    /// Sends one step where it was sent to.
    #[expect(
        clippy::too_many_arguments,
        reason = "what one step is, and where it goes"
    )]
    async fn send_on(
        &self,
        map: &Arc<Map>,
        other: &Redirect,
        lane: Lane,
        by: Deadline,
        steps: Steps<'_>,
        step: usize,
        key: &[u8],
    ) -> Result<redis::RedisResult<redis::Value>, TierError> {
        let from = map.owner(key).ok_or_else(unserved)?;
        let node = self.follow(map, from, other, key, by).await?;
        let asks = matches!(other, Redirect::Ask(_));
        let mut answer = send(&node, lane, by, steps, &[step], asks).await?;
        answer.pop().ok_or_else(moved_again)
    }

    /// Who is meant by a redirection.
    async fn follow(
        &self,
        map: &Arc<Map>,
        from: &Node,
        other: &Redirect,
        key: &[u8],
        by: Deadline,
    ) -> Result<Arc<Node>, TierError> {
        // What is asked for while a slot moves changes no map.
        if matches!(other, Redirect::Moved(_)) {
            self.survey();
        }
        if let Some(node) = map.at(other.address(), &from.address) {
            return Ok(Arc::clone(node));
        }
        self.survey();
        let newer = self.newer(map, by).await?;
        let node = newer
            .at(other.address(), &from.address)
            .or_else(|| newer.owner(key));
        node.cloned().ok_or_else(unserved)
    }

    /// A node that does not answer, or the cluster does not serve, may have a successor.
    fn notice(&self, error: &TierError) {
        let refused = error.kind == ErrorKind::Refused && error.text.starts_with("CLUSTERDOWN");
        if error.kind == ErrorKind::Unavailable || refused {
            self.survey();
        }
    }
}

/// The steps that were sent elsewhere, and to where.
fn redirected(answers: &Answers, follow: Follow) -> Vec<(usize, Redirect)> {
    let followed = |other: &Redirect| follow == Follow::All || matches!(other, Redirect::Moved(_));
    let elsewhere = |answer: &_| match answer {
        Ok(Err(error)) => redirect(error).filter(followed),
        _ => None,
    };
    (0..)
        .zip(answers)
        .filter_map(|(step, answer)| Some((step, elsewhere(answer)?)))
        .collect()
}

/// Sends some of these steps to one node; `asks` if it is about to get their slot.
async fn send(
    node: &Node,
    lane: Lane,
    by: Deadline,
    steps: Steps<'_>,
    meant: &[usize],
    asks: bool,
) -> Result<Vec<redis::RedisResult<redis::Value>>, TierError> {
    let live = node.link.live(by).await?;
    let some = |pipeline: &mut Pipeline| pipeline.append_some(steps, meant);
    let work = async |connection: Connection| {
        let mut connection = if asks {
            connection.asking()
        } else {
            connection
        };
        Pipeline::run(&mut connection, &some).await
    };
    node.link.call_on(&live, lane, by, work).await
}

fn unserved() -> TierError {
    unavailable("no primary of the cluster serves this slot")
}

fn moved_again() -> TierError {
    TierError::new(ErrorKind::Refused, "a slot has moved again")
}
