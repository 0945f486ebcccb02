//! Envelopes: bytes are read as what was written or not at all.

use std::time::Duration;

use bytes::Bytes;

use super::{Source, values::Value};
use crate::{
    entry::{
        Carried, Envelope, Header, Token, Unreadable, ValueType, encode, mark_expired,
        schema_version,
    },
    tags::{Fold, Label},
};

const HEADER: usize = 72;
const EXPIRED_AT: usize = 21;

pub(super) fn check(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    match source.below(3) {
        0 => any(source.rest()),
        1 => any(&sealed(source.rest())),
        _ => whole(&mut source),
    }
}

/// These bytes with the magic, the format and a checksum that is right: what is behind it is reached no other way.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().max(HEADER), 0);
    bytes[16..20].copy_from_slice(&[0xCA, 0xC4, 3, 1]);
    let mut checksum = crc32fast::Hasher::new();
    for part in [0..21, 22..50, 54..bytes.len()] {
        checksum.update(&bytes[part]);
    }
    bytes[50..54].copy_from_slice(&checksum.finalize().to_be_bytes());
    bytes
}

/// Any bytes at all.
fn any(bytes: &[u8]) {
    let shared = Bytes::copy_from_slice(bytes);
    let _ = Envelope::marks(bytes);
    let _ = Token::of_stored(bytes);
    let (schema, mut expired) = (schema_version(bytes), bytes.to_vec());
    let ours = mark_expired(&mut expired);
    let read = match Envelope::decode(&shared) {
        Ok(read) => read,
        Err(Unreadable::Foreign) => return assert_ne!(bytes.get(16..18), Some(&[0xCA, 0xC4][..])),
        Err(Unreadable::UnknownFormat | Unreadable::Damaged) => return,
    };
    assert!(ours && schema == Some(read.header.schema));
    let known = bytes[18] == 3 && bytes[19] == 1 && bytes[20] < 32;
    assert!(known, "a format, codec or flag of another build");
    assert!(read.tags.len() <= 64, "{} tags", read.tags.len());
    let names: usize = read.tags.iter().map(|tag| tag.label.as_str().len()).sum();
    let key = read.full_key.as_ref().map_or(0, Bytes::len);
    assert!(
        HEADER + names + key + read.payload.len() <= bytes.len(),
        "more was read than was there"
    );
    // Expired by a script, and nothing else about it.
    let mut after = read.clone();
    after.header.expired = true;
    assert_eq!(Envelope::decode(&expired.into()).as_ref(), Ok(&after));
    // The same is written, and read again.
    if let Ok(key) = read
        .full_key
        .as_deref()
        .map(std::str::from_utf8)
        .transpose()
    {
        let again = encode(&read.header, key, &read.tags, &read.payload);
        assert_eq!(Envelope::decode(&again.into()), Ok(read.clone()));
    }
    // Whatever the payload is, it becomes a value or an error.
    let _ = (ValueType::of::<serde_json::Value>().decode)(&read.payload);
    let _ = (ValueType::of::<(u64, Option<String>, Vec<f64>)>().decode)(&read.payload);
}

/// An entry of ours, then the same one damaged.
fn whole(source: &mut Source<'_>) {
    let header = header(source);
    let full_key = source.flag().then(|| source.text());
    let tags = source.several(64, |source| Carried {
        label: Label::stored(&source.text()),
        evict: source.u64(),
        expire: source.u64(),
    });
    let payload = payload(source);
    let bytes = encode(&header, full_key.as_deref(), &tags, &payload);
    let read = Envelope::decode(&bytes.clone().into()).expect("our own bytes");
    assert_eq!(read.header, header);
    assert_eq!(
        read.full_key.as_deref(),
        full_key.as_deref().map(str::as_bytes)
    );
    assert_eq!((&read.tags, &read.payload[..]), (&tags, &payload[..]));
    any(&bytes);
    damaged(&bytes, source);
}

/// The checksum finds every change within four bytes in a row, and everything that is cut off or added.
fn damaged(bytes: &[u8], source: &mut Source<'_>) {
    let place = |source: &mut Source<'_>| {
        usize::try_from(source.u64() % bytes.len() as u64).expect("within the entry")
    };
    let mut flipped = bytes.to_vec();
    let at = place(source);
    for (byte, change) in flipped[at..].iter_mut().zip(source.array::<4>()) {
        *byte ^= change;
    }
    // This byte has a meaning of its own, and the checksum's own bytes may be changed together with others.
    flipped[EXPIRED_AT] = bytes[EXPIRED_AT];
    let around_checksum = (61..68).contains(&at) || (18..22).contains(&at);
    if flipped != bytes && !around_checksum {
        assert!(
            Envelope::decode(&flipped.into()).is_err(),
            "changed at {at}"
        );
    }
    let length = place(source);
    assert!(
        Envelope::decode(&Bytes::copy_from_slice(&bytes[..length])).is_err(),
        "cut off at {length}"
    );
    let more = [bytes, &[source.byte() | 1]].concat();
    assert!(
        Envelope::decode(&more.into()).is_err(),
        "with something behind it"
    );
}

fn header(source: &mut Source<'_>) -> Header {
    let millis = |source: &mut Source<'_>| source.u64() >> 16;
    Header {
        token: Token::from_bytes(source.array()),
        absent: source.flag(),
        expired: source.flag(),
        schema: u32::from_le_bytes(source.array()),
        birth: millis(source),
        fresh_until: millis(source),
        stale_until: millis(source),
        load_time: Duration::from_micros(u32::from_le_bytes(source.array()).into()),
        template: source.u64(),
        instance: source.u64(),
        region: u16::from_le_bytes(source.array()),
        fold: Fold {
            evict: source.u64(),
            expire: source.u64(),
        },
    }
}

/// JSON of a value, or anything.
fn payload(source: &mut Source<'_>) -> Vec<u8> {
    if source.flag() {
        return source.bytes(300).to_vec();
    }
    serde_json::to_vec(&Value::take(source, 3)).unwrap_or_default()
}
