//! The buses of a cluster as one.
//!
//! **Problem.** A cluster hands messages from node to node without an acknowledgement, and what it loses nobody notices (8 of 45 evictions
//! were lost with no beat late, measured). What happened to keys at one node is sure to be heard only at that node.
//!
//! **Decision.** An instance subscribes at every primary, each with beats of its own, and the listener hears of them as of one: the bus is there when
//! each of them is, its last sign of life is the oldest of theirs, and it is lost with any of them. Copies of one message are heard once ([`Recent`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Recent;
use crate::bus::{Listener, News};
use crate::tiers::redis::endpoint::Address;

/// All buses of one instance.
pub(in crate::tiers::redis) struct Chorus {
    listener: Arc<dyn Listener>,
    voices: Mutex<Voices>,
    recent: Arc<Mutex<Recent>>,
}

/// The sign of life of each bus that has to be heard; none of one that is not.
#[derive(Default)]
struct Voices {
    cast: BTreeMap<u64, Option<u64>>,
    /// Those that may not be heard, by what their servers say.
    unsupported: BTreeMap<u64, String>,
    /// The signs of those that are not cast yet, or not any more.
    others: BTreeMap<u64, u64>,
    /// Nothing is believed while the cast changes.
    hushed: bool,
    /// Whether the listener was told that all are heard.
    together: bool,
}

/// One of them.
struct Voice {
    chorus: Arc<Chorus>,
    id: u64,
    server: String,
}

impl Voices {
    /// The oldest sign of life, if all are heard.
    fn oldest(&self) -> Option<u64> {
        let signs = self.cast.values().copied();
        let oldest = signs.reduce(|one, other| one?.min(other?).into()).flatten();
        oldest.filter(|_| !self.hushed)
    }
}

impl Chorus {
    pub(in crate::tiers::redis) fn new(listener: Arc<dyn Listener>) -> Self {
        Self {
            listener,
            voices: Mutex::default(),
            recent: Arc::default(),
        }
    }

    /// What all of them have heard lately.
    pub(in crate::tiers::redis) fn recent(&self) -> Arc<Mutex<Recent>> {
        Arc::clone(&self.recent)
    }

    /// The listener for the bus at one server.
    pub(in crate::tiers::redis) fn voice(
        self: &Arc<Self>,
        id: u64,
        server: &Address,
    ) -> Arc<dyn Listener> {
        Arc::new(Voice {
            chorus: Arc::clone(self),
            id,
            server: server.to_string(),
        })
    }

    /// Nothing is believed from here on, until there is a cast.
    pub(in crate::tiers::redis) fn hush(&self, why: &str) {
        let mut voices = self.lock();
        voices.hushed = true;
        self.lose(&mut voices, why);
    }

    /// Whom the bus consists of from here on.
    pub(in crate::tiers::redis) fn cast(&self, ids: Vec<u64>) {
        let mut voices = self.lock();
        let mut known = std::mem::take(&mut voices.others);
        for (id, sign) in std::mem::take(&mut voices.cast) {
            if let Some(sign) = sign {
                known.insert(id, sign);
            }
        }
        voices.cast = ids.iter().map(|id| (*id, known.remove(id))).collect();
        voices.unsupported.retain(|id, _| ids.contains(id));
        voices.hushed = false;
        self.tell(&mut voices);
    }

    /// Says that all are heard, if they are.
    fn tell(&self, voices: &mut Voices) {
        let Some(oldest) = voices.oldest() else {
            return;
        };
        if voices.together {
            self.listener.beat(oldest);
        } else {
            voices.together = true;
            self.listener.subscribed(oldest);
        }
    }

