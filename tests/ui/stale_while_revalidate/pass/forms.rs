#![deny(warnings)]

use std::time::Duration;

use cache_runtime::{cache_put, cacheable};

const WINDOW: Duration = Duration::from_secs(60);

#[cacheable(key = "text:{id}", stale_while_revalidate = "30s", stale_if_error = "1h", retry_after = "2s")]
async fn text(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(key = "seconds:{id}", stale_while_revalidate = 30, stale_if_error = 60, retry_after = 2)]
async fn seconds(id: u64) -> Option<u64> {
    Some(id)
}

#[cacheable(key = "expression:{id}", stale_while_revalidate = WINDOW, stale_if_error = WINDOW * 2, retry_after = WINDOW / 30)]
async fn expression(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(key = "soft:{id}", soft_timeout = "100ms", stale_if_error = WINDOW)]
async fn soft(id: u64) -> u64 {
    id
}

// The load is awaited: nothing has to outlive the call.
#[cacheable(key = "borrowed:{text}", stale_if_error = "1h", retry_after = 1)]
async fn borrowed(text: &mut String) -> Result<usize, std::fmt::Error> {
    text.push('!');
    Ok(text.len())
}

#[cache_put(key = "text:{id}", stale_while_revalidate = "30s", stale_if_error = WINDOW)]
async fn update(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(text(1).await, Ok(1));
    assert_eq!(seconds(1).await, Some(1));
    assert_eq!(expression(1).await, Ok(1));
    assert_eq!(soft(1).await, 1);
    assert_eq!(borrowed(&mut "a".to_owned()).await, Ok(2));
    assert_eq!(update(2).await, 2);
}
