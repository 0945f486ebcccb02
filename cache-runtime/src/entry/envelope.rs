//! The form of an entry in Redis.
//!
//! A plain string, so that a hit is one `GET`. All numbers are big-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..16 | token of the load that stored it |
//! | 16..18 | magic `CA C4` |
//! | 18 | format version, 3 |
//! | 19 | codec, 1 = JSON |
//! | 20 | flags: 1 = the value is `None`, 2 = a full key, 4 = tags, 8 = a window, 16 = an instantiation |
//! | 21 | expired early (outside the checksum, so that a script can set it in place) |
//! | 22..26 | schema version of the value |
//! | 26..32 | birth, milliseconds of the server's clock |
//! | 32..38 | fresh until, likewise |
//! | 38..42 | how long the load took, microseconds |
//! | 42..50 | fingerprint of the key's template |
//! | 50..54 | CRC-32 of all bytes but 21 and 50..54 |
//! | 54..56 | how many bytes of the key are the region the entry carries |
//! | 56..64 | the generations of cache, regions and scope, folded: what an eviction replaces |
//! | 64..72 | likewise: what `expire` replaces |
//!
//! What most entries do without follows only where a flag says so, in this order, and then the payload:
//!
//! | flag | what |
//! | --- | --- |
//! | 8 | stale until (6 bytes), where that is not when it ceases to be fresh |
//! | 16 | fingerprint of the instantiation (8 bytes), where that is not zero |
//! | 2 | length (4 bytes) and text of the full key |
//! | 4 | number of tags (2 bytes); for each its length (2 bytes), its text, and its generation's halves (8 bytes each) |
//!
//! The scripts read the token, the magic and the schema version at these offsets, and set the byte at 21.

use std::time::Duration;

use bytes::Bytes;

use super::token::Token;
use crate::tags::{Fold, Label};

const MAGIC: [u8; 2] = [0xCA, 0xC4];
const FORMAT: u8 = 3;
const CODEC_JSON: u8 = 1;
const FLAG_ABSENT: u8 = 1;
const FLAG_FULL_KEY: u8 = 2;
const FLAG_TAGS: u8 = 4;
const FLAG_WINDOW: u8 = 8;
const FLAG_INSTANCE: u8 = 16;
const FLAGS: u8 = FLAG_ABSENT | FLAG_FULL_KEY | FLAG_TAGS | FLAG_WINDOW | FLAG_INSTANCE;
/// More tags than an entry ever has.
const MOST_TAGS: usize = 64;
const EXPIRED_AT: usize = 21;
const CHECKSUM_AT: usize = 50;
const CHECKSUM_END: usize = 54;
const HEADER: usize = 72;
/// A window and an instantiation.
const MORE: usize = 14;
/// Six bytes of milliseconds reach to the year 10,889.
const MAX_MILLIS: u64 = (1 << 48) - 1;

/// What an entry says about its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) token: Token,
    /// The value is `None`.
    pub(crate) absent: bool,
    /// Marked as past its ttl by hand.
    pub(crate) expired: bool,
    pub(crate) schema: u32,
    /// Server time, milliseconds.
    pub(crate) birth: u64,
    pub(crate) fresh_until: u64,
    pub(crate) stale_until: u64,
    pub(crate) load_time: Duration,
    /// Fingerprint of the key's template; zero says nothing.
    pub(crate) template: u64,
    /// Fingerprint of the instantiation; zero says nothing.
    pub(crate) instance: u64,
    /// How many bytes of the key's text are the deepest region it carries.
    pub(crate) region: u16,
    /// The generations of cache, regions and scope.
    pub(crate) fold: Fold,
}

/// A tag that an entry carries, with its generation from before the load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) label: Label,
    pub(crate) evict: u64,
    pub(crate) expire: u64,
}

/// What the first bytes of an entry tell of its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Server time, milliseconds.
    pub(crate) birth: u64,
    pub(crate) region: u16,
}

/// A decoded entry; the payload is a slice of what came from Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) header: Header,
    /// The full key of an entry whose key is a digest.
    pub(crate) full_key: Option<Bytes>,
    pub(crate) tags: Vec<Carried>,
    pub(crate) payload: Bytes,
}

/// Why bytes under one of our keys are not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not ours at all.
    Foreign,
    /// Ours, of a format, codec or flag this build does not know.
    UnknownFormat,
    /// Ours once; the checksum or a length disagrees.
    Damaged,
}

