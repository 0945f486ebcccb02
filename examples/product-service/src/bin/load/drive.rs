//! One turn: as many callers as there are connections, until the time is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use hdrhistogram::Histogram;
use hyper::Method;
use hyper::body::Bytes;
use tokio::task::JoinSet;

use crate::Failure;
use crate::arguments::Options;
use crate::connection::Connection;
use crate::instance::Instance;
use crate::mix::{Mix, Step, dearer};

/// What a turn has shown.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) took: Duration,
    pub(crate) queries: u64,
    /// In microseconds.
    pub(crate) latency: Histogram<u64>,
    pub(crate) statuses: BTreeMap<u16, u64>,
}

/// Requests of one caller or of all.
struct Tally {
    latency: Histogram<u64>,
    statuses: BTreeMap<u16, u64>,
}

/// Somebody who asks.
struct Caller {
    connection: Connection,
    cookie: String,
    tally: Tally,
}

pub(crate) async fn drive(
    instance: &Instance,
    mix: &Arc<Mix>,
    options: &Options,
) -> Result<Figures, Failure> {
    let mut connection = Connection::open(instance.address).await?;
    let credentials = r#"{"name": "ada", "password": "ada-demo"}"#.to_owned();
    let login = connection
        .send(Method::POST, "/api/login", None, credentials)
        .await?;
    let cookie = login.cookie().ok_or("the login sets no cookie")?;
    let before = instance.queries().await?;
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..options.connections {
        let connection = Connection::open(instance.address).await?;
        let mut caller = Caller {
            connection,
            cookie: cookie.clone(),
            tally: Tally::new(),
        };
        let (mix, turn) = (Arc::clone(mix), options.turn);
        callers.spawn(async move {
            let mut random = Rng::with_seed(number as u64);
            while started.elapsed() < turn {
                caller.take(mix.next(&mut random)).await?;
            }
            Ok::<_, Failure>(caller.tally)
        });
    }
    let mut all = Tally::new();
    while let Some(tally) = callers.join_next().await {
        all.add(tally??)?;
    }
    let took = started.elapsed();
    let queries = instance.queries().await? - before;
    Ok(Figures {
        took,
        queries,
        latency: all.latency,
        statuses: all.statuses,
    })
}

impl Caller {
    async fn take(&mut self, step: Step<'_>) -> Result<(), Failure> {
        match step {
            Step::Read(path) => self
                .request(Method::GET, path, String::new())
                .await
                .map(drop),
            Step::Wishlist => self
                .request(Method::GET, "/api/wishlist", String::new())
                .await
                .map(drop),
            Step::Change(path) => {
                let read = self.request(Method::GET, path, String::new()).await?;
                match dearer(&read) {
                    // Two callers may change the same one: the second is told so, which is an answer as well.
                    Some(change) => self.request(Method::PUT, path, change).await.map(drop),
                    None => Ok(()),
                }
            }
        }
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        json: String,
    ) -> Result<Bytes, Failure> {
        let started = Instant::now();
        let answer = self
            .connection
            .send(method, path, Some(&self.cookie), json)
            .await?;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.tally.latency.saturating_record(micros);
        *self
            .tally
            .statuses
            .entry(answer.status.as_u16())
            .or_default() += 1;
        Ok(answer.body)
    }
}

impl Tally {
    fn new() -> Tally {
        // A microsecond to a minute, to three digits.
        let latency =
            Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are in order");
        Tally {
            latency,
            statuses: BTreeMap::new(),
        }
    }

    fn add(&mut self, other: Tally) -> Result<(), Failure> {
        self.latency.add(other.latency)?;
        for (status, number) in other.statuses {
            *self.statuses.entry(status).or_default() += number;
        }
        Ok(())
    }
}
