//! Whether memory may be believed: the epoch of the bus and its last sign of life.
//!
//! An *epoch* is a stretch of time in which no message can have been missed. It ends when the bus is lost and begins, as another one, when
//! the subscription is acknowledged: odd epochs are those without a bus. An entry is born in an epoch and is served in no other (but for
//! [`Memory::offline_grace`](crate::Memory::offline_grace)); nothing enters memory in an odd one.
//!
//! Of a store of several parts one may fall silent alone. Then the epoch goes on, and every hit is asked for its key as well: those of the silent part are
//! not served. When it is heard again, another epoch begins for all.
//!
//! A bus may also fall silent without being lost, and the process may be stopped, so every hit compares the last sign of life
//! itself, by the clock of the memory tier, which is read and not ticked.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::Unheard;
use crate::tags::Derived;

/// Without a beat for so long a message may have been missed: milliseconds.
const SILENCE: u64 = 3_000;
const EVER: u64 = u64::MAX;

/// How this process hears of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// There are no others.
    Alone,
    /// The subscription is being made, for the first time or again.
    Deaf(Arc<str>),
    Listening,
    /// The server does not let us subscribe, for this reason.
    NoBus(Arc<str>),
}

/// The part of the store that is not heard.
struct Silent {
    unheard: Unheard,
    why: Arc<str>,
}

impl std::fmt::Debug for Silent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

/// The state of the bus, as hits and loads see it. Times are milliseconds of the memory clock.
#[derive(Debug)]
pub(crate) struct Coherence {
    epoch: AtomicU64,
    /// Entries of this epoch and later are served.
    served_from: AtomicU64,
    /// And until then.
    served_until: AtomicU64,
    /// Until then the bus counts as healthy.
    healthy_until: AtomicU64,
    grace: u64,
    /// While a part is not heard, nothing is served without a look at its key, and until then with one.
    in_parts: AtomicBool,
    served_in_parts_until: AtomicU64,
    silent: RwLock<Option<Silent>>,
    hearing: Mutex<Hearing>,
    changed: Notify,
}

impl Coherence {
    /// Of a cache that shares its data with others, or does not.
    pub(crate) fn new(shared: bool, grace: Duration) -> Self {
        let (epoch, until, hearing) = if shared {
            (1, 0, Hearing::Deaf("not subscribed yet".into()))
        } else {
            (2, EVER, Hearing::Alone)
        };
        Self {
            epoch: AtomicU64::new(epoch),
            served_from: AtomicU64::new(epoch),
            served_until: AtomicU64::new(until),
            healthy_until: AtomicU64::new(until),
            grace: u64::try_from(grace.as_millis()).unwrap_or(EVER),
            in_parts: AtomicBool::new(false),
            served_in_parts_until: AtomicU64::new(0),
            silent: RwLock::new(None),
            hearing: Mutex::new(hearing),
            changed: Notify::new(),
        }
    }

    /// The epoch a flight registers in.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Whether an entry may be served at `now`.
    #[inline]
    pub(crate) fn serves(&self, entry: &impl Derived, now: u64) -> bool {
        self.stands(entry) && now < self.served_until.load(Ordering::SeqCst)
    }

    /// The same for who was refused that: while a part is not heard, an entry of another part may be served.
    pub(crate) fn serves_in_parts(&self, entry: &impl Derived, now: u64, key: &[u8]) -> bool {
        now < self.served_in_parts_until.load(Ordering::SeqCst)
            && self.stands(entry)
            && self.hears(key)
    }

    /// Whether an entry may be served past its ttl: its labels were expired since, at most.
    pub(crate) fn keeps(&self, entry: &impl Derived, now: u64, key: &[u8]) -> bool {
        let believed = now < self.served_until.load(Ordering::SeqCst)
            || (now < self.served_in_parts_until.load(Ordering::SeqCst) && self.hears(key));
        believed && self.served_from.load(Ordering::SeqCst) <= entry.epoch() && entry.stands()
    }

    /// Whether an entry is of an epoch that counts, and its labels are what they were.
    #[inline]
    fn stands(&self, entry: &impl Derived) -> bool {
        self.served_from.load(Ordering::SeqCst) <= entry.epoch() && entry.is_current()
    }