/// The bytes of an entry.
pub(crate) fn encode(
    header: &Header,
    full_key: Option<&str>,
    tags: &[Carried],
    payload: &[u8],
) -> Vec<u8> {
    let key_bytes = full_key.map_or(0, |key| 4 + key.len());
    let tag_bytes: usize = tags.iter().map(|tag| 18 + tag.label.as_str().len()).sum();
    let [birth, fresh, stale] =
        [header.birth, header.fresh_until, header.stale_until].map(|it| it.min(MAX_MILLIS));
    let mut out = Vec::with_capacity(HEADER + MORE + key_bytes + 2 + tag_bytes + payload.len());
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(header.absent, FLAG_ABSENT)
        | flag(full_key.is_some(), FLAG_FULL_KEY)
        | flag(!tags.is_empty(), FLAG_TAGS)
        | flag(stale != fresh, FLAG_WINDOW)
        | flag(header.instance != 0, FLAG_INSTANCE);
    out.extend_from_slice(header.token.as_bytes());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[FORMAT, CODEC_JSON, flags, u8::from(header.expired)]);
    out.extend_from_slice(&header.schema.to_be_bytes());
    out.extend_from_slice(&birth.to_be_bytes()[2..]);
    out.extend_from_slice(&fresh.to_be_bytes()[2..]);
    let micros = u32::try_from(header.load_time.as_micros()).unwrap_or(u32::MAX);
    out.extend_from_slice(&micros.to_be_bytes());
    out.extend_from_slice(&header.template.to_be_bytes());
    out.extend_from_slice(&[0; CHECKSUM_END - CHECKSUM_AT]);
    out.extend_from_slice(&header.region.to_be_bytes());
    out.extend_from_slice(&header.fold.evict.to_be_bytes());
    out.extend_from_slice(&header.fold.expire.to_be_bytes());
    if flags & FLAG_WINDOW != 0 {
        out.extend_from_slice(&stale.to_be_bytes()[2..]);
    }
    if flags & FLAG_INSTANCE != 0 {
        out.extend_from_slice(&header.instance.to_be_bytes());
    }
    if let Some(key) = full_key {
        let length = u32::try_from(key.len()).expect("keys are bounded by `max_key_bytes`");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(key.as_bytes());
    }
    if !tags.is_empty() {
        push_tags(&mut out, tags);
    }
    out.extend_from_slice(payload);
    let checksum = checksum(&out);
    out[CHECKSUM_AT..CHECKSUM_END].copy_from_slice(&checksum.to_be_bytes());
    out
}

fn push_tags(out: &mut Vec<u8>, tags: &[Carried]) {
    let length = |length: usize| u16::try_from(length).expect("tags and their texts are bounded");
    out.extend_from_slice(&length(tags.len()).to_be_bytes());
    for tag in tags {
        let text = tag.label.as_str();
        out.extend_from_slice(&length(text.len()).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&tag.evict.to_be_bytes());
        out.extend_from_slice(&tag.expire.to_be_bytes());
    }
}

impl Envelope {
    /// What the first bytes of an entry say, whatever follows; nothing is checked.
    pub(crate) fn marks(first: &[u8]) -> Option<Marks> {
        let ours = first.len() >= HEADER && first[16..18] == MAGIC && first[18] == FORMAT;
        ours.then(|| Marks {
            birth: millis(first, 26),
            region: u16::from_be_bytes(array(first, 54)),
        })
    }

    /// Reads an entry; never panics, whatever the bytes are.
    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        if bytes.get(16..18) != Some(&MAGIC[..]) {
            return Err(Unreadable::Foreign);
        }
        if bytes.len() < HEADER {
            return Err(Unreadable::Damaged);
        }
        if bytes[18] != FORMAT {
            return Err(Unreadable::UnknownFormat);
        }
        if checksum(bytes) != u32::from_be_bytes(array(bytes, CHECKSUM_AT)) {
            return Err(Unreadable::Damaged);
        }
        let flags = bytes[20];
        if bytes[19] != CODEC_JSON || flags & !FLAGS != 0 {
            return Err(Unreadable::UnknownFormat);
        }
        let mut rest = bytes.slice(HEADER..);
        let mut header = header(bytes, flags);
        if flags & FLAG_WINDOW != 0 {
            header.stale_until = millis(&take(&mut rest, 6)?, 0);
        }
        if flags & FLAG_INSTANCE != 0 {
            header.instance = u64::from_be_bytes(array(&take(&mut rest, 8)?, 0));
        }
        let full_key = take_key(&mut rest, flags & FLAG_FULL_KEY != 0)?;
        let tags = take_tags(&mut rest, flags & FLAG_TAGS != 0)?;
        Ok(Self {
            header,
            full_key,
            tags,
            payload: rest,
        })
    }
}

/// The schema version of stored bytes, of whatever format; `None` if they are no entry.
///
/// ```
/// assert_eq!(cache_runtime::tier::schema_version(b"somebody else's"), None);
/// ```
#[must_use]
pub fn schema_version(stored: &[u8]) -> Option<u32> {
    let ours = stored.get(16..18)? == MAGIC;
    let version = stored.get(22..26).filter(|_| ours)?;
    Some(u32::from_be_bytes(array(version, 0)))
}

