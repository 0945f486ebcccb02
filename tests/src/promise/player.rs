//! A process that plays its part, as who directs it sees it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::judge::Judge;
use super::part::{BATCH, Left, Plan};
use super::records::now;
use crate::fleet::{Fleet, WorkerError};

/// Longer than a process may take to end its part, deliveries included.
const AT_MOST: Duration = Duration::from_secs(40);

/// One process; dropping it kills the process.
#[derive(Debug)]
pub struct Player {
    fleet: Arc<Fleet>,
    /// What it answers at its end.
    part: JoinHandle<Result<Value, WorkerError>>,
    listener: JoinHandle<()>,
}

impl Player {
    /// Starts a process, whose number no other may have; the judge hears all that it tells.
    pub async fn start(number: usize, plan: Plan, judge: &Arc<Mutex<Judge>>) -> Self {
        let fleet = Arc::new(Fleet::builder().spawn(1).await);
        let within = Duration::from_nanos(plan.end.saturating_sub(now())) + AT_MOST;
        let playing = Arc::clone(&fleet);
        let part = tokio::spawn(async move {
            let worker = playing.worker(0);
            worker.ask_within(within, "promise", json!(plan)).await
        });
        let (telling, judge) = (Arc::clone(&fleet), Arc::clone(judge));
        let listener = tokio::spawn(async move {
            while let Ok(batch) = telling.worker(0).event(BATCH).await {
                let batch = serde_json::from_value(batch).expect("a process tells batches");
                judge.lock().expect("no holder panics").hear(number, batch);
            }
        });
        Self {
            fleet,
            part,
            listener,
        }
    }

    /// Kills the process (SIGKILL); what it told before is told.
    ///
    /// # Panics
    /// If it told what nobody understands.
    pub async fn kill(&mut self) {
        self.fleet.worker(0).kill().await;
        self.part.abort();
        (&mut self.listener).await.expect("every batch is read");
    }

    /// Pauses it (SIGSTOP, SIGCONT).
    pub async fn stop(&mut self, lasts: Duration) {
        self.fleet.worker(0).stop();
        sleep(lasts).await;
        self.fleet.worker(0).cont();
    }

    /// Waits until it has ended its part, with nothing left to deliver or under way.
    ///
    /// # Panics
    /// If it has not, or something is left.
    pub async fn end(&mut self) {
        let left = (&mut self.part).await.expect("asking does not panic");
        let left = left.unwrap_or_else(|error| panic!("a process: {error}"));
        assert_eq!(left, json!(Left::default()), "nothing is left undelivered");
        self.kill().await;
    }
}
