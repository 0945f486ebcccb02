//! The first bytes of a text as a number, made of numbers.
//!
//! **Problem.** A key is written in pieces of odd lengths, `product:` and `42`, and hashed at once, in words. A processor hands what was just stored to
//! a load of the same bytes; one that lies across two stores has to wait until both have reached the cache (store forwarding; Fog, *The microarchitecture
//! of Intel, AMD and VIA CPUs*). That wait was a fifth of a hit.
//!
//! **Decision.** What is written is shifted into a number, as long as it is no more than 16 bytes, which are all of a key like `product:42`. Nobody who hashes it has to wait for it,
//! and nothing else has to be written.

/// The first 16 bytes of a text; zeros where it has fewer. They lie as the words they are read in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(8))]
pub(crate) struct Beginning([u8; 16]);

impl Beginning {
    /// So much of a text is in it.
    pub(crate) const BYTES: usize = 16;

    /// Of a whole text. A word from its start and one from its end cover what is between their lengths, and agree where both have a byte.
    #[inline]
    pub(crate) fn of(text: &[u8]) -> Self {
        if let Some(all) = text.first_chunk() {
            return Self(*all);
        }
        let at_end = |word: u128, length: usize| word << (8 * (text.len() - length));
        if let (Some(start), Some(end)) = (text.first_chunk(), text.last_chunk()) {
            let [start, end] = [start, end].map(|word| u64::from_le_bytes(*word).into());
            return Self::of_number(start | at_end(end, 8));
        }
        if let (Some(start), Some(end)) = (text.first_chunk(), text.last_chunk()) {
            let [start, end] = [start, end].map(|word| u32::from_le_bytes(*word).into());
            return Self::of_number(start | at_end(end, 4));
        }
        match *text {
            [] => Self::default(),
            [a] => Self::of_up_to_8([a, 0, 0, 0, 0, 0, 0, 0]),
            [a, b] => Self::of_up_to_8([a, b, 0, 0, 0, 0, 0, 0]),
            [a, b, c, ..] => Self::of_up_to_8([a, b, c, 0, 0, 0, 0, 0]),
        }
    }

    /// Of 8 bytes, or fewer and zeros.
    #[inline]
    pub(super) fn of_up_to_8(bytes: [u8; 8]) -> Self {
        Self::of_number(u64::from_le_bytes(bytes).into())
    }

    /// More text, behind so many bytes.
    #[inline]
    pub(super) fn push(&mut self, at: usize, more: Self) {
        if at < Self::BYTES {
            *self = Self::of_number(self.number() | more.number() << (8 * at));
        }
    }

    #[inline]
    pub(crate) fn number(self) -> u128 {
        u128::from_le_bytes(self.0)
    }

    #[inline]
    fn of_number(number: u128) -> Self {
        Self(number.to_le_bytes())
    }

    /// So many of its bytes, or all of them.
    #[inline]
    pub(crate) fn first(&self, length: usize) -> &[u8] {
        &self.0[..length.min(Self::BYTES)]
    }
}

#[cfg(test)]
mod tests {
    use super::Beginning;

    #[test]
    fn it_is_the_first_bytes_however_they_were_written() {
        let text: Vec<u8> = (1..=40).collect();
        for length in 0..=40 {
            let text = &text[..length];
            let mut bytes = [0; Beginning::BYTES];
            let first = &text[..length.min(Beginning::BYTES)];
            bytes[..first.len()].copy_from_slice(first);
            let expected = Beginning(bytes);
            assert_eq!(Beginning::of(text), expected);
            for cut in 0..=length {
                let (one, other) = text.split_at(cut);
                let mut pieces = Beginning::of(one);
                pieces.push(cut, Beginning::of(other));
                assert_eq!(pieces, expected, "{length} cut at {cut}");
            }
        }
    }
}
