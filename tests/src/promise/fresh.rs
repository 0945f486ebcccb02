//! The functions that refresh, serve stale and give up, on the same entries as the others.

use std::time::Duration;

use cache_runtime::{
    Cache, Known, LoadTimeout, Policy, Refresh, StampedeProtection, cacheable, key,
};

use super::{Family, Origin};

/// How far beyond its ttl an entry of any of these functions may be served, in units.
pub(super) const WINDOW: u32 = 2;

#[cacheable(key = "row:{row}", ttl = origin.ttl(row), tags = ["t:{row}"], jitter = 0.0, stampede_protection = "fleet", wait_timeout = "1s",
    background_refresh = 0.4, stale_while_revalidate = origin.unit(), stale_if_error = origin.unit() * WINDOW, retry_after = origin.unit() / 2,
    soft_timeout = origin.unit() / 4)]
pub(super) async fn kept<O: Origin>(origin: O, row: usize) -> Result<u64, String> {
    origin.load(row).await
}

/// Errors are hidden; nobody waits long.
#[cacheable(key = "row:{row}", ttl = origin.ttl(row), tags = ["t:{row}"], jitter = 0.0, wait_timeout = "20ms",
    stale_if_error = origin.unit() * WINDOW, retry_after = origin.unit() / 4, soft_timeout = origin.unit() / 3,
    hard_timeout = origin.unit(), on_timeout = |late: LoadTimeout| late.to_string())]
pub(super) async fn hidden<O: Origin>(origin: O, row: usize) -> Result<u64, String> {
    origin.load(row).await
}

/// What is stale is served by nothing but the soft timeout, and only after `expire`.
#[cacheable(key = "late:{row}", ttl = origin.ttl(row), tags = ["t:{result.0}"], jitter = 0.0, stampede_protection = "fleet", wait_timeout = "1s",
    refresh_every = origin.unit(), idle = origin.unit() * 3, soft_timeout = origin.unit() / 4)]
pub(super) async fn timed<O: Origin>(origin: O, row: usize) -> Result<(usize, u64), String> {
    Ok((row, origin.load(row).await?))
}

/// Its tag is known only with the value, and it is served when it is stale.
#[cacheable(key = "late:{row}", ttl = origin.ttl(row), tags = ["t:{result.0}"], jitter = 0.0, stampede_protection = "fleet", wait_timeout = "1s",
    early_refresh = 20.0, stale_while_revalidate = origin.unit() * WINDOW)]
pub(super) async fn late_kept<O: Origin>(origin: O, row: usize) -> Result<(usize, u64), String> {
    Ok((row, origin.load(row).await?))
}

#[cacheable(key = "local:{row}", ttl = origin.ttl(row), tags = ["t:{row}"], jitter = 0.0, l2 = false,
    background_refresh = 0.4, stale_while_revalidate = origin.unit(), stale_if_error = origin.unit() * WINDOW, retry_after = origin.unit() / 2)]
pub(super) async fn local_kept<O: Origin>(origin: O, row: usize) -> Result<u64, String> {
    origin.load(row).await
}

#[cacheable(key = "led:{row}:of:{row}", ttl = origin.ttl(row), jitter = 0.0, refresh_every = origin.unit(), idle = origin.unit() * 2,
    stale_while_revalidate = origin.unit() * WINDOW, stale_if_error = origin.unit(), retry_after = origin.unit() / 2)]
pub(super) async fn led_timed<O: Origin>(origin: O, row: usize) -> Result<u64, String> {
    origin.load(row).await
}

/// It knows nothing of the tags of what it finds, and has no origin.
pub(super) async fn late_failing<O: Origin>(
    cache: &Cache,
    origin: O,
    row: usize,
) -> Result<(usize, u64), String> {
    let unit = origin.unit();
    let policy = Policy::new()
        .stale_while_revalidate(unit / 2)
        .stale_if_error(unit * WINDOW)
        .retry_after(unit / 4)
        .soft_timeout(unit / 4);
    let load = move |_: Option<Known<(usize, u64)>>| {
        let origin = origin.clone();
        async move {
            origin.load(row).await?;
            Err("there is no origin".to_owned())
        }
    };
    cache
        .try_get_or_refresh(&key!("late:{row}"), &policy, load)
        .await
}

/// A loader that is told of the value in hand, and says whether it is still the one.
pub(super) async fn known<O: Origin>(cache: &Cache, origin: O, row: usize) -> Result<u64, String> {
    let (owner, unit) = (format!("owner:{row}"), origin.unit());
    let policy = Policy::new()
        .ttl(origin.ttl(row))
        .jitter(0.0)
        .stampede_protection(StampedeProtection::Fleet)
        .wait_timeout(Duration::from_secs(1))
        .background_refresh(0.4)
        .stale_while_revalidate(unit)
        .stale_if_error(unit * WINDOW)
        .retry_after(unit / 2)
        .soft_timeout(unit / 4);
    let load = move |known: Option<Known<u64>>| {
        let origin = origin.clone();
        let known = known.map(|known| *known.value());
        if let Some(known) = known {
            origin.knew(Family::Scoped, row, known);
        }
        async move {
            let version = origin.load(row).await?;
            if known == Some(version) {
                Ok(Refresh::NotModified)
            } else {
                Ok(Refresh::Value(version))
            }
        }
    };
    let key = key!("mine:{row}").in_scope(&owner);
    cache.try_get_or_refresh(&key, &policy, load).await
}