/// Marks stored bytes as past their ttl, in place; `false` if they are no entry, and are left as they were.
///
/// ```
/// let mut foreign = *b"somebody else's text, a long one";
/// assert!(!cache_runtime::tier::mark_expired(&mut foreign));
/// ```
pub fn mark_expired(stored: &mut [u8]) -> bool {
    let ours = stored.len() > EXPIRED_AT && stored[16..18] == MAGIC;
    if ours {
        stored[EXPIRED_AT] = 1;
    }
    ours
}

/// What every entry has; without a window it ends when it ceases to be fresh.
fn header(bytes: &[u8], flags: u8) -> Header {
    Header {
        token: Token::from_bytes(array(bytes, 0)),
        absent: flags & FLAG_ABSENT != 0,
        expired: bytes[EXPIRED_AT] != 0,
        schema: u32::from_be_bytes(array(bytes, 22)),
        birth: millis(bytes, 26),
        fresh_until: millis(bytes, 32),
        stale_until: millis(bytes, 32),
        load_time: Duration::from_micros(u32::from_be_bytes(array(bytes, 38)).into()),
        template: u64::from_be_bytes(array(bytes, 42)),
        instance: 0,
        region: u16::from_be_bytes(array(bytes, 54)),
        fold: Fold {
            evict: u64::from_be_bytes(array(bytes, 56)),
            expire: u64::from_be_bytes(array(bytes, 64)),
        },
    }
}

fn take_key(rest: &mut Bytes, present: bool) -> Result<Option<Bytes>, Unreadable> {
    if !present {
        return Ok(None);
    }
    let length = take(rest, 4)?;
    let length = u32::from_be_bytes(array(&length, 0)) as usize;
    take(rest, length).map(Some)
}

fn take_tags(rest: &mut Bytes, present: bool) -> Result<Vec<Carried>, Unreadable> {
    if !present {
        return Ok(Vec::new());
    }
    let number = take_u16(rest)?;
    if number > MOST_TAGS {
        return Err(Unreadable::Damaged);
    }
    (0..number).map(|_| take_tag(rest)).collect()
}

fn take_tag(rest: &mut Bytes) -> Result<Carried, Unreadable> {
    let length = take_u16(rest)?;
    let text = take(rest, length)?;
    let text = std::str::from_utf8(&text).map_err(|_| Unreadable::Damaged)?;
    let halves = take(rest, 16)?;
    Ok(Carried {
        label: Label::stored(text),
        evict: u64::from_be_bytes(array(&halves, 0)),
        expire: u64::from_be_bytes(array(&halves, 8)),
    })
}

fn take_u16(rest: &mut Bytes) -> Result<usize, Unreadable> {
    let bytes = take(rest, 2)?;
    Ok(u16::from_be_bytes(array(&bytes, 0)).into())
}

fn take(rest: &mut Bytes, length: usize) -> Result<Bytes, Unreadable> {
    if rest.len() < length {
        return Err(Unreadable::Damaged);
    }
    Ok(rest.split_to(length))
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..EXPIRED_AT]);
    hasher.update(&bytes[EXPIRED_AT + 1..CHECKSUM_AT]);
    hasher.update(&bytes[CHECKSUM_END..]);
    hasher.finalize()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N]
        .try_into()
        .expect("a range of N bytes is an array of N bytes")
}

