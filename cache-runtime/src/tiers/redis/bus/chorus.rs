//! The buses of a cluster as one.
//!
//! **Problem.** A cluster hands messages from node to node without an acknowledgement, and what it loses nobody notices (8 of 45 evictions
//! were lost with no beat late, measured). What happened to a key at one node is sure to be heard only at that node. And one node that hangs is not
//! to take the memory of the whole fleet with it.
//!
//! **Decision.** An instance subscribes at every primary, each with beats of its own. What concerns a key is said at its primary. What concerns more (a label, a
//! pattern, the registry) is said at every primary, and counts as said when most of them have taken it.
//!
//! * As long as most primaries are heard, everything about labels is, because any two majorities have one in common. The keys of those that are not
//!   heard are named to the listener ([`Listener::partly`]). Without a majority all is lost.
//! * Who is heard again may have said something meanwhile, and majorities at two moments need not have anybody in common: so that is another epoch.
//! * One whose sign of life is late counts as silent before its time has run out: else the time of all would run out with it.
//! * The last sign of life is the oldest of those that are heard. At the start nothing is believed until each primary is heard or has failed once.
//! * Copies of one message are heard once ([`Recent`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Recent;
use crate::bus::{Listener, News};
use crate::tiers::redis::endpoint::Address;

/// Beats come every second, and the listener believes for three: one that is later than this is named silent, at the next beat of another.
const LATE: u64 = 2_000;

/// Which of them an encoded logical key belongs to.
pub(in crate::tiers::redis) type Owner = Arc<dyn Fn(&str) -> Option<u64> + Send + Sync>;

/// All buses of one instance.
pub(in crate::tiers::redis) struct Chorus {
    listener: Arc<dyn Listener>,
    voices: Mutex<Voices>,
    recent: Arc<Mutex<Recent>>,
}

/// How one of them is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sign {
    /// Nothing is known yet.
    Nothing,
    /// The last sign of life was sent then.
    Heard(u64),
    Silent(String),
    /// It may not be heard, by what its server says.
    Unsupported(String),
}

struct Voices {
    /// Of all that have spoken, also of those that are not cast yet; those that left are forgotten with the next cast.
    signs: BTreeMap<u64, Sign>,
    /// Those that the bus consists of.
    cast: Vec<u64>,
    owner: Owner,
    /// Nothing is believed while the cast changes.
    hushed: bool,
    /// Whether the listener relies on them.
    relied_on: bool,
}

/// One of them.
struct Voice {
    chorus: Arc<Chorus>,
    id: u64,
    server: String,
}

impl Voices {
    fn signs(&self) -> impl Iterator<Item = (u64, &Sign)> {
        let sign = |id: &u64| (*id, self.signs.get(id).unwrap_or(&Sign::Nothing));
        self.cast.iter().map(sign)
    }

    /// The oldest sign of life of those that are heard, if that is enough of them.
    fn oldest(&self) -> Option<u64> {
        let is_open = self.signs().any(|(_, sign)| *sign == Sign::Nothing);
        let heard: Vec<u64> = self
            .signs()
            .filter_map(|(_, sign)| match sign {
                Sign::Heard(since) => Some(*since),
                _ => None,
            })
            .collect();
        let enough = heard.len() * 2 > self.cast.len() && !is_open;
        heard.into_iter().min().filter(|_| enough)
    }

    /// Names those silent whose last sign was sent too long before this moment; whether there are any.
    fn name_late(&mut self, now: u64) -> bool {
        let mut any = false;
        for id in &self.cast {
            if let Some(Sign::Heard(since)) = self.signs.get(id)
                && now.saturating_sub(*since) > LATE
            {
                let why = format!("no beat within {LATE} ms");
                self.signs.insert(*id, Sign::Silent(why));
                any = true;
            }
        }
        any
    }

    /// Why one that may not be heard may not.
    fn unsupported(&self) -> Option<&str> {
        self.signs().find_map(|(_, sign)| match sign {
            Sign::Unsupported(why) => Some(why.as_str()),
            _ => None,
        })
    }

