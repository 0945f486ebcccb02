//! An origin that notes every load, and a log of calls and events in one order.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cache_runtime::{Cache, LoadTimeout, Served};
use tokio::time::{Instant, sleep};

use crate::origin::{MILLI, SECOND};

/// How loads go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    #[default]
    Fine,
    Fails,
    Slow,
    Panics,
}

impl Way {
    pub(super) const fn takes(self) -> Duration {
        match self {
            Self::Slow => SECOND.saturating_mul(2),
            _ => MILLI.saturating_mul(40),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Down,
    Late(Duration),
}

impl From<LoadTimeout> for Failure {
    fn from(timeout: LoadTimeout) -> Self {
        Self::Late(timeout.after())
    }
}

/// A point of time, and its place among all that is noted: many things happen at one time of a paused clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) order: usize,
    pub(super) at: Instant,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) key: u64,
    pub(super) begun: Moment,
    pub(super) way: Way,
    /// And whether it brought a value, which is its number in the log.
    pub(super) ended: Option<(Moment, bool)>,
}

/// What became of a call.
#[derive(Clone, Debug)]
pub(super) enum Answered {
    With(Result<u64, Failure>, Option<Served>),
    Panicked,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) key: u64,
    pub(super) begun: Moment,
    pub(super) ended: Moment,
    pub(super) answered: Answered,
}

/// An eviction, or an expiry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub(super) begun: Moment,
    pub(super) ended: Moment,
    pub(super) evicts: bool,
}

#[derive(Debug, Default)]
pub(super) struct Notes {
    order: usize,
    pub(super) way: Way,
    pub(super) loads: Vec<Load>,
    pub(super) calls: Vec<Call>,
    pub(super) changes: Vec<Changed>,
}

/// All that happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Notes>>);

/// A process that asks.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) cache: Cache,
    pub(super) log: Log,
}

impl Notes {
    fn now(&mut self) -> Moment {
        self.order += 1;
        Moment {
            order: self.order,
            at: Instant::now(),
        }
    }
}

impl Log {
    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().expect("no holder panics")
    }

    pub(super) fn now(&self) -> Moment {
        self.notes().now()
    }

    /// One load; its value is its number.
    pub(super) async fn load(&self, key: u64) -> Result<u64, Failure> {
        let (number, way) = {
            let mut notes = self.notes();
            let (begun, way) = (notes.now(), notes.way);
            notes.loads.push(Load {
                key,
                begun,
                way,
                ended: None,
            });
            (notes.loads.len() - 1, way)
        };
        let mut ends = Ends(self.clone(), number, false);
        sleep(way.takes()).await;
        match way {
            Way::Fails => Err(Failure::Down),
            Way::Panics => std::panic::resume_unwind(Box::new("on purpose")),
            Way::Fine | Way::Slow => {
                ends.2 = true;
                Ok(number as u64)
            }
        }
    }
}

/// Notes the end of a load, however it ends.
struct Ends(Log, usize, bool);

impl Drop for Ends {
    fn drop(&mut self) {
        let mut notes = self.0.notes();
        let now = notes.now();
        notes.loads[self.1].ended = Some((now, self.2));
    }
}
