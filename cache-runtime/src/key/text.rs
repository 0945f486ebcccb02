//! The buffer a key grows in.
//!
//! Nearly every key is short and is looked up once, so it lives on the stack; only a long one moves to the heap. The
//! limit is enforced here, before a byte is written: a hostile argument of a gigabyte must not be copied first and
//! refused afterwards.

use std::fmt;

const INLINE: usize = 128;

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

    /// Spares digits the check that they are UTF-8, which takes longer than to make them.
    #[inline]
    pub(super) fn push_ascii(&mut self, text: &[u8]) -> Result<(), Full> {
        debug_assert!(text.is_ascii());
        self.push_bytes(text)
    }

    /// Appends the first `len` bytes of ASCII, 8 at most. Room for all 8 is the rule, and a copy whose length is known is one instruction.
    #[inline]
    pub(super) fn push_up_to_8(&mut self, bytes: [u8; 8], len: usize) -> Result<(), Full> {
        debug_assert!(bytes[..len].is_ascii());
        let end = self.len + 8;
        match self.inline.get_mut(self.len..end) {
            Some(free) if end <= self.room => free.copy_from_slice(&bytes),
            _ => return self.push_elsewhere(&bytes[..len]),
        }
        self.len += len;
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
    }

    /// Replaces everything from `start` on by a permutation of it.
    pub(super) fn rewrite_from(&mut self, start: usize, bytes: &[u8]) {
        let whole = if self.spill.is_empty() {
            &mut self.inline[..self.len]
        } else {
            &mut self.spill[..]
        };
        whole[start..].copy_from_slice(bytes);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, INLINE, Text};

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
