//! What a person means by the text of a key.
//!
//! **Problem.** Keys, scopes and tags are shown encoded (`product:a%3Ab:,user%3A7`), and text that is typed is not: encoding what was copied a second time
//! names another entry, and so does not encoding what was typed. Which of them a text is cannot always be told: an apostrophe is a sign
//! of the encoding, and one that people write.
//!
//! **Decision.** Every reading of the text that could be meant. Nearly always there is one. Where there are two, an inspection shows the one
//! that is stored, and an eviction takes both: at worst an entry is loaded that need not have been.

use cache_runtime::{Evict, Key};

/// The keys that are meant by a text, in a scope if one is given; the likelier first, at most four.
pub(super) fn keys(text: &str, scope: Option<&str>) -> Vec<Key> {
    let keys = as_shown_or_typed(text);
    let Some(scope) = scope.filter(|scope| !scope.is_empty()) else {
        return keys;
    };
    let scopes = scopes(scope);
    let both = |key: &Key| -> Vec<Key> {
        let scoped = |scope| key.clone().in_scope_named(scope);
        scopes.iter().map(scoped).collect()
    };
    keys.iter().flat_map(both).collect()
}

/// What is evicted with the scope that is meant: its own text, typed or shown, or its segment in a key.
pub(super) fn scope(text: &str) -> Evict {
    let scopes = scopes(text);
    let more = decoded(text)
        .into_iter()
        .flat_map(|text| self::scopes(&text));
    joined(
        scopes
            .into_iter()
            .chain(more)
            .map(|scope| Evict::scope_named(&scope)),
    )
}

/// What is evicted with the tag that is meant.
pub(super) fn tag(text: &str) -> Evict {
    joined(plain(text).map(Evict::tag))
}

/// What is evicted with the region that is meant.
pub(super) fn region(text: &str) -> Evict {
    joined(plain(text).map(Evict::region))
}

/// The characters behind the escapes, if there are any and all can be read.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        (bytes, rest) = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                bytes.push(nibble(*high)? << 4 | nibble(*low)?);
                (bytes, behind)
            }
            (b'%', _) => return None,
            (plain, behind) => {
                bytes.push(*plain);
                (bytes, behind)
            }
        };
    }
    let plain = String::from_utf8(bytes).ok()?;
    (plain != text).then_some(plain)
}

fn nibble(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

fn scopes(text: &str) -> Vec<Key> {
    as_shown_or_typed(text)
}

fn as_shown_or_typed(text: &str) -> Vec<Key> {
    let typed = Key::new(text);
    match Key::from_shown(text) {
        Some(shown) if shown != typed => vec![shown, typed],
        _ => vec![typed],
    }
}

fn plain(text: &str) -> impl Iterator<Item = String> {
    [text.to_owned()].into_iter().chain(decoded(text))
}

fn joined(all: impl Iterator<Item = Evict>) -> Evict {
    all.fold(Evict::default(), Evict::and)
}

#[cfg(test)]
mod tests {
    use cache_runtime::{Key, key};

    use super::{decoded, keys};

    #[test]
    fn what_is_shown_of_a_key_names_it() {
        let (id, user) = ("a:b c", "urn:7");
        let mine = key!("basket:{id}").in_scope_named(&key!("user:{user}"));
        assert!(keys(mine.as_str(), None).contains(&mine));
        assert!(keys("basket:a%3Ab%20c", Some("user:urn%3A7")).contains(&mine));
        assert_eq!(
            keys("basket:7", Some("user:1")),
            [Key::new("basket:7").in_scope("user:1")]
        );
    }

    #[test]
    fn what_is_typed_is_taken_as_it_is() {
        assert_eq!(keys("product:7", None), [Key::new("product:7")]);
        assert_eq!(keys("a b*", None), [Key::new("a b*")]);
        assert!(keys("50%25", None).contains(&Key::new("50%25")));
        assert!(keys("it's", None).contains(&Key::new("it's")));
    }

    #[test]
    fn escapes_are_undone_only_where_all_of_them_are_some() {
        assert_eq!(decoded("user%3A7").as_deref(), Some("user:7"));
        assert_eq!(decoded("caf%C3%A9").as_deref(), Some("café"));
        for plain in ["user:7", "50%", "%zz", "%+1", "%FF"] {
            assert_eq!(decoded(plain), None, "{plain}");
        }
    }
}
