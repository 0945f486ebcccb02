//! When a connection counts as dead though nothing says so.
//!
//! Calls are not answered in time: five in a row, or half of twenty within a second (a server that answers every other one would never be
//! silent five times in a row). The breaker then *opens*: the connection is dropped, calls fail at once, and the supervisor, not a caller,
//! finds out when the server answers again (Nygard, *Release It!*, 2007).
//!
//! Between its opening and the drop of the connection the supervisor has to get its turn, and places become free that callers would take
//! to wait as long as those before them: so an open one is asked before each call.
//!
//! As long as every call is answered it costs two loads of flags that nobody writes. Counting begins with a silence, so what is
//! compared is the second after it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many calls in a row without an answer.
const IN_A_ROW: u32 = 5;
/// Or half of at least so many within this time.
const SAMPLE: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);

/// Counts the answers of one connection.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Whether anything is counted: there was a silence less than a window ago.
    counting: AtomicBool,
    /// Whether it has opened; it does not close, another connection has another one.
    open: AtomicBool,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// When the first silence of this window came.
    began: Option<Instant>,
    calls: u32,
    silences: u32,
    in_a_row: u32,
    opened: bool,
}

impl Breaker {
    /// A call was answered.
    pub(super) fn answered(&self) {
        if self.counting.load(Ordering::Relaxed) {
            self.count(false, Instant::now());
        }
    }

    /// A call was not answered in time; whether that was one too many, which is said once.
    pub(super) fn silent(&self) -> bool {
        self.count(true, Instant::now())
    }

    /// Whether nothing more is to be asked on this connection.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    fn count(&self, silent: bool, now: Instant) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let opens = counts.count(silent, now);
        self.counting
            .store(counts.began.is_some(), Ordering::Relaxed);
        if opens {
            self.open.store(true, Ordering::Relaxed);
        }
        opens
    }
}

impl Counts {
    fn count(&mut self, silent: bool, now: Instant) -> bool {
        let over = |began: Instant| now.saturating_duration_since(began) > WINDOW;
        if self.began.is_some_and(over) {
            *self = Self {
                in_a_row: self.in_a_row,
                opened: self.opened,
                ..Self::default()
            };
        }
        if silent {
            self.began.get_or_insert(now);
            self.silences += 1;
            self.in_a_row += 1;
        } else {
            self.in_a_row = 0;
        }
        self.calls += u32::from(self.began.is_some());
        let half = self.calls >= SAMPLE && self.silences * 2 >= self.calls;
        let opens = !self.opened && (half || self.in_a_row >= IN_A_ROW);
        self.opened |= opens;
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many calls it opens, one in every `gap`; `s` is a silence, anything else an answer.
    fn opens_after(calls: &str, gap: Duration) -> Option<usize> {
        let (breaker, start) = (Breaker::default(), Instant::now());
        let calls = (0..).zip(calls.chars());
        calls
            .filter(|(n, call)| breaker.count(*call == 's', start + gap * *n))
            .map(|(n, _)| n as usize + 1)
            .next()
    }

    const QUICK: Duration = Duration::from_millis(1);

    #[test]
    fn five_silences_in_a_row_open_it_however_far_apart() {
        for gap in [QUICK, Duration::from_secs(3)] {
            assert_eq!(opens_after("asssss", gap), Some(6));
            assert_eq!(opens_after("ssssassssassss", gap), None);
        }
    }

    #[test]
    fn half_of_twenty_within_a_second_open_it() {
        let half = "sa".repeat(30);
        assert_eq!(opens_after(&half, QUICK), Some(20));
        assert_eq!(opens_after(&half, Duration::from_millis(100)), None);
        assert_eq!(opens_after(&"saa".repeat(30), QUICK), None);
        // What was before the first silence does not excuse it.
        let late = "a".repeat(100) + &half;
        assert_eq!(opens_after(&late, QUICK), Some(120));
    }

    #[test]
    fn it_says_so_once() {
        let breaker = Breaker::default();
        assert!(!breaker.is_open());
        let said = (0..100).filter(|_| breaker.silent()).count();
        assert_eq!(said, 1);
        breaker.answered();
        assert!(breaker.is_open(), "for good");
    }

    #[test]
    fn nothing_is_counted_while_all_is_well() {
        let breaker = Breaker::default();
        breaker.answered();
        assert!(!breaker.counting.load(Ordering::Relaxed));
        breaker.silent();
        breaker.answered();
        assert!(breaker.counting.load(Ordering::Relaxed));
        breaker.count(false, Instant::now() + 2 * WINDOW);
        assert!(!breaker.counting.load(Ordering::Relaxed));
    }
}
