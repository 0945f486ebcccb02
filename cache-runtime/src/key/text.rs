//! The buffer a key grows in.
//!
//! Nearly every key is short and is looked up once, so it lives on the stack; only a long one moves to the heap. The
//! limit is enforced here, before a byte is written: a hostile argument of a gigabyte must not be copied first and
//! refused afterwards.

use std::fmt;

use super::beginning::Beginning;

/// So much is kept as a [`Beginning`].
const SHORT: usize = Beginning::BYTES;
/// So much is on the stack.
const INLINE: usize = 128;

/// The text would have passed its limit; nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Bytes of UTF-8, on the stack up to 128 and on the heap beyond.
#[derive(Clone)]
pub(super) struct Text {
    store: Store,
    len: usize,
    limit: usize,
}

/// Where the bytes are. Each has room for what the one before it has not.
// The tag is as wide as a word: the padding beside a smaller one is copied with it, by loads that lie across two stores (`key/beginning.rs`).
#[derive(Clone)]
#[repr(u64)]
enum Store {
    Short(Beginning),
    Inline([u8; INLINE]),
    Heap(Vec<u8>),
}

impl Text {
    #[inline]
    pub(super) fn new(limit: usize) -> Self {
        Self {
            store: Store::Short(Beginning::default()),
            len: 0,
            limit,
        }
    }

    /// The same text, with room for what was bounded elsewhere.
    pub(super) fn without_limit(mut self) -> Self {
        self.limit = usize::MAX;
        self
    }

    // The compiler knows the beginning of a literal if it sees it here.
    #[inline(always)]
    pub(super) fn push(&mut self, text: &str) -> Result<(), Full> {
        self.push_bytes(text.as_bytes())
    }

    /// Spares ASCII the check that it is UTF-8.
    #[inline]
    pub(super) fn push_ascii(&mut self, text: &[u8]) -> Result<(), Full> {
        debug_assert!(text.is_ascii());
        self.push_bytes(text)
    }

    /// Appends the first `len` bytes of ASCII, 8 at most; the others are zeros. Room for all 8 is the rule, and a copy whose length is known is one
    /// instruction.
    #[inline]
    pub(super) fn push_up_to_8(&mut self, bytes: [u8; 8], len: usize) -> Result<(), Full> {
        debug_assert!(bytes.is_ascii() && bytes[len..].iter().all(|byte| *byte == 0));
        if self.push_short(Beginning::of_up_to_8(bytes), len) {
            return Ok(());
        }
        match self.free(8) {
            Some(free) => free.copy_from_slice(&bytes),
            None => return self.push_elsewhere(&bytes[..len]),
        }
        self.len += len;
        Ok(())
    }

    #[inline(always)]
    fn push_bytes(&mut self, text: &[u8]) -> Result<(), Full> {
        if text.len() <= SHORT && self.push_short(Beginning::of(text), text.len()) {
            return Ok(());
        }
        match self.free(text.len()) {
            Some(free) => free.copy_from_slice(text),
            None => return self.push_elsewhere(text),
        }
        self.len += text.len();
        Ok(())
    }

    /// Appends so many bytes, if the text stays short.
    #[inline]
    fn push_short(&mut self, more: Beginning, len: usize) -> bool {
        let end = self.len + len;
        match &mut self.store {
            Store::Short(all) if end <= SHORT.min(self.limit) => {
                all.push(self.len, more);
                self.len = end;
                true
            }
            _ => false,
        }
    }

    /// Room for so many bytes more, where there is some already.
    #[inline]
    fn free(&mut self, len: usize) -> Option<&mut [u8]> {
        let end = self.len.saturating_add(len);
        match &mut self.store {
            Store::Inline(all) if end <= self.limit => all.get_mut(self.len..end),
            _ => None,
        }
    }

    /// Where there may be no room, or none but elsewhere.
    #[cold]
    #[inline(never)]
    fn push_elsewhere(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.len.checked_add(bytes.len());
        let end = end.filter(|end| *end <= self.limit).ok_or(Full)?;
        match &mut self.store {
            Store::Short(short) if end <= INLINE => {
                let short = *short;
                // Made where it stays, and filled there: a copy would wait for what was just written.
                self.store = Store::Inline([0; INLINE]);
                let Store::Inline(all) = &mut self.store else {
                    unreachable!("it was just made")
                };
                all[..SHORT].copy_from_slice(short.first(SHORT));
                all[self.len..end].copy_from_slice(bytes);
            }
            // Eight bytes for fewer digits had no room.
            Store::Inline(all) if end <= INLINE => all[self.len..end].copy_from_slice(bytes),
            Store::Heap(all) => all.extend_from_slice(bytes),
            Store::Short(_) | Store::Inline(_) => {
                let mut all = Vec::with_capacity(2 * INLINE + bytes.len());
                all.extend_from_slice(self.as_bytes());
                all.extend_from_slice(bytes);
                self.store = Store::Heap(all);
            }
        }
        self.len = end;
        Ok(())
    }

