//! Inputs of a target, read from the bytes that the fuzzer changes.
//!
//! Every sequence of bytes means something, and what comes at its end is zeros: the fuzzer is never told "no", so that each of its
//! changes is an input.

/// What of the bytes is not used yet.
pub(super) struct Source<'a>(&'a [u8]);

/// What means something to keys, globs, hash tags, URLs and the wire.
const PIECES: [&str; 48] = [
    ":", "*", "?", "[", "]", "{", "}", "\\", "%", "#", ",", "(", ")", "=", "~", "'", " ", "\t",
    "\r\n", "\0", "\u{7f}", "\u{2028}", "é", "漢", "🦀", "a", "b", "A", "0", "7", "-", "^", "!",
    "/", "@", "&", "%2A", "%C3%A9", "%c3", ":,", "}:lease", "#all", "#r:", "a:b", "[a-z]", "[^:]",
    "\\*", "ab",
];

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// The next so many bytes, or as many as there are.
    pub(super) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.bytes(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `end`, which is at most 256.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A text of a few pieces, most of which mean something; now and then a long one.
    pub(super) fn text(&mut self) -> String {
        let (count, times) = match self.byte() {
            255 => (2, 300),
            254 => (1, 100),
            byte => (usize::from(byte) % 8, 1),
        };
        (0..count)
            .map(|_| self.piece())
            .collect::<String>()
            .repeat(times)
    }

    fn piece(&mut self) -> String {
        match usize::from(self.byte()) {
            known if known < 4 * PIECES.len() => PIECES[known % PIECES.len()].to_owned(),
            _ => {
                let any = u32::from_le_bytes(self.array()) % 0x11_0000;
                char::from_u32(any).map_or_else(String::new, String::from)
            }
        }
    }

    /// So many of a kind, while there are bytes.
    pub(super) fn several<T>(
        &mut self,
        most: usize,
        mut one: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        let count = self.below(most + 1);
        let mut all = Vec::new();
        while all.len() < count && !self.is_empty() {
            all.push(one(self));
        }
        all
    }
}
