//! The buffer a key grows in.
//!
//! Nearly every key is short and is looked up once, so it lives on the stack; only a long one moves to the heap. The
//! limit is enforced here, before a byte is written: a hostile argument of a gigabyte must not be copied first and
//! refused afterwards.

use std::fmt;

use super::beginning::Beginning;

const INLINE: usize = 128;

/// No length of a text.
const UNKNOWN: usize = usize::MAX;

/// The text would have passed its limit; nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Bytes of UTF-8, on the stack up to 128 and on the heap beyond.
///
/// While `spill` is empty the text is `inline[..len]`, otherwise it is `spill`; `len` is right in both states.
#[derive(Clone)]
pub(super) struct Text {
    inline: [u8; INLINE],
    len: usize,
    /// So much of `inline` may be written: what the limit allows, and nothing once there is a `spill`.
    room: usize,
    limit: usize,
    /// The first bytes of the text while `begun` is `len`; otherwise it says nothing. Only [`truncate`](Self::truncate) makes `len` less, and `begun`
    /// [`UNKNOWN`], so the two do not become equal again.
    beginning: Beginning,
    begun: usize,
    spill: Vec<u8>,
}

impl Text {
    #[inline]
    pub(super) fn new(limit: usize) -> Self {
        Self {
            inline: [0; INLINE],
            len: 0,
            room: limit.min(INLINE),
            limit,
            beginning: Beginning::default(),
            begun: 0,
            spill: Vec::new(),
        }
    }

    /// The same text, with room for what was bounded elsewhere.
    pub(super) fn without_limit(mut self) -> Self {
        self.limit = usize::MAX;
        if self.spill.is_empty() {
            self.room = INLINE;
        }
        self
    }

    #[inline]
    pub(super) fn push(&mut self, text: &str) -> Result<(), Full> {
        self.push_bytes(text.as_bytes())
    }

    /// The same of a text that the compiler knows, which then knows its beginning as well.
    #[inline(always)]
    pub(super) fn push_literal(&mut self, text: &str) -> Result<(), Full> {
        let at = self.len;
        self.push_bytes(text.as_bytes())?;
        self.note(at, Beginning::of(text.as_bytes()));
        Ok(())
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
        let end = self.len + 8;
        match self.inline.get_mut(self.len..end) {
            Some(free) if end <= self.room => free.copy_from_slice(&bytes),
            _ => return self.push_elsewhere(&bytes[..len]),
        }
        let at = self.len;
        self.len += len;
        self.note(at, Beginning::of_up_to_8(bytes));
        Ok(())
    }

    #[inline]
    fn push_bytes(&mut self, text: &[u8]) -> Result<(), Full> {
        let end = self.len.saturating_add(text.len());
        match self.inline.get_mut(self.len..end) {
            Some(free) if end <= self.room => free.copy_from_slice(text),
            _ => return self.push_elsewhere(text),
        }
        self.len = end;
        Ok(())
    }

    /// Where there may be no room, or none but on the heap.
    #[cold]
    #[inline(never)]
    fn push_elsewhere(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.len.checked_add(bytes.len());
        let end = end.filter(|end| *end <= self.limit).ok_or(Full)?;
        if end <= self.room {
            self.inline[self.len..end].copy_from_slice(bytes);
        } else {
            if self.spill.is_empty() {
                self.spill.reserve(2 * INLINE + bytes.len());
                self.spill.extend_from_slice(&self.inline[..self.len]);
                self.room = 0;
            }
            self.spill.extend_from_slice(bytes);
        }
        self.len = end;
        Ok(())
    }

    /// What was appended at `at` begins so.
    #[inline]
    fn note(&mut self, at: usize, more: Beginning) {
        if self.begun == at {
            self.beginning.push(at, more);
            self.begun = self.len;
        }
    }

    /// The first bytes of the text, if it was made of what they are known of without reading them.
    #[inline]
    pub(super) fn beginning(&self) -> Option<Beginning> {
        (self.begun == self.len).then_some(self.beginning)
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
        if self.spill.is_empty() {
            &self.inline[..self.len]
        } else {
            &self.spill
        }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes())
            .expect("only whole strings are pushed, and cut only where one began")
    }

    /// Cuts the text back to a length it had before.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.spill.truncate(len);
        self.begun = UNKNOWN;
    }

    /// Replaces everything from `start` on by a permutation of it.
    pub(super) fn rewrite_from(&mut self, start: usize, bytes: &[u8]) {
        let whole = if self.spill.is_empty() {
            &mut self.inline[..self.len]
        } else {
            &mut self.spill[..]
        };
        whole[start..].copy_from_slice(bytes);
        self.begun = UNKNOWN;
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, Full, INLINE, Text};

    #[test]
    fn stays_inline_up_to_its_size_and_spills_after() {
        let mut text = Text::new(usize::MAX);
        text.push(&"x".repeat(INLINE)).unwrap();
        assert_eq!(text.spill.capacity(), 0, "a key of 128 bytes needs no heap");
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
        for before in [0, INLINE - 9, INLINE - 8, INLINE - 3, INLINE, 2 * INLINE] {
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
        for before in INLINE - 28..=INLINE + 12 {
            let mut text = Text::new(usize::MAX);
            text.push(&"x".repeat(before)).unwrap();
            text.push_up_to_8(*b"12345678", 8).unwrap();
            text.push_up_to_8(*b"9\0\0\0\0\0\0\0", 1).unwrap();
            assert_eq!(text.as_str(), "x".repeat(before) + "123456789");
        }
    }

    #[test]
    fn its_beginning_is_known_only_while_it_is_what_was_written() {
        let known = |text: &Text| text.beginning().expect("nothing was copied");
        let mut text = Text::new(usize::MAX);
        for (piece, number) in [("item:", 7), ("/", 42), ("beyond-the-first-16", 1)] {
            text.push_literal(piece).unwrap();
            let digits = number.to_string();
            let mut bytes = [0; 8];
            bytes[..digits.len()].copy_from_slice(digits.as_bytes());
            text.push_up_to_8(bytes, digits.len()).unwrap();
            assert_eq!(known(&text), Beginning::of(text.as_bytes()));
        }
        let changes: [fn(&mut Text); 4] = [
            |text| text.push("copied").unwrap(),
            |text| text.truncate(3),
            |text| text.rewrite_from(0, b"meti:7/42beyond-the-first-161"),
            |text| text.push(&"x".repeat(INLINE)).unwrap(),
        ];
        for change in changes {
            let mut text = text.clone();
            change(&mut text);
            text.push_literal(":").unwrap();
            assert_eq!(text.beginning(), None);
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
