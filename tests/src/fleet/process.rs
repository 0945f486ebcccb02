//! One worker as its test sees it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::signal;
use crate::worker::{Message, Request};

/// How long an answer or an event may take where the test does not say: longer than any wait under test, shorter
/// than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerError {
    /// The scenario failed or panicked, with its words.
    Failed(String),
    /// The process is gone.
    Died,
    /// The process is there (perhaps paused) and has not answered in this time.
    Late(Duration),
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkerError::Failed(reason) => write!(f, "the scenario failed: {reason}"),
            WorkerError::Died => f.write_str("the worker died"),
            WorkerError::Late(limit) => write!(f, "no answer within {limit:?}"),
        }
    }
}

impl std::error::Error for WorkerError {}

/// Who waits for which request; `None` once the worker's output has ended.
type Pending = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Result<Value, WorkerError>>>>>>;

/// A worker process; dropping it kills the process, paused or not.
#[derive(Debug)]
pub struct Worker {
    child: AsyncMutex<Child>,
    pid: u32,
    stdin: AsyncMutex<ChildStdin>,
    next: AtomicU64,
    pending: Pending,
    events: AsyncMutex<Inbox>,
    reader: JoinHandle<()>,
}

/// Events that have come; those nobody has asked for yet are kept.
#[derive(Debug)]
struct Inbox {
    kept: Vec<(String, Value)>,
    incoming: mpsc::UnboundedReceiver<(String, Value)>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Worker {
    pub(super) fn start(
        program: &Path,
        arguments: &[OsString],
        environment: &[(OsString, OsString)],
    ) -> Worker {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(environment.iter().cloned())
            .kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
        let pid = child
            .id()
            .expect("a child that was not waited for has an id");
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let pending: Pending = Arc::new(Mutex::new(Some(HashMap::new())));
        let (sender, incoming) = mpsc::unbounded_channel();
        let reader = tokio::spawn(read(stdout, Arc::clone(&pending), sender));
        Worker {
            child: AsyncMutex::new(child),
            pid,
            stdin: AsyncMutex::new(stdin),
            next: AtomicU64::new(1),
            pending,
            events: AsyncMutex::new(Inbox {
                kept: Vec::new(),
                incoming,
            }),
            reader,
        }
    }

    /// Runs a scenario and returns its answer. Several may run at once.
    ///
    /// # Errors
    /// If the scenario fails, the worker dies, or a minute is over.
    pub async fn ask(&self, scenario: &str, with: Value) -> Result<Value, WorkerError> {
        self.ask_within(PATIENCE, scenario, with).await
    }

    /// As [`Worker::ask`], with a limit.
    ///
    /// # Errors
    /// If the scenario fails, the worker dies, or the time is over.
    pub async fn ask_within(
        &self,
        limit: Duration,
        scenario: &str,
        with: Value,
    ) -> Result<Value, WorkerError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        lock(&self.pending)
            .as_mut()
            .ok_or(WorkerError::Died)?
            .insert(id, sender);
        let exchange = async {
            self.send(&Request {
                id,
                r#do: scenario.to_owned(),
                with,
            })
            .await?;
            answer.await.unwrap_or(Err(WorkerError::Died))
        };
        timeout(limit, exchange)
            .await
            .unwrap_or(Err(WorkerError::Late(limit)))
    }

    async fn send(&self, request: &Request) -> Result<(), WorkerError> {
        let mut line = serde_json::to_string(request).expect("values and strings are JSON");
        line.push('\n');
        let mut stdin = self.stdin.lock().await;
        let written = stdin.write_all(line.as_bytes()).await;
        written.map_err(|_| WorkerError::Died)
    }

    /// Waits for the next event of this name, which may have come already.
    ///
    /// # Errors
    /// If the worker dies, or a minute is over.
    pub async fn event(&self, name: &str) -> Result<Value, WorkerError> {
        let next = async {
            let mut inbox = self.events.lock().await;
            if let Some(index) = inbox.kept.iter().position(|(kept, _)| kept == name) {
                return Ok(inbox.kept.remove(index).1);
            }
            while let Some((event, data)) = inbox.incoming.recv().await {
                if event == name {
                    return Ok(data);
                }
                inbox.kept.push((event, data));
            }
            Err(WorkerError::Died)
        };
        timeout(PATIENCE, next)
            .await
            .unwrap_or(Err(WorkerError::Late(PATIENCE)))
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Pauses the process (SIGSTOP) and returns once it is paused.
    pub fn stop(&self) {
        signal::stop(self.pid);
    }

    /// Lets a paused process go on (SIGCONT).
    pub fn cont(&self) {
        signal::resume(self.pid);
    }

    /// Kills the process (SIGKILL) and returns when it is gone.
    pub async fn kill(&self) {
        let killed = self.child.lock().await.kill().await;
        killed.expect("a child can be killed, also a second time");
    }
}

async fn read(
    stdout: ChildStdout,
    pending: Pending,
    events: mpsc::UnboundedSender<(String, Value)>,
) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (id, answer) = match serde_json::from_str(&line) {
            Ok(Message::Done { id, ok }) => (id, Ok(ok)),
            Ok(Message::Failed { id, error }) => (id, Err(WorkerError::Failed(error))),
            Ok(Message::Event { event, data }) => {
                // The test may be over.
                let _ = events.send((event, data));
                continue;
            }
            Err(_) => {
                eprintln!("worker: {line}");
                continue;
            }
        };
        if let Some(waiter) = lock(&pending)
            .as_mut()
            .and_then(|pending| pending.remove(&id))
        {
            // Who gave up waiting is not there any more.
            let _ = waiter.send(answer);
        }
    }
    // Dropping the senders tells everybody who waits.
    *lock(&pending) = None;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}
