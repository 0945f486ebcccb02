//! One read of a row, in one of all the ways there are.

use cache_runtime::{Cache, Served, key, refresh, traced};

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

    /// Whose entry it is.
    pub fn family(self) -> Family {
        match self {
            Self::Fleet | Self::Process | Self::Off => Family::Row,
            Self::Late | Self::LateAnew | Self::LateByHand => Family::Late,
            Self::Scoped => Family::Scoped,
            Self::Led => Family::Led,
            Self::Local => Family::Local,
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
