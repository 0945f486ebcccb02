//! The annotated functions: what differs between them is what a schedule is about.

use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{cache_evict, cache_put, cacheable};

use super::Rows;

#[cacheable(key = "row:{row}", ttl = rows.ttl(row), tags = ["t:{row}"], stampede_protection = "fleet", wait_timeout = "1s")]
pub(super) async fn fleet<R: Rows>(rows: &R, row: usize) -> Result<u64, String> {
    rows.load(row).await
}

#[cacheable(key = "row:{row}", ttl = rows.ttl(row), tags = ["t:{row}"], jitter = 0.0, wait_timeout = "20ms")]
pub(super) async fn process<R: Rows>(rows: &R, row: usize) -> Result<u64, String> {
    rows.load(row).await
}

#[cacheable(key = "row:{row}", ttl = rows.ttl(row), tags = ["t:{row}"], stampede_protection = "off")]
pub(super) async fn off<R: Rows>(rows: &R, row: usize) -> Result<u64, String> {
    rows.load(row).await
}

/// Its tag is known only with the value.
#[cacheable(key = "late:{row}", ttl = rows.ttl(row), tags = ["t:{result.0}"], stampede_protection = "fleet", wait_timeout = "1s")]
pub(super) async fn late<R: Rows>(rows: &R, row: usize) -> Result<(usize, u64), String> {
    Ok((row, rows.load(row).await?))
}

#[cacheable(key = "mine:{row}", scope = "owner:{row}", ttl = rows.ttl(row), stampede_protection = "fleet", wait_timeout = "1s")]
pub(super) async fn scoped<R: Rows>(rows: &R, row: usize) -> Result<u64, String> {
    rows.load(row).await
}

/// Its entries carry the region `led`, and are evicted by regions below it.
#[cacheable(key = "led:{row}:of:{row}", ttl = rows.ttl(row), stampede_protection = "fleet", wait_timeout = "1s")]
pub(super) async fn led<R: Rows>(rows: &R, row: usize) -> Result<u64, String> {
    rows.load(row).await
}

#[cacheable(key = "local:{row}", ttl = rows.ttl(row), tags = ["t:{row}"], l2 = false)]
pub(super) async fn local<R: Rows>(rows: &R, row: usize) -> Result<u64, String> {
    rows.load(row).await
}

/// Without its result it is every region of the name.
#[cache_evict(region = "led:{result.0}:of", always)]
pub(super) async fn write_by_result<R: Rows>(
    rows: &R,
    row: usize,
    committed: &AtomicU64,
) -> Result<(usize,), String> {
    rows.commit(row, committed).await;
    if fastrand::bool() {
        return Err("the write is reported as failed".to_owned());
    }
    Ok((row,))
}

#[cache_evict(key = "row:{row}")]
pub(super) async fn write<R: Rows>(rows: &R, row: usize, committed: &AtomicU64) {
    rows.commit(row, committed).await;
}

#[cache_evict(tags = ["t:{row}"], scope = "owner:{row}")]
pub(super) async fn write_by_label<R: Rows>(rows: &R, row: usize, committed: &AtomicU64) {
    rows.commit(row, committed).await;
}

#[cache_put(key = "row:{row}", ttl = rows.ttl(row), tags = ["t:{row}"])]
pub(super) async fn put<R: Rows>(
    rows: &R,
    row: usize,
    committed: &AtomicU64,
) -> Result<u64, String> {
    rows.commit(row, committed).await;
    if fastrand::u8(..8) == 0 {
        return Err("the write is reported as failed".to_owned());
    }
    Ok(committed.load(Ordering::SeqCst))
}