    /// Its first bytes.
    #[inline]
    pub(super) fn beginning(&self) -> Beginning {
        match &self.store {
            Store::Short(all) => *all,
            _ => Beginning::of(self.as_bytes()),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.store {
            Store::Short(all) => all.first(self.len),
            Store::Inline(all) => &all[..self.len],
            Store::Heap(all) => all,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes())
            .expect("only whole strings are pushed, and cut only where one began")
    }

    /// Cuts the text back to a length it had before.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        match &mut self.store {
            Store::Short(all) => *all = Beginning::of(all.first(self.len)),
            Store::Inline(_) => {}
            Store::Heap(all) => all.truncate(len),
        }
    }

    /// Replaces everything from `start` on by a permutation of it.
    pub(super) fn rewrite_from(&mut self, start: usize, bytes: &[u8]) {
        match &mut self.store {
            Store::Short(all) => {
                let mut text = [0; SHORT];
                text[..start].copy_from_slice(all.first(start));
                text[start..self.len].copy_from_slice(bytes);
                *all = Beginning::of(&text[..self.len]);
            }
            Store::Inline(all) => all[start..self.len].copy_from_slice(bytes),
            Store::Heap(all) => all[start..].copy_from_slice(bytes),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, Full, INLINE, SHORT, Store, Text};

    #[test]
    fn stays_inline_up_to_its_size_and_spills_after() {
        let mut text = Text::new(usize::MAX);
        text.push(&"x".repeat(INLINE)).unwrap();
        let on_stack = matches!(text.store, Store::Inline(_));
        assert!(on_stack, "a key of 128 bytes needs no heap");
        text.push("é").unwrap();
        assert_eq!(text.as_str(), "x".repeat(INLINE) + "é");
        assert_eq!(text.len(), INLINE + 2);
    }

    #[test]
    fn refuses_whole_what_passes_the_limit() {
        let mut text = Text::new(4);
        assert_eq!(text.push("abc"), Ok(()));
        assert_eq!(text.push("de"), Err(Full));
        assert_eq!(text.as_str(), "abc");
        assert_eq!(text.push("d"), Ok(()));
        assert_eq!(text.push(""), Ok(()));
    }

    #[test]
    fn digits_go_where_there_is_room_for_them_and_not_for_all_eight() {
        for before in [
            0,
            SHORT - 4,
            SHORT - 2,
            INLINE - 9,
            INLINE - 8,
            INLINE - 3,
            INLINE,
            2 * INLINE,
        ] {
            let mut text = Text::new(before + 5);
            text.push(&"x".repeat(before)).unwrap();
            let two = [b'4', b'2', 0, 0, 0, 0, 0, 0];
            assert_eq!(text.push_up_to_8(two, 2), Ok(()));
            assert_eq!(text.push_up_to_8([b'7'; 8], 8), Err(Full));
            text.push("-").unwrap();
            assert_eq!(text.as_str(), "x".repeat(before) + "42-");
        }
    }

    #[test]
    fn digits_go_on_where_the_stack_ends() {
        for before in (0..=SHORT).chain(INLINE - 28..=INLINE + 12) {
            let mut text = Text::new(usize::MAX);
            text.push(&"x".repeat(before)).unwrap();
            text.push_up_to_8(*b"12345678", 8).unwrap();
            text.push_up_to_8(*b"9\0\0\0\0\0\0\0", 1).unwrap();
            assert_eq!(text.as_str(), "x".repeat(before) + "123456789");
        }
    }

    #[test]
    fn a_short_one_is_its_beginning_however_it_was_made() {
        let changes: [fn(&mut Text); 5] = [
            |text| text.push("item:").unwrap(),
            |text| text.push_up_to_8(*b"42\0\0\0\0\0\0", 2).unwrap(),
            |text| text.push("copied").unwrap(),
            |text| text.truncate(text.len().saturating_sub(3)),
            |text| {
                let start = text.len() / 2;
                let mut end = text.as_bytes()[start..].to_vec();
                end.reverse();
                text.rewrite_from(start, &end);
            },
        ];
        let (mut text, mut same) = (Text::new(usize::MAX), String::new());
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let which = random.usize(..changes.len());
            changes[which](&mut text);
            match which {
                0 => same.push_str("item:"),
                1 => same.push_str("42"),
                2 => same.push_str("copied"),
                3 => same.truncate(same.len().saturating_sub(3)),
                _ => {
                    let end = same.split_off(same.len() / 2);
                    same.extend(end.chars().rev());
                }
            }
            assert_eq!(text.as_str(), same);
            assert_eq!(text.beginning(), Beginning::of(same.as_bytes()));
            if same.len() > 2 * INLINE {
                (text, same) = (Text::new(usize::MAX), String::new());
            }
        }
    }

    #[test]
    fn goes_on_after_a_cut_from_the_heap_to_nothing() {
        let mut text = Text::new(usize::MAX);
        text.push(&"x".repeat(300)).unwrap();
        text.truncate(150);
        text.push("y").unwrap();
        assert_eq!(text.as_str(), "x".repeat(150) + "y");
        text.truncate(0);
        text.push("again").unwrap();
        assert_eq!(text.as_str(), "again");
    }
}
