//! The bytes of a message.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0 | version, 1 |
//! | 1..17 | random id: a message may arrive more than once |
//! | 17..33 | sender: the cache instance |
//! | 33..37 | database: channels are those of the whole server |
//! | 37 | kind: 1 = wake, 2 = evicted, 3 = expired, 4 = registry made anew |
//! | 38..46 | hold, milliseconds |
//! | 46..48 | how many names follow, so that a message that was cut off is not taken for a shorter one |
//! | 48.. | names: what each is (1 byte: key, label, pattern), its length (2 bytes), its text |
//!
//! What cannot be read, of another version or damaged, may have meant anything. So may what does not fit: instead of it the message says
//! "everything".

use std::time::Duration;

use super::{Gone, Manner, News};
use crate::{key::Pattern, tags::Label};

const VERSION: u8 = 1;
const NAMES: usize = 46;
const HEADER: usize = 48;
const WAKE: u8 = 1;
const ANEW: u8 = 4;
const EVICTED: u8 = 2;
const EXPIRED: u8 = 3;
const KEY: u8 = b'k';
const LABEL: u8 = b'l';
const PATTERN: u8 = b'p';
/// Longer messages are not ours, which bounds the number of names as well.
const LONGEST: usize = 64 * 1024;
/// Keys and labels are of some hundred bytes; a pattern may be of any length.
const LONGEST_NAME: usize = 8 * 1024;

/// A cache instance: 128 random bits (two caches of one name may live in a process, and every container has a process 1).
pub type Sender = [u8; 16];

/// What one cache instance tells all others, and itself.
///
/// ```
/// use cache_runtime::tier::{Message, News};
///
/// let message = Message {
///     id: *b"0123456789abcdef",
///     sender: *b"fedcba9876543210",
///     database: 0,
///     news: News::Wake(vec!["product:7".into()]),
/// };
/// assert_eq!(Message::decode(&message.encode()), Some(message));
/// assert_eq!(Message::decode(b"hello"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Random: a message may arrive more than once, and is heard once.
    pub id: [u8; 16],
    /// Who says it.
    pub sender: Sender,
    /// Of which numbered database it speaks, where one channel serves several; else zero.
    pub database: u32,
    /// What it says.
    pub news: News,
}

impl Message {
    /// Its bytes, at most 64 KiB. News that do not fit are replaced by "everything was evicted" (or expired).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.write(&self.news).unwrap_or_else(|| {
            let everything = News::Gone(everything(&self.news));
            self.write(&everything).expect("one short name fits")
        })
    }

    /// Reads a message. `None` if it is damaged or of another version: it may have said anything, so whoever hears it has
    /// missed something ([`Listener::lost`](super::Listener::lost)). Never panics, whatever the bytes are.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, mut names) = bytes.split_at_checked(HEADER)?;
        if bytes.len() > LONGEST || header[0] != VERSION {
            return None;
        }
        let hold = u64::from_be_bytes(array(header, 38)?);
        let mut gone = Gone {
            manner: Manner::Evict,
            hold: Duration::from_millis(hold),
            ..Gone::default()
        };
        for _ in 0..u16::from_be_bytes(array(header, NAMES)?) {
            names = take_name(names, &mut gone)?;
        }
        if !names.is_empty() {
            return None;
        }
        let news = match header[37] {
            WAKE => News::Wake(gone.keys),
            ANEW => News::Anew,
            EVICTED => News::Gone(gone),
            EXPIRED => News::Gone(Gone {
                manner: Manner::Expire,
                ..gone
            }),
            _ => return None,
        };
        Some(Self {
            id: array(header, 1)?,
            sender: array(header, 17)?,
            database: u32::from_be_bytes(array(header, 33)?),
            news,
        })
    }

    /// `None` if it does not fit.
    fn write(&self, news: &News) -> Option<Vec<u8>> {
        let (kind, hold) = match news {
            News::Wake(_) => (WAKE, Duration::ZERO),
            News::Anew => (ANEW, Duration::ZERO),
            News::Gone(gone) if gone.manner == Manner::Expire => (EXPIRED, gone.hold),
            News::Gone(gone) => (EVICTED, gone.hold),
        };
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.sender);
        out.extend_from_slice(&self.database.to_be_bytes());
        out.push(kind);
        let hold = u64::try_from(hold.as_millis()).unwrap_or(u64::MAX);
        out.extend_from_slice(&hold.to_be_bytes());
        let count = write_names(&mut out, news)?;
        out[NAMES..HEADER].copy_from_slice(&count.to_be_bytes());
        (out.len() <= LONGEST).then_some(out)
    }
}

/// What a message too long to be sent is replaced by.
fn everything(news: &News) -> Gone {
    let (manner, hold) = match news {
        News::Wake(_) | News::Anew => (Manner::Evict, Duration::ZERO),
        News::Gone(gone) => (gone.manner, gone.hold),
    };
    Gone {
        manner,
        hold,
        labels: vec![Label::cache()],
        ..Gone::default()
    }
}

