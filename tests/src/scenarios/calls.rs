//! Many callers of one function in one process, and what they were told.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Served, traced};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::functions::{
    Alone, hot, lagging, lasting, owned, product, product_or_alone, refreshed, remote, rename,
    save, shielded,
};
use super::origin::{Down, Source};
use crate::worker::Events;

/// Which function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the function of its name")]
pub enum Function {
    Product,
    ProductOrAlone,
    Owned,
    Rename,
    Save,
    Hot,
    Lasting,
    Shielded,
    Refreshed,
    Remote,
    Lagging,
}

/// A request to call it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Through which cache.
    pub cache: String,
    /// By which name these calls can be hung up, and the event by which the worker says that all of them wait.
    pub name: String,
    /// What is called.
    pub function: Function,
    /// With what.
    pub id: u64,
    /// How many times at once.
    pub callers: usize,
    /// Where the origin is.
    pub source: Source,
}

/// What the callers were told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// How many got which value.
    pub values: BTreeMap<u64, usize>,
    /// How many got the origin's error.
    pub errors: usize,
    /// How many panicked with the function.
    pub panics: usize,
    /// How many were dropped by `Running::hang_up`.
    pub dropped: usize,
    /// How the values came about.
    pub served: BTreeMap<String, usize>,
}

/// The calls of a worker that have not been answered.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<HashMap<String, Vec<AbortHandle>>>);

/// A process that did nothing for so long was stopped: as long as memory is believed without a sign of life.
const STOPPED: Duration = Duration::from_secs(3);

type Told = (Option<u64>, Option<Served>);

impl Running {
    /// Runs the calls to their end. Each has registered with the cache when the event says that all wait.
    pub(super) async fn run(&self, cache: Cache, events: Events, call: Call) -> Answers {
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut tasks: JoinSet<Told> = JoinSet::new();
        let mut handles = Vec::new();
        for _ in 0..call.callers {
            let one = cache.as_current(traced(run(call.function, call.source.clone(), call.id)));
            let (events, waiting, call) = (events.clone(), Arc::clone(&waiting), call.clone());
            let begun = move || {
                if waiting.fetch_add(1, Ordering::SeqCst) + 1 == call.callers {
                    events.emit(&call.name, json!(call.callers));
                }
            };
            handles.push(tasks.spawn(after_first_poll(one, begun)));
        }
        self.0
            .lock()
            .expect("no holder panics")
            .insert(call.name, handles);
        let mut answers = Answers::default();
        while let Some(told) = tasks.join_next().await {
            answers.add(told);
        }
        answers
    }

    /// Drops the calls of this name; tells how many there were.
    pub(super) fn hang_up(&self, name: &str) -> usize {
        let handles = self
            .0
            .lock()
            .expect("no holder panics")
            .remove(name)
            .unwrap_or_default();
        handles.iter().for_each(AbortHandle::abort);
        handles.len()
    }
}

impl Answers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.values().sum::<usize>() + self.errors + self.panics + self.dropped
    }

    /// Whether nobody was told anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// These and those.
    pub fn and(mut self, other: Answers) -> Answers {
        for (value, count) in other.values {
            *self.values.entry(value).or_default() += count;
        }
        for (served, count) in other.served {
            *self.served.entry(served).or_default() += count;
        }
        self.errors += other.errors;
        self.panics += other.panics;
        self.dropped += other.dropped;
        self
    }

    fn add(&mut self, told: Result<Told, JoinError>) {
        match told {
            Ok((value, served)) => {
                match value {
                    Some(value) => *self.values.entry(value).or_default() += 1,
                    None => self.errors += 1,
                }
                if let Some(served) = served {
                    *self.served.entry(format!("{served:?}")).or_default() += 1;
                }
            }
            Err(error) if error.is_panic() => self.panics += 1,
            Err(_) => self.dropped += 1,
        }
    }
}

/// One call; `None` if it failed.
pub(super) async fn run(function: Function, source: Source, id: u64) -> Option<u64> {
    match function {
        Function::Product => product(&source, id).await.map_err(|Down| ()).ok(),
        Function::ProductOrAlone => product_or_alone(&source, id).await.map_err(|Alone| ()).ok(),
        Function::Owned => owned(&source, id).await.ok(),
        Function::Rename => Some(rename(&source, id).await),
        Function::Save => save(&source, id).await.ok(),
        Function::Hot => hot(&source, id).await.ok(),
        Function::Lasting => lasting(&source, id).await.ok(),
        Function::Remote => remote(&source, id).await.ok(),
        Function::Lagging => lagging(&source, id).await.ok(),
        Function::Refreshed => refreshed(&source, id).await.ok(),
        Function::Shielded => shielded(&source, id).await.ok(),
    }
}

/// Calls again and again until the process was stopped; the answer of the first call that began after that. As long as memory
/// answers, no other task gets a turn on this thread, so that nothing is heard before that call.
pub(super) async fn after_a_stop(cache: &Cache, events: &Events, call: &Call) -> Answers {
    let mut before = Instant::now();
    events.emit(&call.name, json!(1));
    loop {
        let begun = Instant::now();
        let one = traced(run(call.function, call.source.clone(), call.id));
        let told = cache.as_current(one).await;
        if begun - before >= STOPPED {
            let mut answers = Answers::default();
            answers.add(Ok(told));
            return answers;
        }
        before = begun;
    }
}

/// A caller registers with the cache when it is first polled; then it waits, or has its answer.
async fn after_first_poll(
    call: impl Future<Output = (Option<u64>, Option<Served>)>,
    begun: impl FnOnce(),
) -> Told {
    let mut call = pin!(call);
    let mut begun = Some(begun);
    std::future::poll_fn(move |cx| {
        let polled = call.as_mut().poll(cx);
        if let Some(begun) = begun.take() {
            begun();
        }
        match polled {
            Poll::Ready(told) => Poll::Ready(told),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
