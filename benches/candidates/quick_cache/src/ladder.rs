//! The bare map, and one after the other what a cache of annotated functions cannot do without: what each costs is what this step takes longer than the last.
//!
//! Each is written plainly and for this alone, with nothing around it that a step does not need: what the cache does better in its place, it does better than this.

use std::any::Any;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use coarsetime::Instant;
use common::{Candidate, Form, Product, Run, origin};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, UnitWeighter};

/// A key as text: what an entry is called in Redis, and what patterns evict by.
struct Text {
    bytes: [u8; 32],
    start: usize,
}

const WORD: &[u8] = b"product:";

impl Text {
    /// `product:{id}`, without an allocation.
    #[inline]
    fn of(id: u64) -> Text {
        let mut bytes = [0; 32];
        let (mut start, mut left) = (bytes.len(), id);
        loop {
            start -= 1;
            bytes[start] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        start -= WORD.len();
        bytes[start..start + WORD.len()].copy_from_slice(WORD);
        Text { bytes, start }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// Texts are hashed once, by foldhash, and the map gets the hash.
#[derive(Clone, Default)]
struct Texts(foldhash::fast::RandomState);

struct Finished(u64);

impl BuildHasher for Texts {
    type Hasher = Finished;

    #[inline]
    fn build_hasher(&self) -> Finished {
        Finished(0)
    }
}

impl Hasher for Finished {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("hashes are written, not texts")
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Texts {
    #[inline]
    fn of(&self, text: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(text);
        hasher.finish()
    }
}

/// A text that the map owns.
struct Owned {
    hash: u64,
    text: Box<[u8]>,
}

struct Borrowed<'a> {
    hash: u64,
    text: &'a [u8],
}

impl PartialEq for Owned {
    fn eq(&self, other: &Owned) -> bool {
        self.text == other.text
    }
}

impl Eq for Owned {}

impl Hash for Owned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Borrowed<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<Owned> for Borrowed<'_> {
    #[inline]
    fn equivalent(&self, key: &Owned) -> bool {
        *key.text == *self.text
    }
}

type Map<K, V> = Cache<K, V, UnitWeighter, Texts>;

fn map<K: Hash + Eq, V: Clone>(run: &Run, texts: &Texts) -> Map<K, V> {
    let room = run.room(Form::Shared);
    let lifecycle = DefaultLifecycle::default();
    Cache::with(room, room as u64, UnitWeighter, texts.clone(), lifecycle)
}

/// The first step: keys are texts.
pub(crate) struct Texted {
    texts: Texts,
    map: Map<Owned, Arc<Product>>,
}

impl Texted {
    pub(crate) fn new(run: &Run) -> &'static Texted {
        let texts = Texts::default();
        let map = map(run, &texts);
        Box::leak(Box::new(Texted { texts, map }))
    }
}

impl Candidate for &'static Texted {
    async fn shared(self, id: u64) -> Arc<Product> {
        let text = Text::of(id);
        let text = text.as_bytes();
        let hash = self.texts.of(text);
        if let Some(value) = self.map.get(&Borrowed { hash, text }) {
            return value;
        }
        let value = origin::shared(id).await;
        let text = text.into();
        self.map.insert(Owned { hash, text }, Arc::clone(&value));
        value
    }
}

/// An entry of whatever type: every function of a cache has its values in one map.
struct Kept {
    hash: u64,
    deadline: Instant,
    text: Box<[u8]>,
    value: Arc<dyn Any + Send + Sync>,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Kept) -> bool {
        self.text == other.text
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// What is looked for, and what is done with it while the map holds it.
struct Look<'a, F> {
    hash: u64,
    text: &'a [u8],
    found: F,
}

impl<F> Hash for Look<'_, F> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<F: Fn(&Kept)> Equivalent<Kept> for Look<'_, F> {
    #[inline]
    fn equivalent(&self, entry: &Kept) -> bool {
        let is_it = *entry.text == *self.text;
        if is_it {
            (self.found)(entry);
        }
        is_it
    }
}

/// The second: values of any type in one map, cloned while it holds them. The third, with `TIMED`: a deadline, and a clock for it.
pub(crate) struct Mixed<const TIMED: bool> {
    texts: Texts,
    map: Map<Kept, ()>,
}

impl<const TIMED: bool> Mixed<TIMED> {
    pub(crate) fn new(run: &Run) -> &'static Mixed<TIMED> {
        let texts = Texts::default();
        let map = map(run, &texts);
        Box::leak(Box::new(Mixed { texts, map }))
    }
}

impl<const TIMED: bool> Candidate for &'static Mixed<TIMED> {
    async fn shared(self, id: u64) -> Arc<Product> {
        let text = Text::of(id);
        let text = text.as_bytes();
        let hash = self.texts.of(text);
        let now = TIMED.then(Instant::now);
        let value = std::cell::Cell::new(None);
        let found = |entry: &Kept| {
            if now.is_none_or(|now| now < entry.deadline) {
                value.set(Arc::clone(&entry.value).downcast::<Product>().ok());
            }
        };
        self.map.get(&Look { hash, text, found });
        if let Some(value) = value.into_inner() {
            return value;
        }
        let value = origin::shared(id).await;
        let entry = Kept {
            hash,
            deadline: Instant::now() + coarsetime::Duration::from_secs(600),
            text: text.into(),
            value: Arc::clone(&value) as Arc<dyn Any + Send + Sync>,
        };
        self.map.insert(entry, ());
        value
    }
}
