//! One write to a row, and the eviction of what shows it, in one of all the ways there are.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, key};

use super::functions::{put, write, write_by_label, write_by_result};
use super::{Family, Reach, Rows, dropped_sometimes};

const BY_KEY: [Reach; 5] = [
    Reach::Key(Family::Row),
    Reach::Key(Family::Late),
    Reach::Key(Family::Scoped),
    Reach::Key(Family::Led),
    Reach::Key(Family::Local),
];
/// Those that tags and scopes reach come first.
const BY_LABEL: [Reach; 5] = [
    Reach::Label(Family::Row),
    Reach::Label(Family::Late),
    Reach::Label(Family::Scoped),
    Reach::Label(Family::Local),
    Reach::Label(Family::Led),
];

/// What is known of Redis's part in a write that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redis {
    /// It has confirmed.
    Confirmed,
    /// It has not: the eviction is queued.
    Refused,
    /// It has confirmed, or the eviction is queued; the function does not say.
    Untold,
    /// The write was dropped: the eviction is done in this process, and begun in Redis or queued.
    Dropped,
}

/// A write that is complete in its own process.
#[derive(Clone, Debug)]
pub struct Write {
    /// What the row is now; 0 if it was not changed.
    pub version: u64,
    /// Which entries were evicted, and how.
    pub reach: &'static [Reach],
    /// What is known of the rest of the fleet.
    pub redis: Redis,
    /// Not evicted: past its ttl, and no more.
    pub expired: bool,
}

impl Write {
    /// Writes and evicts, and is dropped sometimes.
    pub async fn any(rows: &impl Rows, cache: &Cache, row: usize) -> Self {
        let committed = AtomicU64::new(0);
        match fastrand::u8(..10) {
            0 => {
                let write = write(rows, row, &committed);
                annotated(rows, cache, write, &committed, &BY_KEY[..1]).await
            }
            1 | 2 => {
                let write = write_by_label(rows, row, &committed);
                annotated(rows, cache, write, &committed, &BY_LABEL[..4]).await
            }
            3 => {
                let put = put(rows, row, &committed);
                annotated(rows, cache, put, &committed, &BY_KEY[..1]).await
            }
            4 => {
                let write = write_by_result(rows, row, &committed);
                annotated(rows, cache, write, &committed, &BY_LABEL[4..]).await
            }
            _ => {
                rows.commit(row, &committed).await;
                by_hand(rows, cache, row, committed.into_inner()).await
            }
        }
    }
}

/// Dropped or not, the eviction is done in this process; the attribute does not say what Redis did.
async fn annotated(
    rows: &impl Rows,
    cache: &Cache,
    write: impl Future,
    committed: &AtomicU64,
    reach: &'static [Reach],
) -> Write {
    let done = dropped_sometimes(rows, cache.as_current(write)).await;
    let redis = done.map_or(Redis::Dropped, |_| Redis::Untold);
    let version = committed.load(Ordering::SeqCst);
    Write {
        version,
        reach,
        redis,
        expired: false,
    }
}

/// An eviction runs to its end once it was polled, and what is dropped here was.
async fn by_hand(rows: &impl Rows, cache: &Cache, row: usize, version: u64) -> Write {
    let (what, reach) = ways(row, rows.reaches_others());
    rows.tell(format_args!("evicting {what:?}"));
    let expired = AtomicBool::new(false);
    let evicting = async {
        if fastrand::u8(..3) == 0 {
            expired.store(true, Ordering::SeqCst);
            cache.expire(what).await
        } else {
            cache.evict(what).await
        }
    };
    let redis = match dropped_sometimes(rows, evicting).await {
        Some(Ok(())) => Redis::Confirmed,
        Some(Err(_)) => Redis::Refused,
        None => Redis::Dropped,
    };
    Write {
        version,
        reach,
        redis,
        expired: expired.into_inner(),
    }
}

/// An eviction of everything that shows a row, and perhaps of other rows.
fn ways(row: usize, others: bool) -> (Evict, &'static [Reach]) {
    let keys = || {
        let mine = key!("mine:{row}").in_scope(&format!("owner:{row}"));
        let led = key!("led:{row}:of:{row}");
        let local = key!("local:{row}");
        [key!("row:{row}"), key!("late:{row}"), mine, led, local]
    };
    let each = |one: fn(&str) -> Evict| {
        let literal = one("row").and(one("late")).and(one("mine"));
        literal.and(one("local")).and(one(&format!("led:{row}")))
    };
    let (what, reach): (_, &'static [Reach]) = match fastrand::u8(..if others { 7 } else { 4 }) {
        0 => (Evict::keys(keys()), &BY_KEY),
        1 | 2 => {
            let tag = Evict::tag(format!("t:{row}"));
            let tagged = tag.and(Evict::scope(format!("owner:{row}")));
            (tagged, &BY_LABEL[..4])
        }
        // No hold: a pattern that needs a scan has none.
        3 => return (Evict::pattern(format!("[rlm]*:{row}")), &BY_KEY),
        4 => (each(|region| Evict::region(region)), &BY_LABEL),
        5 => {
            let patterns = each(|region| Evict::pattern(format!("{region}:*")));
            (patterns, &BY_LABEL)
        }
        _ => (Evict::all(), &BY_LABEL),
    };
    let hold = Duration::from_millis(fastrand::u64(1..20));
    match fastrand::u8(..8) {
        0 => (what.hold(hold), reach),
        // What is held is not all that is evicted.
        1 => (Evict::key(Key::new("other")).hold(hold).and(what), reach),
        _ => (what, reach),
    }
}
