//! Waiting for what happens soon, without guessing how soon.

use std::time::{Duration, Instant};

/// Far beyond anything under test, on any machine: Sentinels on a machine that stood still rest for half a minute, more than once if it does
/// so again.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// Asks until the answer is `Some`, and returns what is in it.
///
/// # Panics
/// If it takes longer than [`PATIENCE`].
pub async fn some<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "it never came true that {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Asks until the answer is yes.
///
/// # Panics
/// If it takes longer than [`PATIENCE`].
pub async fn holds(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    some(what, async || ask().await.then_some(())).await;
}
