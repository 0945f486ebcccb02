//! Waiting for what happens soon, without guessing how soon.

use std::time::{Duration, Instant};

/// Far beyond anything under test, on any machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until the answer is `Some`, and returns what is in it.
///
/// # Panics
/// If it takes longer than [`PATIENCE`].
pub async fn some<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    some_within(PATIENCE, what, ask).await
}

/// [`some`], for what others than the code under test may take longer for.
///
/// # Panics
/// If it takes longer than this patience.
pub async fn some_within<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            started.elapsed() < patience,
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
