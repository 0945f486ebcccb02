//! Messages of the bus: what is said is heard, and what cannot be read is never half heard.

use std::time::Duration;

use super::Source;
use crate::{
    bus::{Gone, Manner, Message, News},
    key::Pattern,
    tags::Label,
};

/// The version this build speaks.
const VERSION: u8 = 1;

pub(super) fn check(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    match source.below(3) {
        0 => any(source.rest()),
        1 => any(&[&[VERSION], source.rest()].concat()),
        _ => whole(&mut source),
    }
}

/// Any bytes at all.
fn any(bytes: &[u8]) {
    let Some(heard) = Message::decode(bytes) else {
        return;
    };
    assert_eq!(bytes[0], VERSION, "another version may mean anything");
    let names = match &heard.news {
        News::Wake(keys) => keys.iter().map(|key| key.len()).sum(),
        News::Gone(gone) => size(gone),
        News::Anew => 0,
    };
    assert!(names <= bytes.len(), "more was read than was there");
    let again = Message::decode(&heard.encode()).expect("what we say can be read");
    assert!(again == heard || is_everything(&again.news), "{heard:?}");
}

/// A message of ours, then the same one damaged.
fn whole(source: &mut Source<'_>) {
    let said = Message {
        id: source.array(),
        sender: source.array(),
        database: u32::from_le_bytes(source.array()),
        news: news(source),
    };
    let bytes = said.encode();
    assert!(bytes.len() <= 64 * 1024);
    let heard = Message::decode(&bytes).expect("what we say can be read");
    let (mut total, mut longest) = (0, 0);
    names(&said.news, |name| {
        total += name + 3;
        longest = longest.max(name);
    });
    // What does not fit means everything, and nothing else does.
    if total > 64 * 1024 - 48 || longest > 8 * 1024 {
        assert!(is_everything(&heard.news), "{said:?}");
    } else {
        assert_eq!(heard, said);
    }
    let length =
        usize::try_from(source.u64() % bytes.len() as u64).expect("shorter than the message");
    assert_eq!(
        Message::decode(&bytes[..length]),
        None,
        "cut off at {length}"
    );
    let more = [&bytes[..], &[source.byte()]].concat();
    assert_eq!(Message::decode(&more), None, "with something behind it");
    let mut other = bytes;
    other[0] = source.byte();
    if other[0] != VERSION {
        assert_eq!(
            Message::decode(&other),
            None,
            "another version may mean anything"
        );
    }
    other[0] = VERSION;
    let at = usize::try_from(source.u64() % other.len() as u64).expect("within the message");
    other[at] = source.byte();
    any(&other);
}

fn news(source: &mut Source<'_>) -> News {
    let texts = |source: &mut Source<'_>| source.several(200, |source| source.text().into());
    match source.below(4) {
        0 => News::Wake(texts(source)),
        1 => News::Anew,
        kind => News::Gone(Gone {
            manner: if kind == 2 {
                Manner::Evict
            } else {
                Manner::Expire
            },
            keys: texts(source),
            labels: source.several(9, |source| Label::stored(&source.text())),
            patterns: source.several(9, |source| Pattern::parse(&source.text())),
            hold: Duration::from_millis(source.u64()),
        }),
    }
}

/// The length of each name.
fn names(news: &News, mut name: impl FnMut(usize)) {
    match news {
        News::Anew => {}
        News::Wake(keys) => keys.iter().for_each(|key| name(key.len())),
        News::Gone(gone) => {
            gone.keys.iter().for_each(|key| name(key.len()));
            gone.labels
                .iter()
                .for_each(|label| name(label.as_str().len()));
            gone.patterns
                .iter()
                .for_each(|pattern| name(pattern.to_text().len()));
        }
    }
}

fn size(gone: &Gone) -> usize {
    let mut size = 0;
    names(&News::Gone(gone.clone()), |name| size += name);
    size
}

fn is_everything(news: &News) -> bool {
    matches!(news, News::Gone(gone) if gone.labels == [Label::cache()] && gone.keys.is_empty() && gone.patterns.is_empty())
}