    /// Those that are not heard, and why the first of them is not.
    fn silent(&self) -> Option<(Vec<u64>, &str)> {
        let mut silent = self.signs().filter_map(|(id, sign)| match sign {
            Sign::Silent(why) => Some((id, why.as_str())),
            _ => None,
        });
        let (first, why) = silent.next()?;
        let ids = std::iter::once(first).chain(silent.map(|(id, _)| id));
        Some((ids.collect(), why))
    }
}

impl Chorus {
    pub(in crate::tiers::redis) fn new(listener: Arc<dyn Listener>) -> Self {
        Self {
            listener,
            voices: Mutex::new(Voices {
                signs: BTreeMap::new(),
                cast: Vec::new(),
                owner: Arc::new(|_| None),
                hushed: false,
                relied_on: false,
            }),
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
        voices.relied_on = false;
        self.listener.lost(why);
    }

    /// Whom the bus consists of from here on, and whose each key is.
    pub(in crate::tiers::redis) fn cast(&self, ids: Vec<u64>, owner: Owner) {
        let mut voices = self.lock();
        voices.owner = owner;
        if voices.cast == ids && !voices.hushed {
            return;
        }
        voices.signs.retain(|id, _| ids.contains(id));
        voices.cast = ids;
        voices.hushed = false;
        self.begin(&mut voices);
    }

    /// Says that they are heard, if enough of them are.
    fn begin(&self, voices: &mut Voices) {
        if let Some(why) = voices.unsupported() {
            return self.listener.unsupported(why);
        }
        if let Some(oldest) = voices.oldest() {
            voices.relied_on = true;
            self.listener.subscribed(oldest);
            self.tell_silent(voices, oldest);
        }
    }

    fn tell_silent(&self, voices: &Voices, oldest: u64) {
        if let Some((silent, why)) = voices.silent() {
            let owner = Arc::clone(&voices.owner);
            let unheard = move |key: &str| owner(key).is_none_or(|owner| silent.contains(&owner));
            self.listener.partly(oldest, Arc::new(unheard), why);
        }
    }

    /// One of the cast is not heard any more.
    fn lose(&self, voices: &mut Voices, why: &str) {
        match voices.oldest().filter(|_| voices.relied_on) {
            Some(oldest) => self.tell_silent(voices, oldest),
            None => {
                voices.relied_on = false;
                self.listener.lost(why);
                self.begin(voices);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Voices> {
        self.voices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Voice {
    /// The same voice says something else; whether anything depends on it.
    fn says(&self, voices: &mut Voices, sign: Sign) -> bool {
        voices.signs.insert(self.id, sign);
        voices.cast.contains(&self.id)
    }

    /// What it has said meanwhile was missed, if anybody relies on the others.
    fn heard_again(&self, voices: &mut Voices, since: u64) {
        if !self.says(voices, Sign::Heard(since)) || voices.hushed {
            return;
        }
        if voices.relied_on {
            self.chorus.listener.lost(&self.why("heard again"));
        }
        self.chorus.begin(voices);
    }

    fn why(&self, why: &str) -> String {
        format!("{}: {why}", self.server)
    }
}

impl Listener for Voice {
    fn moment(&self) -> u64 {
        self.chorus.listener.moment()
    }

    fn subscribed(&self, since: u64) {
        self.heard_again(&mut self.chorus.lock(), since);
    }

    fn beat(&self, since: u64) {
        let mut voices = self.chorus.lock();
        if let Some(Sign::Silent(_)) = voices.signs.get(&self.id) {
            return self.heard_again(&mut voices, since);
        }
        self.says(&mut voices, Sign::Heard(since));
        if !voices.relied_on {
            return;
        }
        if voices.name_late(self.moment()) {
            self.chorus.lose(&mut voices, "beats are late");
        }
        if let Some(oldest) = voices.oldest().filter(|_| voices.relied_on) {
            self.chorus.listener.beat(oldest);
        }
    }

    fn lost(&self, why: &str) {
        let mut voices = self.chorus.lock();
        let why = self.why(why);
        if self.says(&mut voices, Sign::Silent(why.clone())) && !voices.hushed {
            self.chorus.lose(&mut voices, &why);
        }
    }

    fn unsupported(&self, why: &str) {
        let mut voices = self.chorus.lock();
        let why = self.why(why);
        if self.says(&mut voices, Sign::Unsupported(why)) && !voices.hushed {
            voices.relied_on = false;
            self.chorus.begin(&mut voices);
        }
    }

    /// Of no interest to who relies on nobody yet.
    fn news(&self, news: &News, own: bool) {
        let voices = self.chorus.lock();
        if voices.relied_on {
            self.chorus.listener.news(news, own);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::bus::Unheard;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>, AtomicU64);

    impl Heard {
        fn add(&self, word: String) {
            self.0.lock().unwrap().push(word);
        }
    }

    impl Listener for Heard {
        fn moment(&self) -> u64 {
            self.1.load(Ordering::SeqCst)
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
        fn partly(&self, since: u64, unheard: Unheard, why: &str) {
            let keys = ["one", "two", "three"].into_iter();
            let unheard: Vec<_> = keys.filter(|key| unheard(key)).collect();
            self.add(format!(
                "without {} since {since}: {why}",
                unheard.join(" ")
            ));
        }
        fn news(&self, _: &News, _: bool) {
            self.add("news".to_owned());
        }
    }

    /// Three voices, of which none is cast, and what the listener heard lately.
    struct Stage {
        chorus: Arc<Chorus>,
        heard: Arc<Heard>,
        one: Arc<dyn Listener>,
        two: Arc<dyn Listener>,
        three: Arc<dyn Listener>,
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
                three: voice(3, 3),
                chorus,
                heard,
            }
        }

        fn cast(&self, ids: &[u64]) {
            let owner = |key: &str| {
                Some(
                    ["", "one", "two", "three"]
                        .iter()
                        .position(|it| *it == key)? as u64,
                )
            };
            self.chorus.cast(ids.to_vec(), Arc::new(owner));
        }

        /// All three heard since 0.
        fn together() -> Self {
            let stage = Self::new();
            stage.cast(&[1, 2, 3]);
            for voice in [&stage.one, &stage.two, &stage.three] {
                voice.subscribed(0);
            }
            assert_eq!(stage.told(), ["subscribed 0"]);
            stage
        }

        fn told(&self) -> Vec<String> {
            std::mem::take(&mut self.heard.0.lock().unwrap())
        }
    }

    #[test]
    fn it_is_there_when_all_are_and_as_alive_as_the_oldest_sign() {
        let stage = Stage::new();
        stage.one.subscribed(5);
        stage.cast(&[1, 2]);
        assert_eq!(stage.told(), [""; 0]);
        stage.two.subscribed(7);
        assert_eq!(stage.told(), ["subscribed 5"]);
        stage.two.beat(9);
        assert_eq!(stage.told(), ["beat 5"]);
        stage.one.beat(10);
        assert_eq!(stage.told(), ["beat 9"]);
        stage.two.lost("gone");
        stage.one.beat(11);
        assert_eq!(stage.told(), ["lost h:2: gone"], "one of two is not most");
        stage.two.subscribed(12);
        assert_eq!(stage.told(), ["subscribed 11"]);
    }

    #[test]
    fn most_are_enough_for_all_but_the_keys_of_the_others() {
        let stage = Stage::together();
        stage.two.beat(4);
        stage.three.beat(5);
        stage.told();
        stage.one.lost("gone");
        assert_eq!(stage.told(), ["without one since 4: h:1: gone"]);
        stage.two.beat(6);
        assert_eq!(stage.told(), ["beat 5"]);
        stage.one.lost("still gone");
        stage.two.beat(7);
        assert_eq!(
            stage.told(),
            ["without one since 5: h:1: still gone", "beat 5"]
        );
        stage.two.lost("gone too");
        stage.three.beat(8);
        assert_eq!(stage.told(), ["lost h:2: gone too"]);
        stage.one.subscribed(9);
        assert_eq!(
            stage.told(),
            ["subscribed 8", "without two since 8: h:2: gone too"]
        );
    }

    #[test]
    fn one_that_is_late_is_silent_before_all_are_too_old() {
        let stage = Stage::together();
        stage.heard.1.store(LATE, Ordering::SeqCst);
        stage.three.beat(LATE);
        stage.two.beat(LATE);
        assert_eq!(stage.told(), ["beat 0", "beat 0"]);
        stage.heard.1.store(LATE + 1, Ordering::SeqCst);
        stage.two.beat(LATE + 1);
        let told = [
            "without one since 2000: no beat within 2000 ms",
            "beat 2000",
        ];
        assert_eq!(stage.told(), told);
        stage.one.beat(LATE + 1);
        assert_eq!(stage.told(), ["lost h:1: heard again", "subscribed 2000"]);
        stage.heard.1.store(3 * LATE, Ordering::SeqCst);
        stage.one.beat(3 * LATE);
        assert_eq!(
            stage.told(),
            ["lost beats are late"],
            "and most are too many"
        );
    }

    #[test]
    fn who_is_heard_again_begins_another_epoch() {
        let stage = Stage::together();
        stage.one.lost("gone");
        stage.told();
        stage.one.subscribed(3);
        assert_eq!(stage.told(), ["lost h:1: heard again", "subscribed 0"]);
    }

    #[test]
    fn who_is_down_from_the_start_is_waited_for_once() {
        let stage = Stage::new();
        stage.cast(&[1, 2, 3]);
        stage.one.subscribed(1);
        stage.two.subscribed(2);
        assert_eq!(stage.told(), [""; 0]);
        stage.three.lost("refused");
        let told = [
            "lost h:3: refused",
            "subscribed 1",
            "without three since 1: h:3: refused",
        ];
        assert_eq!(stage.told(), told);
    }

    #[test]
    fn nothing_is_said_to_who_relies_on_nobody() {
        let stage = Stage::new();
        stage.cast(&[1, 2]);
        let news = News::Anew;
        stage.one.subscribed(1);
        stage.one.news(&news, false);
        assert_eq!(stage.told(), [""; 0]);
        stage.two.subscribed(1);
        stage.one.news(&news, false);
        assert_eq!(stage.told(), ["subscribed 1", "news"]);
        stage.two.lost("gone");
        stage.one.news(&news, false);
        assert_eq!(stage.told(), ["lost h:2: gone"]);
    }

    #[test]
    fn another_cast_begins_anew_and_those_who_left_do_not_count() {
        let stage = Stage::new();
        stage.cast(&[1]);
        stage.one.subscribed(1);
        stage.chorus.hush("moved");
        assert_eq!(stage.told(), ["subscribed 1", "lost moved"]);
        stage.one.beat(2);
        stage.one.subscribed(2);
        stage.one.lost("gone");
        stage.one.subscribed(2);
        assert_eq!(stage.told(), [""; 0], "nothing is believed yet");
        stage.cast(&[1]);
        assert_eq!(stage.told(), ["subscribed 2"]);
        stage.chorus.hush("moved");
        stage.two.subscribed(3);
        stage.cast(&[2]);
        stage.one.lost("dropped");
        stage.one.unsupported("dropped");
        assert_eq!(stage.told(), ["lost moved", "subscribed 3"]);
    }

    #[test]
    fn one_that_may_not_be_heard_stands_above_one_that_is_not() {
        let stage = Stage::new();
        stage.cast(&[1, 2]);
        stage.one.unsupported("NOPERM");
        assert_eq!(stage.told(), ["unsupported h:1: NOPERM"]);
        stage.two.lost("gone");
        stage.two.subscribed(1);
        assert_eq!(stage.told().last().unwrap(), "unsupported h:1: NOPERM");
        stage.one.subscribed(2);
        assert_eq!(stage.told(), ["subscribed 1"]);
    }
}
