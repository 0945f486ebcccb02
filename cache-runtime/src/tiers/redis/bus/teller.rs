//! Who tells the listener, and the log.
//!
//! Attempts to subscribe fail again and again for one reason, and the listener begins another epoch at each word, so what was
//! told is remembered: a change of state is told once and logged once; the same state with another reason is told and not logged.
//!
//! During a rolling deploy every message of the other build may be one that cannot be read: each is told, and one a minute is logged.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::bus::{Listener, News};

const LOG_MISSES_EVERY: Duration = Duration::from_secs(60);

/// What the listener knows.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Subscribed,
    Lost(String),
    Unsupported(String),
}

pub(super) struct Teller {
    cache: String,
    listener: Arc<dyn Listener>,
    told: Told,
    /// When the last beat that came back was sent, by the listener's clock.
    since: u64,
    /// When a miss was logged.
    logged: Option<Instant>,
}

impl Teller {
    pub(super) fn new(cache: &str, listener: Arc<dyn Listener>) -> Self {
        Self {
            cache: cache.to_owned(),
            listener,
            told: Told::Nothing,
            since: 0,
            logged: None,
        }
    }

    /// Our own beat came back, sent at `since`.
    pub(super) fn beat(&mut self, since: u64) {
        self.since = since;
        if self.told == Told::Subscribed {
            self.listener.beat(since);
        } else {
            tracing::info!(cache = self.cache, "evictions of other processes are heard");
            self.told = Told::Subscribed;
            self.listener.subscribed(since);
        }
    }

    /// Something was missed, and nothing is from now on. Of no interest to who believes in nothing yet.
    pub(super) fn anew(&mut self, why: &str) {
        if self.told == Told::Subscribed {
            self.log_miss(why);
            self.listener.lost(why);
            self.listener.subscribed(self.since);
        }
    }

    fn log_miss(&mut self, why: &str) {
        let lately = |at: Instant| at.elapsed() < LOG_MISSES_EVERY;
        if !self.logged.is_some_and(lately) {
            self.logged = Some(Instant::now());
            tracing::warn!(cache = self.cache, why, "evictions may have been missed");
        }
    }

    pub(super) fn lost(&mut self, why: &str) {
        let next = Told::Lost(why.to_owned());
        if self.told == next {
            return;
        }
        if matches!(self.told, Told::Lost(_)) {
            tracing::debug!(cache = self.cache, why, "no subscription yet; retrying");
        } else {
            tracing::warn!(
                cache = self.cache,
                why,
                "evictions of other processes are not heard; subscribing again"
            );
        }
        self.told = next;
        self.listener.lost(why);
    }

    pub(super) fn unsupported(&mut self, why: &str) {
        let next = Told::Unsupported(why.to_owned());
        if self.told == next {
            return;
        }
        if !matches!(self.told, Told::Unsupported(_)) {
            tracing::warn!(
                cache = self.cache,
                why,
                "evictions of other processes cannot be heard here"
            );
        }
        self.told = next;
        self.listener.unsupported(why);
    }

    /// Whether anybody relies on what is said: not before the first beat.
    pub(super) fn is_relied_on(&self) -> bool {
        self.told == Told::Subscribed
    }

    /// Somebody said something.
    pub(super) fn news(&self, news: &News, own: bool) {
        if self.is_relied_on() {
            self.listener.news(news, own);
        }
    }
}

impl Drop for Teller {
    /// The task has ended, and the connection with it: its runtime is gone, or nobody wants it any more.
    fn drop(&mut self) {
        if self.told == Told::Subscribed {
            self.listener.lost("the task that listened has ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::bus::Gone;

    #[derive(Default)]
    struct Heard(Mutex<Vec<&'static str>>);

    impl Heard {
        fn add(&self, word: &'static str) {
            self.0.lock().unwrap().push(word);
        }
    }

    impl Listener for Heard {
        fn moment(&self) -> u64 {
            0
        }
        fn subscribed(&self, _: u64) {
            self.add("subscribed");
        }
        fn lost(&self, _: &str) {
            self.add("lost");
        }
        fn beat(&self, _: u64) {
            self.add("beat");
        }
        fn unsupported(&self, _: &str) {
            self.add("unsupported");
        }
        fn news(&self, _: &News, _: bool) {
            self.add("news");
        }
    }

    fn heard(act: impl FnOnce(&mut Teller)) -> Vec<&'static str> {
        let heard = Arc::new(Heard::default());
        let mut teller = Teller::new("shop", Arc::clone(&heard) as _);
        act(&mut teller);
        drop(teller);
        heard.0.lock().unwrap().clone()
    }

    #[test]
    fn one_reason_is_told_once_and_another_again() {
        let heard = heard(|teller| {
            for why in ["refused", "refused", "no answer", "no answer"] {
                teller.lost(why);
            }
            teller.unsupported("NOPERM");
            teller.unsupported("NOPERM");
            teller.lost("refused");
        });
        assert_eq!(heard, ["lost", "lost", "unsupported", "lost"]);
    }

    #[test]
    fn the_first_beat_is_the_subscription() {
        let heard = heard(|teller| {
            teller.beat(7);
            teller.beat(7);
            teller.lost("gone");
            teller.beat(7);
        });
        assert_eq!(heard, ["subscribed", "beat", "lost", "subscribed", "lost"]);
    }

    #[test]
    fn who_is_subscribed_is_told_of_the_end() {
        assert_eq!(heard(|_| {}), [""; 0]);
        assert_eq!(heard(|teller| teller.beat(7)), ["subscribed", "lost"]);
    }

    #[test]
    fn nothing_is_said_to_who_is_not_subscribed() {
        let news = News::Gone(Gone::default());
        let heard = heard(|teller| {
            teller.news(&news, false);
            teller.anew("no data");
            teller.beat(7);
            teller.news(&news, false);
            teller.anew("no data");
            teller.lost("gone");
            teller.news(&news, false);
        });
        assert_eq!(heard, ["subscribed", "news", "lost", "subscribed", "lost"]);
    }
}