    /// Whether a key is of a part that is heard, if any is not.
    pub(crate) fn hears(&self, key: &[u8]) -> bool {
        if !self.in_parts.load(Ordering::SeqCst) {
            return true;
        }
        let silent = self.silent.read().unwrap_or_else(PoisonError::into_inner);
        let key = std::str::from_utf8(key);
        match (&*silent, key) {
            (Some(silent), Ok(key)) => !(silent.unheard)(key),
            _ => false,
        }
    }

    /// Why a part is not heard, if one is not.
    pub(crate) fn silence(&self) -> Option<Arc<str>> {
        let silent = self.silent.read().unwrap_or_else(PoisonError::into_inner);
        silent.as_ref().map(|silent| Arc::clone(&silent.why))
    }

    /// Whether what was registered in `epoch` may go into memory.
    pub(crate) fn accepts(&self, epoch: u64) -> bool {
        epoch.is_multiple_of(2) && epoch == self.epoch()
    }

    /// The epoch, while every message is heard: what is known of labels then is believed.
    pub(crate) fn listening(&self, now: u64) -> Option<u64> {
        let epoch = self.epoch();
        (epoch.is_multiple_of(2) && now < self.healthy_until.load(Ordering::SeqCst))
            .then_some(epoch)
    }

    pub(crate) fn hearing(&self) -> Hearing {
        self.lock().clone()
    }

    /// Whether memory is filled without anybody telling of evictions.
    pub(crate) fn is_without_bus(&self) -> bool {
        matches!(*self.lock(), Hearing::NoBus(_))
    }

