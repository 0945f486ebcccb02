//! The text of a tag: one for everything that reads alike.
//!
//! **Problem.** A key has to tell the argument `urn:x` from two segments, `""` from `None`. Tags are made in more ways than keys are, by templates
//! and by functions that write text: `"author:{author}"` and `format!("author:{author}")` have to be the same tag, or an eviction by the one misses
//! silently what carries the other.
//!
//! **Decision.** What was rendered is read back as text: escapes decoded, the marks of `None` and of the empty string left out. That text is encoded like
//! any other text of a user's own. Tags are matched whole, so that two things which read alike become one tag evicts too much at worst.

use std::borrow::Cow;

use super::digest::MAX_TEXT;
use super::escape::{Unit, is_reserved_in_literal};
use super::key::Key;

/// Whether this is ASCII and, rendered in full, the text of a tag as it stands.
#[inline]
pub(crate) fn is_canonical(rendered: &[u8]) -> bool {
    let stands_for_itself =
        |byte: &u8| byte.is_ascii() && !is_reserved_in_literal(char::from(*byte));
    rendered.len() <= MAX_TEXT && rendered.iter().all(stands_for_itself)
}

/// The text of a tag, given as it was rendered, in full.
pub(crate) fn canonical(rendered: &str) -> Cow<'_, str> {
    if rendered.len() <= MAX_TEXT && !rendered.contains(is_reserved_in_literal) {
        return Cow::Borrowed(rendered);
    }
    let is_mark = |unit: &Unit| !unit.escaped && matches!(unit.c, '\'' | '~');
    let units = Unit::all(rendered).filter(|unit| !is_mark(unit));
    let plain: String = units.map(|unit| unit.c).collect();
    Cow::Owned(Key::new(&plain).text().to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::{canonical, is_canonical};
    use crate::key::{Key, KeyBuf};

    fn rendered(literal: &'static str, v: &impl Serialize) -> Key {
        let mut buffer = KeyBuf::new(usize::MAX, None);
        buffer.lit(literal);
        buffer.arg(v);
        buffer.finish_key(0)
    }

    #[test]
    fn simple_tags_are_what_they_always_were() {
        for (key, is) in [
            (Key::new("hot"), "hot"),
            (rendered("user:", &7), "user:7"),
            (rendered("user:", &"é-漢/1.5"), "user:é-漢/1.5"),
            (Key::new("a b"), "a%20b"),
            (rendered("", &"a b"), "a%20b"),
            (rendered("user:", &"urn:x"), "user:urn:x"),
            (rendered("user:", &"100%"), "user:100%25"),
            (rendered("user:", &""), "user:"),
            (rendered("user:", &None::<u8>), "user:"),
            (rendered("user:", &Some(7)), "user:7"),
            (rendered("user:", &"~'"), "user:%7E%27"),
            (rendered("at:", &(1, "x")), "at:%281%2Cx%2C%29"),
        ] {
            assert_eq!(canonical(key.logical()), is);
            let stands = key.logical() == is && is.is_ascii() && !is.contains('%');
            assert_eq!(is_canonical(key.logical().as_bytes()), stands, "{is}");
        }
    }

    proptest! {
        #[test]
        fn a_template_gives_what_its_text_gives(value in any::<String>(), filler in 0..600_usize) {
            let value = value + &"x".repeat(filler);
            let (template, text) = (rendered("author:", &value), Key::new(&format!("author:{value}")));
            prop_assert_eq!(canonical(template.logical()), text.text());
            prop_assert_eq!(canonical(text.logical()), text.text());
            let is_canonical = is_canonical(template.logical().as_bytes());
            prop_assert!(!is_canonical || template.logical() == text.text());
        }
    }
}
