//! Which characters have a meaning, and how the others keep theirs.
//!
//! A value must not be able to write structure: not the separator of segments, not a glob, not the hash tag of Redis
//! Cluster, not the brackets of the value encoding, not a line break in a log. Those characters become `%XX`, one per
//! byte of UTF-8, upper-case. The macros escape the literals of a template by the same list (and leave `:` alone), so
//! the list is a contract between two crates and never shrinks.

use super::text::{Full, Text};

/// What `:` means where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colon {
    /// In a literal: it ends a segment.
    Separates,
    /// In a value: a character like any other, so it is escaped.
    IsData,
}

/// Whether a value may not contain this character unescaped.
#[inline]
pub(super) fn is_reserved(c: char) -> bool {
    if c.is_ascii() {
        RESERVED[c as usize]
    } else {
        c.is_whitespace() || c.is_control()
    }
}

/// Whether a literal may not contain this character unescaped.
#[inline]
pub(super) fn is_reserved_in_literal(c: char) -> bool {
    c != ':' && is_reserved(c)
}

const RESERVED: [bool; 128] = reserved_ascii();

const fn reserved_ascii() -> [bool; 128] {
    let mut table = [false; 128];
    let mut control = 0;
    while control <= b' ' as usize {
        table[control] = true;
        control += 1;
    }
    table[0x7f] = true;
    let signs = b":*?[]{}\\%#,()=~'";
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
}

/// Bytes at which a run of harmless ones ends: reserved, or the start of a character that needs a look.
const ENDS_RUN: [bool; 256] = {
    let mut table = [true; 256];
    let mut ascii = 0;
    while ascii < RESERVED.len() {
        table[ascii] = RESERVED[ascii];
        ascii += 1;
    }
    table
};

/// Appends `raw` with its reserved characters escaped. Runs of harmless characters are copied whole.
#[inline]
pub(super) fn escape(text: &mut Text, raw: &str, colon: Colon) -> Result<(), Full> {
    let end = if is_one_run(raw.as_bytes()) {
        None
    } else {
        end_of_run(raw)
    };
    match end {
        None => text.push(raw),
        Some(at) => escape_from(text, raw, at, colon),
    }
}

/// Whether all of it is a run, looked at eight bytes at a time, without a branch between them; of less than that nothing is said.
#[inline]
fn is_one_run(bytes: &[u8]) -> bool {
    let ends = |any: bool, byte: &u8| any | ENDS_RUN[usize::from(*byte)];
    let ends = |word: &[u8; 8]| word.iter().fold(false, ends);
    let last = bytes.last_chunk();
    last.is_some_and(|last| !ends(last) && !bytes.as_chunks().0.iter().any(ends))
}

#[inline]
fn end_of_run(raw: &str) -> Option<usize> {
    raw.bytes().position(|byte| ENDS_RUN[byte as usize])
}

/// `at` is the first byte that may need an escape.
fn escape_from(text: &mut Text, raw: &str, mut at: usize, colon: Colon) -> Result<(), Full> {
    let mut copied = 0;
    while let Some(c) = raw[at..].chars().next() {
        let after = at + c.len_utf8();
        if is_reserved(c) && !(c == ':' && colon == Colon::Separates) {
            text.push(&raw[copied..at])?;
            raw[at..after]
                .bytes()
                .try_for_each(|byte| push_percent(text, byte))?;
            copied = after;
        }
        at = end_of_run(&raw[after..]).map_or(raw.len(), |run| after + run);
    }
    text.push(&raw[copied..])
}

/// A text of the user's as data: nothing in it means anything to keys, globs or Redis.
#[cfg(feature = "redis")]
pub(crate) fn escaped(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        push_literal_char(&mut out, c, is_reserved(c));
    }
    out
}

/// Appends one character as it stands in a literal.
pub(super) fn push_literal_char(out: &mut String, c: char, escaped: bool) {
    if !escaped {
        return out.push(c);
    }
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        out.push('%');
        out.push(upper_hex(byte >> 4));
        out.push(upper_hex(byte & 0xf));
    }
}

fn push_percent(text: &mut Text, byte: u8) -> Result<(), Full> {
    let mut utf8 = [b'%', 0, 0];
    upper_hex(byte >> 4).encode_utf8(&mut utf8[1..]);
    upper_hex(byte & 0xf).encode_utf8(&mut utf8[2..]);
    text.push_ascii(&utf8)
}

fn upper_hex(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16)
        .expect("a nibble is below 16")
        .to_ascii_uppercase()
}

/// A character of an encoded text, and whether it stood there as `%XX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Unit {
    pub(super) c: char,
    pub(super) escaped: bool,
}

