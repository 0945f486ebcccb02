//! The server's time, between two answers of the server.
//!
//! Stamps are in the time of the server that holds the key, so that processes whose wall clocks differ
//! agree on them; nothing of the promise depends on it. Each reading says: at some moment between
//! sending and receiving, the server's clock showed this. That bounds the difference to our monotonic
//! clock from both sides, and the difference is moved just into the bounds: slow answers do not make
//! the clock wobble, and a step of the server's clock is followed at the next answer.
//!
//! Before the first answer it shows this machine's wall clock; nothing can have been stored then.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime};

/// A clock set by the server's answers.
#[derive(Debug)]
pub(super) struct ServerClock {
    start: Instant,
    /// Server time minus time since `start`, in milliseconds.
    ahead: AtomicI64,
}

impl ServerClock {
    pub(super) fn new() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let wall = wall.unwrap_or_default().as_millis();
        Self {
            start: Instant::now(),
            ahead: AtomicI64::new(i64::try_from(wall).unwrap_or_default()),
        }
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        let now = self.at(Instant::now()) + self.ahead.load(Ordering::Relaxed);
        u64::try_from(now).unwrap_or_default()
    }

    /// Takes in that the server's clock showed `shown` some time after `sent` and before now.
    pub(super) fn learn(&self, shown: i64, sent: Instant) {
        let least = shown.saturating_sub(self.at(Instant::now()));
        let most = shown.saturating_sub(self.at(sent)).max(least);
        let ahead = self.ahead.load(Ordering::Relaxed);
        if !(least..=most).contains(&ahead) {
            self.ahead
                .store(ahead.clamp(least, most), Ordering::Relaxed);
        }
    }

    fn at(&self, instant: Instant) -> i64 {
        let passed = instant.saturating_duration_since(self.start).as_millis();
        i64::try_from(passed).unwrap_or(i64::MAX / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_clock_follows_the_server_and_not_the_delay() {
        let clock = ServerClock::new();
        let before = clock.now();
        let hour = 3_600_000;
        let ahead = i64::try_from(before).unwrap() + hour;
        clock.learn(ahead, Instant::now());
        let shown = clock.now();
        assert!(
            shown.abs_diff(before + hour.unsigned_abs()) < 50,
            "{before} {shown}"
        );

        // An answer that took a second and was read at the server early in it.
        std::thread::sleep(Duration::from_millis(5));
        let sent = Instant::now()
            .checked_sub(Duration::from_secs(1))
            .unwrap_or(clock.start);
        clock.learn(i64::try_from(clock.now()).unwrap() - 1, sent);
        assert!(clock.now().abs_diff(shown) < 50);
    }
}
