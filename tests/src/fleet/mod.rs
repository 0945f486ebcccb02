//! Several worker processes that share nothing but Redis, each of which can be asked, paused and killed.
//!
//! The workers are the `worker` program of this package ([`crate::worker`]); cargo builds it before the behaviour
//! tests. Everything that waits has a limit, because a worker that hangs is what some of the tests are about, and
//! [`WorkerError`] tells a worker that died from one that is late.

mod process;

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::Value;
use tokio::task::JoinSet;

pub use self::process::{Worker, WorkerError};

/// Worker processes; dropping the fleet kills them.
#[derive(Debug)]
pub struct Fleet {
    workers: Vec<std::sync::Arc<Worker>>,
}

/// A fleet to start.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    program: Option<PathBuf>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Builder {
    /// Another program than `worker`; it must speak the protocol of [`crate::worker`].
    pub fn program(mut self, program: impl Into<PathBuf>) -> Builder {
        self.program = Some(program.into());
        self
    }

    /// Command line arguments of every worker.
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Builder {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// An environment variable of every worker.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Builder {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts `count` processes and returns when all of them listen.
    ///
    /// # Panics
    /// If one does not come up.
    pub async fn spawn(self, count: usize) -> Fleet {
        let program = self.program.unwrap_or_else(worker_program);
        let start = |_| Worker::start(&program, &self.arguments, &self.environment);
        let workers: Vec<_> = (0..count).map(start).map(std::sync::Arc::new).collect();
        for worker in &workers {
            let ready = worker.event(crate::worker::READY).await;
            ready.unwrap_or_else(|error| panic!("a worker does not come up: {error}"));
        }
        Fleet { workers }
    }
}

impl Fleet {
    /// A fleet with an environment or a program of its own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts `count` workers with these command line arguments.
    pub async fn spawn<A: Into<OsString>>(
        count: usize,
        arguments: impl IntoIterator<Item = A>,
    ) -> Fleet {
        Fleet::builder().args(arguments).spawn(count).await
    }

    /// One of the workers, counted from 0.
    pub fn worker(&self, index: usize) -> &Worker {
        &self.workers[index]
    }

    /// All workers, in order.
    pub fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.workers.iter().map(AsRef::as_ref)
    }

    /// Asks every worker at once; answers in the workers' order.
    pub async fn ask_all(&self, scenario: &str, with: Value) -> Vec<Result<Value, WorkerError>> {
        let mut asked = JoinSet::new();
        for (index, worker) in self.workers.iter().cloned().enumerate() {
            let (scenario, with) = (scenario.to_owned(), with.clone());
            asked.spawn(async move { (index, worker.ask(&scenario, with).await) });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// `target/<profile>/worker`, seen from a test in `target/<profile>/deps`.
fn worker_program() -> PathBuf {
    let test = std::env::current_exe().expect("the running program has a path");
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie two folders below the target folder");
    let program = folder
        .join("worker")
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.is_file(),
        "{} is missing; `cargo build -p tests --bin worker` makes it",
        program.display()
    );
    program
}

#[cfg(test)]
mod tests;
