//! The scope of a key: who owns the entry.
//!
//! The key of a scoped entry is the key, then the scope as one more segment: `KEY:,SEGMENT`. Patterns and regions speak of `KEY`, in every
//! scope, so it must be possible to tell where `KEY` ends, whatever the arguments were. No other segment begins with a comma: literals
//! escape it, and no value's encoding begins with one (it only ends the elements of containers), nor is empty.
//!
//! The segment is the scope's own text, which is rendered as a key is, escaped once more as a whole, so that it holds no `:`;
//! `'` for the empty scope, and a digest for a long one.

use super::digest::{MARK, push_digest};
use super::escape::{Colon, escape};
use super::key::Key;
use super::text::{Full, Text};

/// What stands between a key and its scope.
const BETWEEN: &str = ":,";
/// The longest segment that is no digest.
const LONGEST: usize = 200;

/// Appends a scope, given as rendered text.
pub(super) fn push_scope(text: &mut Text, rendered: &str) -> Result<(), Full> {
    text.push(BETWEEN)?;
    let start = text.len();
    if rendered.is_empty() {
        return text.push("'");
    }
    escape(text, rendered, Colon::IsData)?;
    if text.len() - start > LONGEST {
        text.truncate(start);
        text.push(MARK.encode_utf8(&mut [0; 4]))?;
        push_digest(rendered.as_bytes(), text)?;
    }
    Ok(())
}

/// The key without its scope, and the scope's segment.
pub(super) fn split_scope(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(BETWEEN) {
        Some((key, segment)) => (key, Some(segment)),
        None => (text, None),
    }
}

/// The segment of a scope, given as rendered text.
pub(crate) fn segment_of(rendered: &str) -> String {
    let mut text = Text::new(usize::MAX);
    push_scope(&mut text, rendered).expect("a text without a limit is never full");
    text.as_str()[BETWEEN.len()..].to_owned()
}

/// The segment of a scope, given as text of the user's own.
pub(crate) fn scope_segment(scope: &str) -> String {
    segment_of(Key::new(scope).logical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::{LONGEST, scope_segment, split_scope};
    use crate::key::{Key, KeyBuf};

    #[test]
    fn a_scope_is_one_segment() {
        assert_eq!(scope_segment("user:7"), "user%3A7");
        assert_eq!(scope_segment(""), "'");
        assert_eq!(scope_segment("a,b"), "a%252Cb");
        let long = scope_segment(&"x".repeat(LONGEST + 1));
        assert!(long.starts_with('#') && long.len() == 33, "{long}");
        let key = Key::new("product:7").in_scope("user:7");
        assert_eq!(key.as_str(), "product:7:,user%3A7");
        assert_eq!(key.scope(), Some("user%3A7"));
        assert_eq!(key.region(), "product");
        assert_eq!(split_scope(key.as_str()), ("product:7", Some("user%3A7")));
    }

    #[test]
    fn another_scope_takes_the_place_of_the_first() {
        let key = Key::new("a").in_scope("one").in_scope("two");
        assert_eq!(key, Key::new("a").in_scope("two"));
        assert_ne!(key, Key::new("a").in_scope("one"));
        assert_ne!(key, Key::new("a"));
    }

    #[test]
    fn a_rendered_scope_agrees_with_one_by_hand() {
        let rendered = |id: &str| {
            let mut buffer = KeyBuf::new(usize::MAX, None);
            buffer.lit("product:");
            buffer.arg(&7);
            buffer.scope(|scope| {
                scope.lit("user:");
                scope.arg(id);
            });
            buffer.finish_key(0)
        };
        assert_eq!(rendered("7"), Key::new("product:7").in_scope("user:7"));
        assert_ne!(rendered("7:8"), Key::new("product:7").in_scope("user:7:8"));
        assert_ne!(rendered("7"), rendered("8"));
        let long = "x".repeat(600);
        for id in ["7", "7:8", "", "a b", &long] {
            let mut name = KeyBuf::new(usize::MAX, None);
            name.lit("user:");
            name.arg(id);
            let name = name.finish_key(0);
            assert_eq!(rendered(id), Key::new("product:7").in_scope_named(&name));
            let elsewhere = name.in_scope("elsewhere");
            assert_eq!(
                rendered(id),
                Key::new("product:7").in_scope_named(&elsewhere)
            );
        }
    }

    #[derive(Debug, Clone, Serialize)]
    enum Shape {
        Unit,
        New(String),
        Pair(Option<Option<String>>, Vec<String>),
    }

    fn shapes() -> impl Strategy<Value = Shape> {
        prop_oneof![
            Just(Shape::Unit),
            any::<String>().prop_map(Shape::New),
            any::<(Option<Option<String>>, Vec<String>)>().prop_map(|(a, b)| Shape::Pair(a, b)),
        ]
    }

    proptest! {
        #[test]
        fn no_argument_can_forge_a_scope(shape in shapes(), text in any::<String>()) {
            let mut buffer = KeyBuf::new(usize::MAX, None);
            buffer.lit("a:");
            buffer.arg(&shape);
            buffer.lit(":");
            buffer.arg(&text);
            buffer.lit("x:");
            buffer.arg(&Some(&text));
            let key = buffer.finish_key(0);
            prop_assert_eq!(split_scope(key.as_str()), (key.as_str(), None));
            let scoped = key.clone().in_scope(&text);
            prop_assert_eq!(split_scope(scoped.as_str()).0, key.as_str());
            prop_assert_eq!(scoped.scope(), Some(&*scope_segment(&text)));
        }
    }
}
