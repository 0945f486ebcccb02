//! What a cell knows, where every hit in Redis reads it and next to nobody writes.
//!
//! A lock that is taken to read is written by who reads, and the few labels that all entries of a cache have are read by all threads at once. So readers take no
//! lock: they read a version, the words, and the version again, and what changed meanwhile they do not know (Boehm, *Can seqlocks get along with
//! programming language memory models?*, 2012). Not to know costs a question.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering, fence},
    },
    time::Duration,
};

use super::{Generation, Logical};

/// A generation, and how long it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) generation: Generation,
    pub(super) epoch: u64,
    /// Milliseconds of the memory clock.
    pub(super) at: u64,
    /// Entries of this life may rely on it.
    pub(super) life: Duration,
}

/// Holds what is known, or nothing.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Odd while the words are being written; zero before the first time.
    version: AtomicU64,
    words: [AtomicU64; WORDS],
    turn: Mutex<()>,
}

const WORDS: usize = 9;
/// The last word, where something is known.
const SOMETHING: u64 = 1;

impl Slot {
    /// Puts it in, if that is so while nobody reads what is in there.
    pub(super) fn put(&self, known: Known, if_so: impl FnOnce() -> bool) {
        self.write(|| if_so().then(|| known.to_words()));
    }

    /// From here on nothing is known.
    pub(super) fn clear(&self) {
        self.clear_around(|| ());
    }

    /// From here on nothing is known, and not while this is done either.
    pub(super) fn clear_around(&self, done: impl FnOnce()) {
        self.write(|| {
            done();
            Some([0; WORDS])
        });
    }

    /// What is known, unless it is just being changed.
    pub(super) fn get(&self) -> Option<Known> {
        let version = self.version.load(Ordering::Acquire);
        let words: [u64; WORDS] = std::array::from_fn(|at| self.words[at].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let unchanged = self.version.load(Ordering::Relaxed) == version;
        (version.is_multiple_of(2) && unchanged)
            .then(|| Known::of_words(words))
            .flatten()
    }

    fn write(&self, words: impl FnOnce() -> Option<[u64; WORDS]>) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // It is odd already where the last writer has panicked.
        let writing = self.version.load(Ordering::Relaxed) | 1;
        self.version.store(writing, Ordering::Relaxed);
        fence(Ordering::Release);
        if let Some(words) = words() {
            for (word, new) in self.words.iter().zip(words) {
                word.store(new, Ordering::Relaxed);
            }
        }
        self.version.store(writing + 1, Ordering::Release);
    }
}

impl Known {
    fn to_words(self) -> [u64; WORDS] {
        let Generation {
            evict,
            expire,
            made,
        } = self.generation;
        let (seconds, nanos) = (self.life.as_secs(), self.life.subsec_nanos().into());
        let Logical { era, n } = made;
        [
            evict, expire, era, n, self.epoch, self.at, seconds, nanos, SOMETHING,
        ]
    }

    fn of_words(words: [u64; WORDS]) -> Option<Self> {
        let [evict, expire, era, n, epoch, at, seconds, nanos, something] = words;
        let nanos = u32::try_from(nanos).ok()?;
        (something == SOMETHING).then(|| Self {
            generation: Generation {
                evict,
                expire,
                made: Logical { era, n },
            },
            epoch,
            at,
            life: Duration::new(seconds, nanos),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::atomic::AtomicBool,
        thread,
    };

    use super::*;

    fn known(of: u64) -> Known {
        Known {
            generation: Generation {
                evict: of,
                expire: of + 1,
                made: Logical {
                    era: of + 2,
                    n: of + 3,
                },
            },
            epoch: of + 4,
            at: of + 5,
            life: Duration::new(of + 6, 7),
        }
    }

    #[test]
    fn what_was_put_in_is_there_until_it_is_cleared() {
        let slot = Slot::default();
        assert_eq!(slot.get(), None);
        slot.put(known(3), || false);
        assert_eq!(slot.get(), None);
        slot.put(known(3), || true);
        assert_eq!(slot.get(), Some(known(3)));
        slot.put(known(4), || false);
        assert_eq!(slot.get(), Some(known(3)));
        let ever = Known {
            life: Duration::MAX,
            ..known(5)
        };
        slot.put(ever, || true);
        assert_eq!(slot.get(), Some(ever));
        slot.clear();
        assert_eq!(slot.get(), None);
    }

    #[test]
    fn nothing_is_known_while_something_is_done_around_which_it_is_cleared() {
        let slot = Slot::default();
        slot.put(known(3), || true);
        slot.clear_around(|| assert_eq!(slot.get(), None));
        assert_eq!(slot.get(), None);
    }

    #[test]
    fn a_writer_that_panics_leaves_a_slot_that_can_be_written() {
        let slot = Slot::default();
        slot.put(known(3), || true);
        let put = || slot.put(known(4), || panic!("asked in vain"));
        catch_unwind(AssertUnwindSafe(put)).unwrap_err();
        assert_eq!(slot.get(), None);
        for of in [5, 6] {
            slot.put(known(of), || true);
            assert_eq!(slot.get(), Some(known(of)));
        }
    }

    #[test]
    fn nobody_sees_half_of_one_and_half_of_another() {
        let (slot, over) = (Slot::default(), AtomicBool::new(false));
        thread::scope(|scope| {
            let readers = [(); 2].map(|()| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        if let Some(it) = slot.get() {
                            assert_eq!(it, known(it.generation.evict));
                        }
                    }
                })
            });
            for of in 0..200_000 {
                slot.put(known(of), || true);
                if of % 3 == 0 {
                    slot.clear();
                }
            }
            over.store(true, Ordering::Relaxed);
            for reader in readers {
                reader.join().expect("no reader saw a mixture");
            }
        });
    }
}
