use std::time::Instant;

use serde_json::json;

use super::*;
use std::time::Duration;

/// A worker in a few lines of shell: answers every request with its own process id, after an event.
const SHELL: &str = r#"
echo '{"event":"ready","data":null}'
while read -r line; do
  id=${line#*'"id":'}; id=${id%%,*}
  case $line in
    *'"fail"'*) echo "{\"id\":$id,\"error\":\"no luck\"}" ;;
    *'"exit"'*) exit 1 ;;
    *'"nothing"'*) ;;
    *) echo '{"event":"asked","data":1}'; echo "{\"id\":$id,\"ok\":$$}" ;;
  esac
done
"#;

async fn fleet(count: usize) -> Fleet {
    Fleet::builder()
        .program("sh")
        .args(["-c", SHELL])
        .spawn(count)
        .await
}

#[tokio::test]
async fn every_worker_answers_for_itself() {
    let fleet = fleet(3).await;
    let answers = fleet.ask_all("ping", json!({ "n": 1 })).await;
    let expected: Vec<_> = fleet
        .workers()
        .map(|worker| Ok(json!(worker.pid())))
        .collect();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn events_are_kept_until_they_are_asked_for() {
    let fleet = fleet(1).await;
    let worker = fleet.worker(0);
    worker.ask("ping", Value::Null).await.expect("it answers");
    assert_eq!(worker.event("asked").await, Ok(json!(1)));
}

#[tokio::test]
async fn failure_death_and_lateness_are_told_apart() {
    let fleet = fleet(1).await;
    let worker = fleet.worker(0);
    assert_eq!(
        worker.ask("fail", Value::Null).await,
        Err(WorkerError::Failed("no luck".into()))
    );
    let limit = Duration::from_millis(50);
    assert_eq!(
        worker.ask_within(limit, "nothing", Value::Null).await,
        Err(WorkerError::Late(limit))
    );
    assert_eq!(
        worker.ask("exit", Value::Null).await,
        Err(WorkerError::Died)
    );
    assert_eq!(
        worker.ask("ping", Value::Null).await,
        Err(WorkerError::Died)
    );
    assert_eq!(worker.event("never").await, Err(WorkerError::Died));
}

#[tokio::test]
async fn paused_worker_is_late_and_goes_on() {
    let fleet = fleet(2).await;
    let paused = fleet.worker(0);
    paused.stop();
    let limit = Duration::from_millis(100);
    assert_eq!(
        paused.ask_within(limit, "ping", Value::Null).await,
        Err(WorkerError::Late(limit))
    );
    assert!(fleet.worker(1).ask("ping", Value::Null).await.is_ok());
    paused.cont();
    assert_eq!(
        paused.ask("ping", Value::Null).await,
        Ok(json!(paused.pid()))
    );
}

#[tokio::test]
async fn killed_worker_fails_whoever_waits_for_it() {
    let fleet = fleet(1).await;
    let worker = fleet.worker(0);
    let started = Instant::now();
    let (answer, ()) = tokio::join!(worker.ask("nothing", Value::Null), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        worker.kill().await;
    });
    assert_eq!(answer, Err(WorkerError::Died));
    assert!(started.elapsed() < Duration::from_secs(5));
    worker.kill().await;
}