    /// Waits until it is known how this process hears of others: every message, or none.
    pub(crate) async fn decided(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if !matches!(self.hearing(), Hearing::Deaf(_)) {
                return;
            }
            changed.await;
        }
    }

    /// The subscription was acknowledged; the sign of life was sent at `since`.
    pub(crate) fn subscribed(&self, since: u64) {
        let mut hearing = self.lock();
        self.set_silent(None);
        self.resume(&mut hearing, since);
    }

    /// The same after a silence, and nothing is known to be heard that was not before.
    pub(crate) fn resumed(&self, since: u64) {
        let mut hearing = self.lock();
        self.resume(&mut hearing, since);
    }

    fn resume(&self, hearing: &mut Hearing, since: u64) {
        self.begin(Parity::Listening);
        self.alive(since);
        *hearing = Hearing::Listening;
        self.changed.notify_waiters();
    }

    /// Some keys are not heard any more, the others are, by a sign of life that was sent at `since`. `false`: that is too long ago, and all may have been
    /// missed.
    pub(crate) fn partly(&self, since: u64, now: u64, unheard: Unheard, why: &str) -> bool {
        let hearing = self.lock();
        let why = why.into();
        self.set_silent(Some(Silent { unheard, why }));
        let in_time = *hearing == Hearing::Listening && now < since.saturating_add(SILENCE);
        self.alive_if(in_time, since)
    }

    fn set_silent(&self, silent: Option<Silent>) {
        let in_parts = silent.is_some();
        // In this order, whoever is told that there are parts finds what they are.
        *self.silent.write().unwrap_or_else(PoisonError::into_inner) = silent;
        self.in_parts.store(in_parts, Ordering::SeqCst);
        if in_parts {
            self.served_until.store(0, Ordering::SeqCst);
        } else {
            self.served_in_parts_until.store(0, Ordering::SeqCst);
        }
    }

    /// Something may have been missed.
    pub(crate) fn lost(&self, why: &str, now: u64) {
        let mut hearing = self.lock();
        self.healthy_until.store(0, Ordering::SeqCst);
        self.served_in_parts_until.store(0, Ordering::SeqCst);
        match std::mem::replace(&mut *hearing, Hearing::Deaf(why.into())) {
            Hearing::Listening if self.grace > 0 => {
                // What is there may be served a little longer; nothing new is added.
                self.served_until
                    .fetch_min(now.saturating_add(self.grace), Ordering::SeqCst);
                self.next(Parity::Deaf);
            }
            Hearing::Listening | Hearing::NoBus(_) => self.begin(Parity::Deaf),
            // Another reason for what has been noticed.
            Hearing::Deaf(_) | Hearing::Alone => {}
        }
    }

    /// There will be no messages.
    pub(crate) fn unsupported(&self, why: &str) {
        let mut hearing = self.lock();
        if matches!(*hearing, Hearing::NoBus(_)) {
            return;
        }
        self.set_silent(None);
        self.begin(Parity::Listening);
        self.healthy_until.store(0, Ordering::SeqCst);
        self.served_until.store(EVER, Ordering::SeqCst);
        *hearing = Hearing::NoBus(why.into());
        self.changed.notify_waiters();
    }

    /// Everything is heard, and what is known of before is of no use.
    pub(crate) fn anew(&self) {
        let hearing = self.lock();
        if *hearing == Hearing::Listening {
            self.begin(Parity::Listening);
        }
    }

    /// Our own beat came back at `now`, sent at `since`. `false`: it came too late, or after the word that nothing is heard (of a task
    /// that was replaced), and something may have been missed.
    pub(crate) fn beat(&self, since: u64, now: u64) -> bool {
        let hearing = self.lock();
        match &*hearing {
            Hearing::Listening => {}
            Hearing::Deaf(_) => return false,
            Hearing::Alone | Hearing::NoBus(_) => return true,
        }
        let in_time = now < self.healthy_until.load(Ordering::SeqCst);
        self.alive_if(in_time, since)
    }

    fn alive_if(&self, in_time: bool, since: u64) -> bool {
        if in_time {
            self.alive(since);
        }
        in_time
    }

    fn alive(&self, since: u64) {
        let until = since.saturating_add(SILENCE);
        self.healthy_until.store(until, Ordering::SeqCst);
        if self.in_parts.load(Ordering::SeqCst) {
            self.served_in_parts_until.store(until, Ordering::SeqCst);
        } else {
            self.served_until
                .store(until.saturating_add(self.grace), Ordering::SeqCst);
        }
    }

    /// Another epoch; entries of earlier ones are of no use any more.
    fn begin(&self, parity: Parity) {
        let epoch = self.next(parity);
        self.served_from.store(epoch, Ordering::SeqCst);
    }

    fn next(&self, parity: Parity) -> u64 {
        let now = self.epoch();
        let next = now + if now % 2 == parity as u64 { 2 } else { 1 };
        self.epoch.store(next, Ordering::SeqCst);
        next
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Hearing> {
        self.hearing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
enum Parity {
    Listening = 0,
    Deaf = 1,
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::{Coherence, Hearing, SILENCE};
    use crate::tags::{Cells, Label, Labelling, Manner, Stamp};

    fn stamp(epoch: u64) -> Stamp {
        let cells = Cells::default();
        let labelling = Labelling {
            root: cells.root("shop"),
            scope: None,
            tags: Vec::new(),
            late: false,
        };
        Stamp::of(&labelling, epoch)
    }

    fn shared(grace: Duration) -> Coherence {
        Coherence::new(true, grace)
    }

    /// Subscribed at 0, and the stamp of an entry that was filled then.
    fn filled(grace: Duration) -> (Coherence, Stamp) {
        let coherence = shared(grace);
        coherence.subscribed(0);
        let entry = stamp(coherence.epoch());
        assert!(coherence.accepts(entry.base.epoch) && coherence.serves(&entry, 0));
        (coherence, entry)
    }

    #[test]
    fn memory_takes_nothing_in_before_the_subscription_stands() {
        let coherence = shared(Duration::ZERO);
        let before = coherence.epoch();
        assert!(!coherence.accepts(before));
        assert_eq!(coherence.listening(0), None);
        coherence.subscribed(0);
        assert!(
            !coherence.accepts(before),
            "what began before may have missed something"
        );
        assert_eq!(coherence.listening(0), Some(coherence.epoch()));
    }

    #[test]
    fn a_loss_and_the_subscription_after_it_are_two_epochs() {
        let (coherence, entry) = filled(Duration::ZERO);
        coherence.lost("severed", 10);
        assert!(!coherence.serves(&entry, 10) && !coherence.accepts(entry.base.epoch));
        let between = coherence.epoch();
        assert!(!coherence.accepts(between));
        coherence.lost("still severed", 20);
        assert_eq!(coherence.epoch(), between);
        coherence.subscribed(30);
        assert!(!coherence.accepts(between) && !coherence.serves(&stamp(between), 30));
        assert!(!coherence.serves(&entry, 30));
        assert!(coherence.accepts(coherence.epoch()));
    }

    #[test]
    fn silence_ends_trust_by_itself_and_a_late_beat_does_not_bring_it_back() {
        let (coherence, entry) = filled(Duration::ZERO);
        // It was under way for a while, and what was announced meanwhile may be still.
        let sent = SILENCE - 500;
        assert!(coherence.beat(sent, SILENCE - 1));
        let until = sent + SILENCE;
        assert!(coherence.serves(&entry, until - 1));
        assert!(!coherence.serves(&entry, until));
        assert_eq!(coherence.listening(until), None);
        assert!(!coherence.beat(until - 1, until), "too late");
        assert!(!coherence.serves(&entry, until));
    }

    /// A stamp, and the cells it is of.
    fn stamped(coherence: &Coherence) -> (Cells, Stamp) {
        let cells = Cells::default();
        let labelling = Labelling {
            root: cells.root("shop"),
            scope: None,
            tags: vec![cells.cell(&Label::stored("a"))],
            late: false,
        };
        let stamp = Stamp::of(&labelling, coherence.epoch());
        (cells, stamp)
    }

    #[test]
    fn what_is_past_its_ttl_is_kept_as_long_as_everything_is_heard() {
        for end in [
            (|coherence| coherence.lost("severed", 10)) as fn(&Coherence),
            |coherence| coherence.anew(),
            |_| {},
        ] {
            let coherence = shared(Duration::ZERO);
            coherence.subscribed(0);
            let (_cells, stamp) = stamped(&coherence);
            assert!(coherence.keeps(&stamp, SILENCE - 1, b"a"));
            end(&coherence);
            assert!(!coherence.keeps(&stamp, SILENCE, b"a"));
        }
    }

    #[test]
    fn what_was_expired_is_kept_and_what_was_evicted_not() {
        let coherence = shared(Duration::ZERO);
        coherence.subscribed(0);
        for label in [Label::stored("a"), Label::cache()] {
            let (cells, stamp) = stamped(&coherence);
            cells.gone(&label, Manner::Expire, 0, 0);
            assert!(!coherence.serves(&stamp, 1) && coherence.keeps(&stamp, 1, b"a"));
            cells.gone(&label, Manner::Evict, 0, 0);
            assert!(!coherence.keeps(&stamp, 1, b"a"));
        }
    }

    #[test]
    fn a_beat_after_the_word_of_a_loss_is_not_enough() {
        let (coherence, entry) = filled(Duration::ZERO);
        coherence.lost("a task that was replaced has ended", 10);
        assert!(!coherence.beat(10, 11), "subscribe anew");
        assert!(!coherence.serves(&entry, 11));
    }

    #[test]
    fn anew_is_another_epoch_and_no_sign_of_life() {
        let (coherence, entry) = filled(Duration::ZERO);
        coherence.anew();
        assert!(!coherence.accepts(entry.base.epoch) && !coherence.serves(&entry, 0));
        assert_eq!(coherence.listening(SILENCE - 1), Some(coherence.epoch()));
        assert_eq!(coherence.listening(SILENCE), None);
        coherence.lost("severed", 10);
        let deaf = coherence.epoch();
        coherence.anew();
        assert_eq!(coherence.epoch(), deaf, "who hears nothing is told nothing");
    }

    /// Of the keys that begin with `a` nothing is heard since 100.
    fn in_parts(grace: Duration) -> (Coherence, Stamp) {
        let (coherence, entry) = filled(grace);
        coherence.beat(90, 95);
        let unheard = Arc::new(|key: &str| key.starts_with('a'));
        assert!(coherence.partly(90, 100, unheard, "one is gone"));
        (coherence, entry)
    }

    #[test]
    fn while_a_part_is_silent_its_keys_are_not_served_and_the_others_are() {
        for grace in [Duration::ZERO, Duration::from_secs(10)] {
            let (coherence, entry) = in_parts(grace);
            assert!(
                !coherence.serves(&entry, 100),
                "not without a look at the key"
            );
            assert!(coherence.serves_in_parts(&entry, 100, b"b"));
            assert!(!coherence.serves_in_parts(&entry, 100, b"a"));
            assert!(coherence.hears(b"b") && !coherence.hears(b"a"));
            assert_eq!(
                coherence.listening(100),
                Some(entry.base.epoch),
                "labels are heard"
            );
            assert!(coherence.accepts(entry.base.epoch));
            assert_eq!(coherence.silence().as_deref(), Some("one is gone"));
            assert!(coherence.beat(200, 210));
            let until = 200 + SILENCE;
            assert!(coherence.serves_in_parts(&entry, until - 1, b"b"));
            assert!(!coherence.serves_in_parts(&entry, until, b"b"));
            assert!(!coherence.serves(&entry, 220));
            assert_eq!(coherence.listening(until), None);
        }
    }

    #[test]
    fn a_part_that_is_heard_again_is_another_epoch() {
        let (coherence, entry) = in_parts(Duration::ZERO);
        coherence.lost("heard again", 110);
        assert!(!coherence.serves_in_parts(&entry, 110, b"b"));
        coherence.subscribed(110);
        assert!(!coherence.serves(&entry, 110) && !coherence.serves_in_parts(&entry, 110, b"b"));
        let entry = stamp(coherence.epoch());
        assert!(coherence.serves(&entry, 110) && coherence.hears(b"a"));
        assert_eq!(coherence.silence(), None);
    }

    #[test]
    fn a_silence_of_all_does_not_bring_a_part_back() {
        let (coherence, entry) = in_parts(Duration::ZERO);
        let late = 100 + SILENCE;
        assert!(!coherence.beat(late, late), "too late");
        coherence.lost("silent for too long", late);
        coherence.resumed(late);
        assert!(
            !coherence.serves_in_parts(&entry, late, b"b"),
            "another epoch"
        );
        let entry = stamp(coherence.epoch());
        assert!(coherence.serves_in_parts(&entry, late, b"b"));
        assert!(!coherence.serves(&entry, late) && !coherence.serves_in_parts(&entry, late, b"a"));
        // A word of a part that comes when all has been silent for too long says that all may have been missed.
        let unheard = Arc::new(|_: &str| false);
        assert!(!coherence.partly(late, late + SILENCE, unheard, "gone"));
    }

    #[test]
    fn grace_serves_what_is_there_and_takes_nothing_in() {
        let (coherence, entry) = filled(Duration::from_secs(10));
        coherence.lost("severed", 100);
        assert!(coherence.serves(&entry, 10_099) && !coherence.serves(&entry, 10_100));
        assert!(!coherence.accepts(coherence.epoch()));
        assert_eq!(coherence.listening(100), None);
        coherence.subscribed(200);
        assert!(
            !coherence.serves(&entry, 200),
            "it may have missed a message"
        );
    }

    #[test]
    fn without_a_bus_memory_works_and_nothing_is_known() {
        for grace in [Duration::ZERO, Duration::from_secs(10)] {
            let coherence = shared(grace);
            coherence.unsupported("NOPERM");
            let entry = stamp(coherence.epoch());
            assert!(coherence.accepts(entry.base.epoch) && coherence.serves(&entry, u64::MAX - 1));
            assert_eq!(coherence.listening(0), None);
            assert!(coherence.is_without_bus());
            coherence.lost("the server is gone", 10);
            assert!(!coherence.accepts(coherence.epoch()) && !coherence.serves(&entry, 10));
            assert!(matches!(coherence.hearing(), Hearing::Deaf(_)));
        }
    }

    #[test]
    fn who_is_alone_hears_everything_there_is() {
        let coherence = Coherence::new(false, Duration::ZERO);
        let entry = stamp(coherence.epoch());
        assert!(coherence.accepts(entry.base.epoch) && coherence.serves(&entry, u64::MAX - 1));
        assert_eq!(coherence.listening(u64::MAX - 1), Some(entry.base.epoch));
    }
}
