//! Keys: a text is read back, different arguments have different keys, and all that belongs to one key has one slot.

use super::{
    Source,
    values::{Text, Value},
};
use crate::key::{Key, KeyBuf, canonical};

/// What a template is called with.
#[derive(Clone, Debug, PartialEq)]
struct Arguments {
    word: String,
    value: Value,
    scope: Option<String>,
}

impl Arguments {
    fn take(source: &mut Source<'_>) -> Self {
        Self {
            word: source.text(),
            value: Value::take(source, 4),
            scope: source.flag().then(|| source.text()),
        }
    }

    /// The key of `LITERAL{word}:{value}`, in its scope.
    fn key(&self, literal: &'static str) -> Key {
        let mut buffer = KeyBuf::new(usize::MAX, None);
        buffer.lit(literal);
        buffer.arg(&self.word);
        buffer.lit(":");
        buffer.arg(&self.value);
        let key = buffer.finish_key(0);
        match &self.scope {
            Some(scope) => key.in_scope(scope),
            None => key,
        }
    }

    /// The arguments that a text was made of; the scope is not read.
    fn read(text: &str, literal: &str) -> Option<(String, Value)> {
        let mut text = Text(text.strip_prefix(literal)?);
        let word = text.word_alone()?;
        text.expect(":")?;
        let value = text.value()?;
        text.0.is_empty().then_some((word, value))
    }
}

pub(super) fn check(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let literal = source.one_of(&["product:", "", "a:b:", "x", "%20:"]);
    let one = Arguments::take(&mut source);
    let mut other = one.clone();
    match source.below(4) {
        0 => other.word = source.text(),
        1 => other.value = Value::take(&mut source, 4),
        2 => other.scope = source.flag().then(|| source.text()),
        _ => other = Arguments::take(&mut source),
    }
    let keys = [one.key(literal), other.key(literal)];
    for (arguments, key) in [&one, &other].into_iter().zip(&keys) {
        key.usable().expect("nothing limits the text");
        let read = Arguments::read(key.without_scope(), literal);
        assert_eq!(
            read,
            Some((arguments.word.clone(), arguments.value.clone())),
            "{key}"
        );
        assert_eq!(key.scope().is_some(), arguments.scope.is_some(), "{key}");
        let one_segment = key.scope().is_none_or(|scope| !scope.contains(':'));
        assert!(one_segment, "{key}");
        well_formed(key);
    }
    let [one_key, other_key] = &keys;
    assert_eq!(one == other, one_key == other_key, "{one:?} {other:?}");
    assert_eq!(
        one == other,
        one_key.text() == other_key.text(),
        "{one:?} {other:?}"
    );
    // Text of the user's own: any at all, and different for different texts.
    let texts = [source.text(), source.text()];
    let own = [Key::new(&texts[0]), Key::new(&texts[1])];
    own.iter().for_each(well_formed);
    assert_eq!(
        texts[0] == texts[1],
        own[0].text() == own[1].text(),
        "{texts:?}"
    );
    // A tag is its text, whether a template or its user wrote it.
    let mut tag = KeyBuf::new(usize::MAX, None);
    tag.lit("author:");
    tag.arg(&texts[0]);
    let (tag, written) = (tag.finish_key(0), Key::new(&format!("author:{}", texts[0])));
    assert_eq!(canonical(tag.logical()), written.text(), "{texts:?}");
    assert_eq!(canonical(written.logical()), written.text(), "{texts:?}");
}

/// What holds for every key, however it was made.
fn well_formed(key: &Key) {
    let text = key.text();
    // A key has at most 512 bytes, its scope 202 more.
    assert!(text.len() <= 512 + 202, "{text}");
    assert!(text.starts_with(key.region()), "{text}");
    let harmless = |c: char| !c.is_control() && !c.is_whitespace() && !"*?[]{}\\".contains(c);
    assert!(text.chars().all(harmless), "{text:?}");
    in_one_slot(text);
}

/// Value, lease, hold and note share a slot, and the names of the first two are read back.
fn in_one_slot(text: &str) {
    let names = crate::tiers::redis::names_of("shop", text);
    let tag = if text.is_empty() { "%" } else { text };
    for name in &names.all {
        assert_eq!(hash_tag(name), tag, "{name}");
    }
    assert_eq!(
        names.read_back,
        [Some(text), Some(text)].map(|it| it.map(str::to_owned))
    );
}

/// What Redis Cluster hashes of a key: what is between the first `{` and the next `}`, unless that is nothing.
fn hash_tag(name: &str) -> &str {
    let behind = name
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    match behind {
        Some((tag, _)) if !tag.is_empty() => tag,
        _ => name,
    }
}
