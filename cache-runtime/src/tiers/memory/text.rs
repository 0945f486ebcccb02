//! The text of a key as an entry keeps it.

use std::fmt;

const INLINE: usize = 22;

/// A key's text: up to 22 bytes in the entry itself, where a hit reads them anyway.
pub(super) enum KeyText {
    Short { len: u8, bytes: [u8; INLINE] },
    Long(Box<str>),
}

impl KeyText {
    pub(super) fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(free), Ok(len)) => {
                free.copy_from_slice(text.as_bytes());
                Self::Short { len, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => &bytes[..usize::from(*len)],
            Self::Long(text) => text.as_bytes(),
        }
    }

    #[inline]
    pub(super) fn is(&self, text: &[u8]) -> bool {
        match self {
            Self::Short { len, bytes } => usize::from(*len) == text.len() && is_short(bytes, text),
            Self::Long(own) => own.as_bytes() == text,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Short { .. } => {
                std::str::from_utf8(self.as_bytes()).expect("it was made of a whole string")
            }
            Self::Long(text) => text,
        }
    }
}

/// Whether a text is the beginning of these bytes. Two words that overlap, or three, are less than the call that any comparison of texts is.
#[inline]
fn is_short(bytes: &[u8; INLINE], text: &[u8]) -> bool {
    let own = &bytes[..text.len()];
    let (Some(start), Some(own_start), Some(end), Some(own_end)) = (
        text.first_chunk::<8>(),
        own.first_chunk::<8>(),
        text.last_chunk::<8>(),
        own.last_chunk::<8>(),
    ) else {
        return own == text;
    };
    let ends = start == own_start && end == own_end;
    ends && (text.len() <= 16 || text[8..16] == own[8..16])
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::KeyText;

    #[test]
    fn it_is_what_it_was_made_of() {
        assert_eq!(size_of::<KeyText>(), 24);
        for len in [0, 1, 21, 22, 23, 100, 300] {
            let text = "é".repeat(len / 2) + &"k".repeat(len % 2);
            let kept = KeyText::new(&text);
            assert_eq!((kept.as_str(), kept.as_bytes()), (&*text, text.as_bytes()));
            assert_eq!(matches!(kept, KeyText::Short { .. }), len <= 22);
        }
    }

    #[test]
    fn it_is_no_other_text_of_its_length() {
        for len in 0..=30 {
            let text = "k".repeat(len);
            let kept = KeyText::new(&text);
            assert!(kept.is(text.as_bytes()));
            assert!(!kept.is("k".repeat(len + 1).as_bytes()));
            for at in 0..len {
                let mut other = text.clone().into_bytes();
                other[at] = b'o';
                assert!(!kept.is(&other), "{len} {at}");
            }
        }
    }
}