fn millis(bytes: &[u8], at: usize) -> u64 {
    let mut wide = [0; 8];
    wide[2..].copy_from_slice(&bytes[at..at + 6]);
    u64::from_be_bytes(wide)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::{
        Carried, EXPIRED_AT, Envelope, Fold, HEADER, Header, Label, MAX_MILLIS, Marks, Token,
        Unreadable,
    };

    fn header() -> Header {
        Header {
            token: Token::from_bytes(*b"0123456789abcdef"),
            absent: false,
            expired: false,
            schema: 3,
            birth: 1_700_000_000_000,
            fresh_until: 1_700_000_060_000,
            stale_until: 1_700_000_120_000,
            load_time: Duration::from_micros(1_500),
            template: 0x1122_3344_5566_7788,
            instance: 0x99AA_BBCC_DDEE_FF00,
            region: 8,
            fold: Fold {
                evict: 0x0102_0304_0506_0708,
                expire: 0x090A_0B0C_0D0E_0F10,
            },
        }
    }

    fn encode(header: &Header, full_key: Option<&str>, payload: &[u8]) -> Vec<u8> {
        super::encode(header, full_key, &[], payload)
    }

    fn tags() -> Vec<Carried> {
        let tag = |(text, evict)| Carried {
            label: Label::stored(text),
            evict,
            expire: evict + 1,
        };
        [("user:7", 1), ("hot", 3)].map(tag).into()
    }

    /// A change here is a change of the format: raise `FORMAT`, or a fleet in the middle of a deploy reads nonsense.
    #[test]
    fn the_bytes_at_rest_are_pinned() {
        let bytes = encode(&header(), None, br#"{"id":7}"#);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, include_str!("golden.hex").trim());
        let bytes = encode(&header(), Some("products:list:long"), b"[]");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, include_str!("golden_full_key.hex").trim());
        let bytes = encode(&plain(), None, b"[]");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, include_str!("golden_plain.hex").trim());
    }

    /// As most are: of a function that is not generic, without windows.
    fn plain() -> Header {
        Header {
            stale_until: header().fresh_until,
            instance: 0,
            ..header()
        }
    }

    /// What an entry has beyond its payload; docs/entry-layout.md says what that is in Redis.
    #[test]
    fn a_plain_entry_costs_seventy_two_bytes() {
        assert_eq!(encode(&plain(), None, b"").len(), 72);
        assert_eq!(encode(&header(), None, b"").len(), 86);
    }

    #[test]
    fn tags_are_pinned_and_read_back() {
        let bytes = super::encode(&header(), Some("a:key"), &tags(), b"[]");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, include_str!("golden_tags.hex").trim());
        let read = Envelope::decode(&bytes.into()).expect("our own bytes");
        assert_eq!((read.tags, &read.payload[..]), (tags(), &b"[]"[..]));
        assert_eq!(read.header, header());
    }

    #[test]
    fn the_first_bytes_tell_the_age() {
        let bytes = super::encode(&header(), None, &tags(), b"[]");
        let marks = Marks {
            birth: 1_700_000_000_000,
            region: 8,
        };
        assert_eq!(Envelope::marks(&bytes[..HEADER]), Some(marks));
        assert_eq!(Envelope::marks(&bytes[..HEADER - 1]), None);
        assert_eq!(Envelope::marks(b"hello"), None);
    }

    #[test]
    fn what_was_written_is_read() {
        let window = Header {
            instance: 0,
            ..header()
        };
        let generic = Header {
            instance: header().instance,
            ..plain()
        };
        for (header, full_key) in [header(), plain(), window, generic]
            .into_iter()
            .flat_map(|it| [(it.clone(), None), (it, Some("a:key"))])
            .flat_map(|(it, key)| {
                [false, true].map(|absent| {
                    (
                        Header {
                            absent,
                            ..it.clone()
                        },
                        key,
                    )
                })
            })
        {
            let bytes = Bytes::from(encode(&header, full_key, b"payload"));
            let read = Envelope::decode(&bytes).expect("our own bytes");
            assert_eq!(read.header, header);
            assert_eq!(read.full_key.as_deref(), full_key.map(str::as_bytes));
            assert_eq!(&read.payload[..], b"payload");
        }
    }

    #[test]
    fn times_beyond_the_range_are_clamped() {
        let bytes = encode(
            &Header {
                fresh_until: u64::MAX,
                ..header()
            },
            None,
            b"",
        );
        let read = Envelope::decode(&bytes.into()).expect("our own bytes");
        assert_eq!(read.header.fresh_until, MAX_MILLIS);
    }

    #[test]
    fn every_flipped_bit_is_a_miss_except_the_expire_byte() {
        let bytes = super::encode(&header(), Some("full"), &tags(), b"payload");
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                let read = Envelope::decode(&bad.into());
                if at == EXPIRED_AT {
                    assert!(read.expect("outside the checksum").header.expired);
                } else {
                    assert!(read.is_err(), "byte {at}, bit {bit}");
                }
            }
        }
    }

    #[test]
    fn every_truncation_and_foreign_value_is_a_miss() {
        let bytes = super::encode(&header(), Some("full"), &tags(), b"payload");
        for length in 0..bytes.len() {
            assert!(Envelope::decode(&Bytes::copy_from_slice(&bytes[..length])).is_err());
        }
        assert_eq!(
            Envelope::decode(&Bytes::from_static(b"hello")),
            Err(Unreadable::Foreign)
        );
        assert_eq!(Envelope::decode(&Bytes::new()), Err(Unreadable::Foreign));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Envelope::decode(&bytes.into());
        }

        #[test]
        fn arbitrary_tails_under_our_magic_never_panic(tail: Vec<u8>) {
            let mut bytes = encode(&header(), None, b"");
            bytes.truncate(19);
            bytes.extend(tail);
            let _ = Envelope::decode(&bytes.into());
        }
    }
}