/// The names, behind room for their number, which it returns.
fn write_names(out: &mut Vec<u8>, news: &News) -> Option<u16> {
    let mut count = 0_u16;
    out.extend_from_slice(&count.to_be_bytes());
    let mut put = |what, text: &str| {
        let length = u16::try_from(text.len()).ok()?;
        count = count.checked_add(1)?;
        out.push(what);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(text.as_bytes());
        (text.len() <= LONGEST_NAME).then_some(())
    };
    match news {
        News::Anew => {}
        News::Wake(keys) => keys.iter().try_for_each(|key| put(KEY, key))?,
        News::Gone(gone) => {
            gone.keys.iter().try_for_each(|key| put(KEY, key))?;
            let mut labels = gone.labels.iter();
            labels.try_for_each(|label| put(LABEL, label.as_str()))?;
            let mut patterns = gone.patterns.iter();
            patterns.try_for_each(|pattern| put(PATTERN, &pattern.to_text()))?;
        }
    }
    Some(count)
}

/// Puts one name where it belongs; what follows it.
fn take_name<'a>(names: &'a [u8], gone: &mut Gone) -> Option<&'a [u8]> {
    let (what, rest) = names.split_first()?;
    let (length, rest) = rest.split_at_checked(2)?;
    let length = u16::from_be_bytes(array(length, 0)?);
    let (text, rest) = rest.split_at_checked(length.into())?;
    let text = std::str::from_utf8(text).ok()?;
    match *what {
        KEY => gone.keys.push(text.into()),
        LABEL => gone.labels.push(Label::stored(text)),
        PATTERN => gone.patterns.push(Pattern::from_text(text)?),
        _ => return None,
    }
    Some(rest)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{HEADER, LONGEST, LONGEST_NAME, Message, NAMES};
    use crate::{
        bus::{Gone, Manner, News},
        key::Pattern,
        tags::Label,
    };

    fn message(news: News) -> Message {
        Message {
            id: *b"0123456789abcdef",
            database: 3,
            sender: *b"fedcba9876543210",
            news,
        }
    }

    fn bytes(news: News) -> Vec<u8> {
        message(news).encode()
    }

    fn gone() -> News {
        News::Gone(Gone {
            manner: Manner::Expire,
            keys: vec!["product:7".into(), "".into()],
            labels: vec![Label::stored("hot"), Label::cache()],
            patterns: vec![Pattern::parse("a:[x-z]?*"), Pattern::region("b")],
            hold: Duration::from_secs(2),
        })
    }

    #[test]
    fn what_was_said_is_heard() {
        for news in [gone(), News::Wake(vec!["a".into()]), News::Anew] {
            let said = message(news);
            assert_eq!(Message::decode(&said.encode()), Some(said));
        }
    }

    /// Builds of one fleet talk to each other: a change here is a new version.
    #[test]
    fn the_bytes_are_pinned() {
        let hex: String = bytes(gone())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, include_str!("golden_message.hex").trim());
    }

    #[test]
    fn another_version_may_mean_anything() {
        let mut other = bytes(gone());
        other[0] = 2;
        assert_eq!(Message::decode(&other), None);
    }

    #[test]
    fn what_is_too_long_to_be_said_is_everything() {
        let many = vec!["product:7".into(); 8_000];
        let hold = Duration::from_secs(2);
        for gone in [
            Gone {
                keys: many,
                hold,
                ..Gone::default()
            },
            Gone {
                patterns: vec![Pattern::parse(&"a".repeat(LONGEST_NAME))],
                hold,
                ..Gone::default()
            },
        ] {
            let everything = News::Gone(Gone {
                labels: vec![Label::cache()],
                hold,
                ..Gone::default()
            });
            let heard = Message::decode(&bytes(News::Gone(gone))).unwrap();
            assert_eq!(heard.news, everything);
        }
    }

    #[test]
    fn what_is_longer_than_any_message_is_not_read() {
        let many = vec!["product:7".into(); 5_000];
        let mut long = bytes(News::Wake(many));
        assert!(Message::decode(&long).is_some());
        long.resize(LONGEST + 1, 0);
        assert_eq!(Message::decode(&long), None);
    }

    fn texts() -> impl Strategy<Value = Vec<Box<str>>> {
        proptest::collection::vec("\\PC{0,12}".prop_map(Into::into), 0..6)
    }

    fn any_news() -> impl Strategy<Value = News> {
        let gone = (any::<bool>(), texts(), texts(), texts(), 0..1_000_000_u64);
        let gone = gone.prop_map(|(expire, keys, labels, patterns, hold)| {
            News::Gone(Gone {
                manner: if expire {
                    Manner::Expire
                } else {
                    Manner::Evict
                },
                keys,
                labels: labels.iter().map(|text| Label::stored(text)).collect(),
                patterns: patterns.iter().map(|text| Pattern::parse(text)).collect(),
                hold: Duration::from_millis(hold),
            })
        });
        prop_oneof![texts().prop_map(News::Wake), gone]
    }

    proptest! {
        #[test]
        fn any_news_is_heard_as_it_was_said(news in any_news()) {
            prop_assert_eq!(Message::decode(&bytes(news.clone())).map(|heard| heard.news), Some(news));
        }

        #[test]
        fn nothing_is_half_heard(news in any_news(), more: u8) {
            let mut whole = bytes(news);
            for length in 0..whole.len() {
                prop_assert_eq!(Message::decode(&whole[..length]), None);
            }
            whole.push(more);
            prop_assert_eq!(Message::decode(&whole), None);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Message::decode(&bytes);
        }

        #[test]
        fn arbitrary_names_never_panic(count: u16, tail: Vec<u8>) {
            let mut bytes = bytes(News::Wake(Vec::new()));
            bytes[NAMES..HEADER].copy_from_slice(&count.to_be_bytes());
            bytes.extend(tail);
            let _ = Message::decode(&bytes);
        }
    }
}
