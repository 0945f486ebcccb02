//! Several processes of one candidate at once: they begin together, and each learns what the others found.
//!
//! By files in the run's folder, one for each process and occasion, so that the server under test is not asked for anything.

use crate::run::Parameters;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

/// How long one waits for the others; one of them may have failed.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(2);
/// From the last one's arrival to the common start: all have looked by then.
const HEAD_START: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Fleet {
    folder: PathBuf,
    process: u64,
    processes: u64,
}

impl Fleet {
    pub(crate) fn of(parameters: &Parameters) -> Fleet {
        Fleet {
            folder: parameters.word("folder", ".").into(),
            process: parameters.number("process", 0),
            processes: parameters.number("processes", 1),
        }
    }

    /// Which one this is, from 0.
    pub(crate) fn process(&self) -> u64 {
        self.process
    }

    /// What each process has to say on this occasion. Blocks until all have said it.
    pub(crate) fn gather(&self, occasion: &str, mine: &str) -> Vec<String> {
        let name = |process| self.folder.join(format!("{occasion}-{process}"));
        let mine_is = "the folder is this run's own";
        let unfinished = self.folder.join(format!("unfinished-{}", self.process));
        fs::write(&unfinished, mine).expect(mine_is);
        fs::rename(unfinished, name(self.process)).expect(mine_is);
        let start = Instant::now();
        let told = |process| loop {
            if let Ok(text) = fs::read_to_string(name(process)) {
                return text;
            }
            assert!(start.elapsed() < PATIENCE, "process {process} is not there");
            thread::sleep(LOOK);
        };
        (0..self.processes).map(told).collect()
    }

    /// Returns in all processes at the same moment.
    pub(crate) fn together(&self, occasion: &str) {
        let arrived = self.gather(occasion, &now().as_nanos().to_string());
        let arrived = arrived.iter().filter_map(|text| text.parse().ok());
        let last = arrived.max().expect("this process is one of them");
        let start = Duration::from_nanos(last) + HEAD_START;
        thread::sleep(start.saturating_sub(now()));
    }
}

/// By the machine's clock, which all processes share.
pub(crate) fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970")
}

/// The moment by the machine's clock.
pub(crate) fn moment(instant: Instant) -> Duration {
    now() - instant.elapsed()
}
