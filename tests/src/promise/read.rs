//! One read of a row, in one of all the ways there are.

use std::time::Duration;

use cache_runtime::{Cache, Served, Why, key, refresh, traced};

use super::fresh::{
    self, hidden, kept, known, late_failing, late_kept, led_timed, local_kept, timed,
};
use super::functions::{fleet, late, led, local, off, process, scoped};
use super::{Family, Rows, dropped_sometimes};

/// The way a row is read.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the function of its name")]
pub enum How {
    Fleet,
    Process,
    Off,
    Late,
    LateAnew,
    /// By `Cache::get`, which knows nothing of the tags of what it finds.
    LateByHand,
    Scoped,
    Led,
    Local,
    Kept,
    KeptAnew,
    Hidden,
    Timed,
    LateKept,
    LocalKept,
    LedTimed,
    /// By `Cache::try_get_or_refresh`.
    Known,
    /// By `Cache::try_get_or_refresh`, whose loader fails.
    LateFailing,
}

/// What came of it.
#[derive(Debug)]
pub struct Read {
    /// The version, unless the read failed or was dropped.
    pub version: Option<u64>,
    /// How it was served, if it was.
    pub served: Option<Served>,
}

impl How {
    /// One of them, or only of those that most functions are like: the fewer entries there are, the more calls meet.
    pub fn any(of_all: bool) -> Self {
        match fastrand::u8(..if of_all { 16 } else { 12 }) {
            0..4 => Self::Fleet,
            4..6 => Self::Process,
            6 => Self::Off,
            7 => Self::LateAnew,
            8 => Self::Late,
            9 => Self::LateByHand,
            10 | 11 => Self::Scoped,
            12 | 13 => Self::Led,
            _ => Self::Local,
        }
    }

    /// One that refreshes, serves stale or gives up, beside some that do not.
    pub fn any_fresh(of_all: bool) -> Self {
        match fastrand::u8(..if of_all { 20 } else { 16 }) {
            0..5 => Self::Kept,
            5 => Self::KeptAnew,
            6 | 7 => Self::Hidden,
            8 | 9 => Self::Timed,
            10 => Self::LateKept,
            11 | 12 => Self::Known,
            13 => Self::LateFailing,
            14 | 15 => Self::any(of_all),
            16 | 17 => Self::LocalKept,
            _ => Self::LedTimed,
        }
    }

    /// How long beyond its ttl a value may be served for this reason; `None`: not at all. Entries are shared, and what a patient function has stored
    /// is there for all.
    pub fn window(self, why: Why, unit: Duration) -> Option<Duration> {
        let longest = unit * fresh::WINDOW;
        match (self, why) {
            (Self::Kept | Self::LocalKept | Self::Known, Why::Revalidating) => Some(unit),
            (Self::LateKept | Self::LedTimed, Why::Revalidating) => Some(longest),
            (Self::LateFailing, Why::Revalidating) => Some(unit / 2),
            (Self::LedTimed, Why::Failed | Why::Throttled | Why::WaitTimeout) => Some(unit),
            (
                Self::Kept | Self::LocalKept | Self::Known | Self::Hidden | Self::LateFailing,
                Why::Failed | Why::Throttled | Why::WaitTimeout,
            ) => Some(longest),
            (Self::Hidden, Why::HardTimeout) => Some(longest),
            (
                Self::Kept | Self::Known | Self::Hidden | Self::Timed | Self::LateFailing,
                Why::SoftTimeout,
            ) => Some(longest),
            _ => None,
        }
    }

    /// Whose entry it is.
    pub fn family(self) -> Family {
        match self {
            Self::Fleet
            | Self::Process
            | Self::Off
            | Self::Kept
            | Self::KeptAnew
            | Self::Hidden => Family::Row,
            Self::Late
            | Self::LateAnew
            | Self::LateByHand
            | Self::Timed
            | Self::LateKept
            | Self::LateFailing => Family::Late,
            Self::Scoped | Self::Known => Family::Scoped,
            Self::Led | Self::LedTimed => Family::Led,
            Self::Local | Self::LocalKept => Family::Local,
        }
    }

    /// Reads, and is dropped sometimes.
    pub async fn read(self, rows: &impl Rows, cache: &Cache, row: usize) -> Read {
        let read = async {
            match self {
                Self::Fleet => fleet(rows, row).await.ok(),
                Self::Process => process(rows, row).await.ok(),
                Self::Off => off(rows, row).await.ok(),
                Self::Late => second(late(rows, row).await.ok()),
                Self::LateAnew => second(refresh(late(rows, row)).await.ok()),
                Self::LateByHand => second(cache.get(&key!("late:{row}")).await),
                Self::Scoped => scoped(rows, row).await.ok(),
                Self::Led => led(rows, row).await.ok(),
                Self::Local => local(rows, row).await.ok(),
                Self::Kept => kept(rows.origin(), row).await.ok(),
                Self::KeptAnew => refresh(kept(rows.origin(), row)).await.ok(),
                Self::Hidden => hidden(rows.origin(), row).await.ok(),
                Self::Timed => second(timed(rows.origin(), row).await.ok()),
                Self::LateKept => second(late_kept(rows.origin(), row).await.ok()),
                Self::LocalKept => local_kept(rows.origin(), row).await.ok(),
                Self::LedTimed => led_timed(rows.origin(), row).await.ok(),
                Self::LateFailing => second(late_failing(cache, rows.origin(), row).await.ok()),
                Self::Known => known(cache, rows.origin(), row).await.ok(),
            }
        };
        let read = dropped_sometimes(rows, cache.as_current(traced(read))).await;
        let (version, served) = read.unwrap_or_default();
        Read { version, served }
    }
}

fn second(found: Option<(usize, u64)>) -> Option<u64> {
    found.map(|(_, version)| version)
}