impl Unit {
    /// How a literal spells `c`.
    pub(super) fn literal(c: char) -> Self {
        Self {
            c,
            escaped: is_reserved_in_literal(c),
        }
    }

    /// The unit at the start of an encoded text, and the bytes it takes. A `%` that starts no valid escape (in a key that
    /// someone else wrote) stands for itself.
    pub(super) fn first(encoded: &str) -> Option<(Self, usize)> {
        let c = encoded.chars().next()?;
        if c == '%'
            && let Some((c, width)) = decode(encoded.as_bytes())
        {
            return Some((Self { c, escaped: true }, width));
        }
        Some((Self { c, escaped: false }, c.len_utf8()))
    }

    /// The units of an encoded text.
    pub(super) fn all(encoded: &str) -> impl Iterator<Item = Self> {
        let mut rest = encoded;
        std::iter::from_fn(move || {
            let (unit, width) = Self::first(rest)?;
            rest = &rest[width..];
            Some(unit)
        })
    }
}

/// Whether keys and values could have been written so: nothing is escaped that need not be, and what is reserved and not escaped is structure.
pub(super) fn is_encoded(text: &str) -> bool {
    const STRUCTURE: &str = ":(),=~'#";
    Unit::all(text).all(|unit| match unit.escaped {
        true => is_reserved(unit.c),
        false => !is_reserved(unit.c) || STRUCTURE.contains(unit.c),
    })
}

/// Decodes the run of `%XX` that spells one character.
fn decode(encoded: &[u8]) -> Option<(char, usize)> {
    let mut utf8 = [0; 4];
    let width = match percent(encoded)? {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => return None,
    };
    for (index, byte) in utf8[..width].iter_mut().enumerate() {
        *byte = percent(encoded.get(3 * index..)?)?;
    }
    let c = std::str::from_utf8(&utf8[..width]).ok()?.chars().next()?;
    Some((c, 3 * width))
}

fn percent(encoded: &[u8]) -> Option<u8> {
    match encoded {
        [b'%', high, low, ..] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    }
}

/// Upper case only: the canonical text has one spelling of everything.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Colon, Unit, escape, is_reserved};
    use crate::key::text::Text;
    use proptest::prelude::*;

    fn escaped(raw: &str, colon: Colon) -> String {
        let mut text = Text::new(usize::MAX);
        escape(&mut text, raw, colon).unwrap();
        text.as_str().to_owned()
    }

    #[test]
    fn every_sign_of_the_contract_is_escaped() {
        for c in ":*?[]{}\\%#,()=~' \t\r\n\0\u{7f}\u{85}\u{a0}\u{2028}\u{3000}".chars() {
            assert!(is_reserved(c), "{c:?}");
        }
        assert_eq!(escaped("a:b*\r\n\0", Colon::IsData), "a%3Ab%2A%0D%0A%00");
        assert_eq!(escaped("a:b c", Colon::Separates), "a:b%20c");
        assert_eq!(escaped("\u{2028}é", Colon::IsData), "%E2%80%A8é");
        assert_eq!(
            escaped("plain-._/@!$&+;<>|^`\"é漢🦀", Colon::IsData),
            "plain-._/@!$&+;<>|^`\"é漢🦀"
        );
    }

    #[test]
    fn a_sign_is_found_wherever_it_stands() {
        for length in 1..=40 {
            for at in 0..length {
                let (before, behind) = ("x".repeat(at), "y".repeat(length - at - 1));
                let is = escaped(&format!("{before}*{behind}"), Colon::IsData);
                assert_eq!(is, format!("{before}%2A{behind}"));
            }
        }
    }

    #[test]
    fn a_broken_escape_stands_for_itself() {
        let units = |text| {
            Unit::all(text)
                .map(|unit| (unit.c, unit.escaped))
                .collect::<Vec<_>>()
        };
        assert_eq!(units("%2A%C3%A9"), [('*', true), ('é', true)]);
        assert_eq!(units("%2a"), [('%', false), ('2', false), ('a', false)]);
        assert_eq!(
            units("%C3%"),
            [('%', false), ('C', false), ('3', false), ('%', false)]
        );
        assert_eq!(units("%80"), [('%', false), ('8', false), ('0', false)]);
    }

    proptest! {
        #[test]
        fn decoding_gives_the_characters_back(raw in any::<String>()) {
            let text = escaped(&raw, Colon::IsData);
            prop_assert_eq!(Unit::all(&text).map(|unit| unit.c).collect::<String>(), raw);
            prop_assert!(text.chars().all(|c| c == '%' || !is_reserved(c)));
        }
    }
}
