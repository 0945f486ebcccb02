//! What leaves the map when something comes in.
//!
//! The map's own lifecycle keeps two entries that had to go until its lock is given back, and drops more than that under it. A large value may push
//! out many small ones, and dropping a value runs its owner's code, so all of them are handed out.

use quick_cache::Lifecycle;

use super::{Record, probe::Kept};

/// Entries that had to make room.
#[derive(Debug, Default)]
#[must_use = "dropping it runs the values' own code"]
pub(crate) struct PushedOut {
    /// Mostly it is one, and nothing is allocated for it.
    first: Option<Kept>,
    more: Vec<Kept>,
}

impl PushedOut {
    pub(super) fn take(&mut self, kept: Kept) {
        match &self.first {
            None => self.first = Some(kept),
            Some(_) => self.more.push(kept),
        }
    }
}

/// Hands out what leaves.
#[derive(Clone, Debug)]
pub(super) struct HandOut;

impl Lifecycle<Kept, Record> for HandOut {
    type RequestState = PushedOut;

    fn on_evict(&self, state: &mut PushedOut, kept: Kept, _: Record) {
        state.take(kept);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock, mpsc};
    use std::thread;
    use std::time::Duration;

    use crate::entry::Erased;
    use crate::tags::{Cells, Labelling, Stamp};
    use crate::tiers::memory::{Birth, Memory, MemoryTier, Particulars, Reader, Remembered, Term};

    static TIER: OnceLock<Arc<MemoryTier>> = OnceLock::new();
    static DROPS: std::sync::Mutex<Vec<bool>> = std::sync::Mutex::new(Vec::new());

    /// Tells, when it is dropped, whether others can read the map then.
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Tells;

    impl Drop for Tells {
        fn drop(&mut self) {
            let Some(tier) = TIER.get() else { return };
            let (told, heard) = mpsc::channel();
            thread::spawn(move || {
                for n in 0..64 {
                    let text = format!("k{n}");
                    let _ = tier.get(tier.hash(text.as_bytes()), text.as_bytes());
                }
                let _ = told.send(());
            });
            let readable = heard.recv_timeout(Duration::from_secs(2)).is_ok();
            DROPS.lock().unwrap().push(readable);
        }
    }

    fn entry(tier: &MemoryTier, text: &str, size: usize) -> Remembered {
        let labelling = Labelling {
            root: Cells::default().root(""),
            scope: None,
            tags: Vec::new(),
            late: false,
        };
        let (base, own) = Stamp::of(&labelling, 2).with(&[]);
        let birth = Birth {
            of: Reader {
                schema: Some(0),
                ..Reader::of::<Tells>()
            },
            promoted: false,
            base,
        };
        let own = Particulars {
            own,
            ..Particulars::default()
        };
        let term = Term::new(0, (1_000_000, 1_000_000), u64::MAX, 0);
        let value: Erased = Arc::new(Tells);
        tier.entry(text, birth, own, &term, size, &value)
    }

    #[test]
    fn what_a_large_entry_pushes_out_is_dropped_where_no_lock_is_held() {
        let tier = Arc::new(MemoryTier::new(
            Memory::new().max_entries(8).max_bytes(1_000),
        ));
        for n in 0..9 {
            drop(tier.insert(entry(&tier, &format!("k{n}"), 98)));
        }
        let large = entry(&tier, "large", 600);
        TIER.get_or_init(|| Arc::clone(&tier));
        drop(tier.insert(large));
        let drops = DROPS.lock().unwrap();
        assert!(drops.len() > 2, "{drops:?}");
        assert!(drops.iter().all(|readable| *readable), "{drops:?}");
    }
}