    fn lose(&self, voices: &mut Voices, why: &str) {
        voices.together = false;
        // That one cannot be heard at all stands above that another is not heard now.
        if voices.unsupported.is_empty() {
            self.listener.lost(why);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Voices> {
        self.voices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Voice {
    fn heard(&self, since: u64) {
        let mut voices = self.chorus.lock();
        voices.unsupported.remove(&self.id);
        match voices.cast.get_mut(&self.id) {
            Some(sign) => *sign = Some(since),
            // It may be cast later.
            None => drop(voices.others.insert(self.id, since)),
        }
        self.chorus.tell(&mut voices);
    }

    /// Whether anything depends on it.
    fn forget(&self, voices: &mut Voices) -> bool {
        voices.others.remove(&self.id);
        match voices.cast.get_mut(&self.id) {
            Some(sign) => {
                *sign = None;
                true
            }
            None => false,
        }
    }
}

impl Listener for Voice {
    fn moment(&self) -> u64 {
        self.chorus.listener.moment()
    }

    fn subscribed(&self, since: u64) {
        self.heard(since);
    }

    fn beat(&self, since: u64) {
        self.heard(since);
    }

    fn lost(&self, why: &str) {
        let mut voices = self.chorus.lock();
        voices.unsupported.remove(&self.id);
        if self.forget(&mut voices) {
            let why = format!("{}: {why}", self.server);
            self.chorus.lose(&mut voices, &why);
        }
    }

    fn unsupported(&self, why: &str) {
        let mut voices = self.chorus.lock();
        if self.forget(&mut voices) {
            let why = format!("{}: {why}", self.server);
            voices.together = false;
            self.chorus.listener.unsupported(&why);
            voices.unsupported.insert(self.id, why);
        }
    }

    /// Whoever is heard, some of them or all: what is gone is gone.
    fn news(&self, news: &News, own: bool) {
        self.chorus.listener.news(news, own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Heard {
        fn add(&self, word: String) {
            self.0.lock().unwrap().push(word);
        }
    }

    impl Listener for Heard {
        fn moment(&self) -> u64 {
            0
        }
        fn subscribed(&self, since: u64) {
            self.add(format!("subscribed {since}"));
        }
        fn lost(&self, why: &str) {
            self.add(format!("lost {why}"));
        }
        fn beat(&self, since: u64) {
            self.add(format!("beat {since}"));
        }
        fn unsupported(&self, why: &str) {
            self.add(format!("unsupported {why}"));
        }
        fn news(&self, _: &News, _: bool) {
            self.add("news".to_owned());
        }
    }

    /// Two voices, of which neither is cast, and what the listener heard lately.
    struct Stage {
        chorus: Arc<Chorus>,
        heard: Arc<Heard>,
        one: Arc<dyn Listener>,
        two: Arc<dyn Listener>,
    }

    impl Stage {
        fn new() -> Self {
            let heard = Arc::new(Heard::default());
            let chorus = Arc::new(Chorus::new(Arc::clone(&heard) as _));
            let voice = |id, port| {
                let host = "h".to_owned();
                chorus.voice(
                    id,
                    &Address::Tcp {
                        host,
                        port,
                        tls: false,
                    },
                )
            };
            Self {
                one: voice(1, 1),
                two: voice(2, 2),
                chorus,
                heard,
            }
        }

        fn told(&self) -> Vec<String> {
            std::mem::take(&mut self.heard.0.lock().unwrap())
        }
    }

    #[test]
    fn it_is_there_when_all_are_and_as_alive_as_the_oldest_sign() {
        let stage = Stage::new();
        stage.one.subscribed(5);
        stage.chorus.cast(vec![1, 2]);
        assert_eq!(stage.told(), [""; 0]);
        stage.two.subscribed(7);
        assert_eq!(stage.told(), ["subscribed 5"]);
        stage.two.beat(9);
        assert_eq!(stage.told(), ["beat 5"]);
        stage.one.beat(10);
        assert_eq!(stage.told(), ["beat 9"]);
        stage.two.lost("gone");
        stage.one.beat(11);
        assert_eq!(stage.told(), ["lost h:2: gone"]);
        stage.two.subscribed(12);
        assert_eq!(stage.told(), ["subscribed 11"]);
    }

    #[test]
    fn another_cast_begins_anew_and_those_who_left_do_not_count() {
        let stage = Stage::new();
        stage.chorus.cast(vec![1]);
        stage.one.subscribed(1);
        stage.chorus.hush("moved");
        assert_eq!(stage.told(), ["subscribed 1", "lost moved"]);
        stage.one.beat(2);
        assert_eq!(stage.told(), [""; 0], "nothing is believed yet");
        stage.chorus.cast(vec![1]);
        assert_eq!(stage.told(), ["subscribed 2"]);
        stage.chorus.hush("moved");
        stage.two.subscribed(3);
        stage.chorus.cast(vec![2]);
        stage.one.lost("dropped");
        stage.one.unsupported("dropped");
        assert_eq!(stage.told(), ["lost moved", "subscribed 3"]);
    }

    #[test]
    fn one_that_may_not_be_heard_stands_above_one_that_is_not() {
        let stage = Stage::new();
        stage.chorus.cast(vec![1, 2]);
        stage.one.unsupported("NOPERM");
        stage.two.lost("gone");
        stage.two.subscribed(1);
        assert_eq!(stage.told(), ["unsupported h:1: NOPERM"]);
        stage.one.subscribed(2);
        assert_eq!(stage.told(), ["subscribed 1"]);
    }
}
