//! The form of an entry in Redis.
//!
//! A plain string, so that a hit is one `GET`. All numbers are big-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..16 | token of the load that stored it |
//! | 16..18 | magic `CA C4` |
//! | 18 | format version, 1 |
//! | 19 | codec, 1 = JSON |
//! | 20 | flags: 1 = the value is `None`, 2 = the full key follows the header |
//! | 21 | expired early (outside the checksum, so that a script can set it in place) |
//! | 22..26 | schema version of the value |
//! | 26..32 | birth, milliseconds of the server's clock |
//! | 32..38 | fresh until, likewise |
//! | 38..44 | stale until, likewise |
//! | 44..48 | how long the load took, microseconds |
//! | 48..56 | fingerprint of the key's template |
//! | 56..64 | fingerprint of the instantiation |
//! | 64..68 | CRC-32 of all bytes but 21 and 64..68 |
//! | 68.. | with flag 2: length (4 bytes) and text of the full key; then the payload |
//!
//! The scripts read the token, the magic and the schema version at these offsets.

use std::time::Duration;

use bytes::Bytes;

use super::token::Token;

const MAGIC: [u8; 2] = [0xCA, 0xC4];
const FORMAT: u8 = 1;
const CODEC_JSON: u8 = 1;
const FLAG_ABSENT: u8 = 1;
const FLAG_FULL_KEY: u8 = 2;
const EXPIRED_AT: usize = 21;
const CHECKSUM_AT: usize = 64;
const HEADER: usize = 68;
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
}

/// A decoded entry; the payload is a slice of what came from Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) header: Header,
    /// The full key of an entry whose key is a digest.
    pub(crate) full_key: Option<Bytes>,
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
pub(crate) fn encode(header: &Header, full_key: Option<&str>, payload: &[u8]) -> Vec<u8> {
    let key_bytes = full_key.map_or(0, |key| 4 + key.len());
    let mut out = Vec::with_capacity(HEADER + key_bytes + payload.len());
    let mut flags = 0;
    if header.absent {
        flags |= FLAG_ABSENT;
    }
    if full_key.is_some() {
        flags |= FLAG_FULL_KEY;
    }
    out.extend_from_slice(header.token.as_bytes());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[FORMAT, CODEC_JSON, flags, u8::from(header.expired)]);
    out.extend_from_slice(&header.schema.to_be_bytes());
    for millis in [header.birth, header.fresh_until, header.stale_until] {
        out.extend_from_slice(&millis.min(MAX_MILLIS).to_be_bytes()[2..]);
    }
    let micros = u32::try_from(header.load_time.as_micros()).unwrap_or(u32::MAX);
    out.extend_from_slice(&micros.to_be_bytes());
    out.extend_from_slice(&header.template.to_be_bytes());
    out.extend_from_slice(&header.instance.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    if let Some(key) = full_key {
        let length = u32::try_from(key.len()).expect("keys are bounded by `max_key_bytes`");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(key.as_bytes());
    }
    out.extend_from_slice(payload);
    let checksum = checksum(&out);
    out[CHECKSUM_AT..HEADER].copy_from_slice(&checksum.to_be_bytes());
    out
}

impl Envelope {
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
        if bytes[19] != CODEC_JSON || flags & !(FLAG_ABSENT | FLAG_FULL_KEY) != 0 {
            return Err(Unreadable::UnknownFormat);
        }
        let (full_key, payload) = split_key(bytes, flags & FLAG_FULL_KEY != 0)?;
        Ok(Self {
            header: header(bytes, flags),
            full_key,
            payload,
        })
    }
}

fn header(bytes: &[u8], flags: u8) -> Header {
    Header {
        token: Token::from_bytes(array(bytes, 0)),
        absent: flags & FLAG_ABSENT != 0,
        expired: bytes[EXPIRED_AT] != 0,
        schema: u32::from_be_bytes(array(bytes, 22)),
        birth: millis(bytes, 26),
        fresh_until: millis(bytes, 32),
        stale_until: millis(bytes, 38),
        load_time: Duration::from_micros(u32::from_be_bytes(array(bytes, 44)).into()),
        template: u64::from_be_bytes(array(bytes, 48)),
        instance: u64::from_be_bytes(array(bytes, 56)),
    }
}

fn split_key(bytes: &Bytes, present: bool) -> Result<(Option<Bytes>, Bytes), Unreadable> {
    if !present {
        return Ok((None, bytes.slice(HEADER..)));
    }
    let start = HEADER + 4;
    if bytes.len() < start {
        return Err(Unreadable::Damaged);
    }
    let length = u32::from_be_bytes(array(bytes, HEADER)) as usize;
    let end = start.checked_add(length).filter(|&end| end <= bytes.len());
    let end = end.ok_or(Unreadable::Damaged)?;
    Ok((Some(bytes.slice(start..end)), bytes.slice(end..)))
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..EXPIRED_AT]);
    hasher.update(&bytes[EXPIRED_AT + 1..CHECKSUM_AT]);
    hasher.update(&bytes[HEADER..]);
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

    use super::{EXPIRED_AT, Envelope, Header, MAX_MILLIS, Token, Unreadable, encode};

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
        }
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
    }

    #[test]
    fn what_was_written_is_read() {
        for (absent, full_key) in [(false, None), (true, None), (false, Some("a:key"))] {
            let header = Header { absent, ..header() };
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
        let bytes = encode(&header(), Some("full"), b"payload");
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
        let bytes = encode(&header(), Some("full"), b"payload");
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
