//! Which of the 16,384 slots a key is in, as the specification of Redis Cluster says: CRC16 (XMODEM) of the key, or of what stands in
//! its first braces if that is not empty.

use std::ops::Range;

/// How many slots there are.
pub const SLOTS: u16 = 16_384;

/// The slot of a key.
pub fn slot_of(key: &str) -> u16 {
    let key = key.as_bytes();
    let open = key.iter().position(|&byte| byte == b'{');
    let tag = open.and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|&byte| byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// The slots that one of several primaries has at first.
pub(super) fn share(primary: usize, of: usize) -> Range<u16> {
    let bound = |part: usize| {
        let slot = usize::from(SLOTS) * part / of;
        u16::try_from(slot).expect("no more than there are slots")
    };
    bound(primary)..bound(primary + 1)
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            let carries = crc & 0x8000 != 0;
            (crc << 1) ^ if carries { 0x1021 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, share, slot_of};

    #[test]
    fn shares_are_all_slots_without_gaps() {
        let shares: Vec<_> = (0..3).map(|primary| share(primary, 3)).collect();
        assert_eq!(shares, [0..5_461, 5_461..10_922, 10_922..SLOTS]);
    }

    /// The value that the specification gives.
    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(super::crc16(b"123456789"), 0x31c3);
        assert_eq!(slot_of("a{}b"), super::crc16(b"a{}b") % SLOTS);
        assert_eq!(slot_of("a{b}c{d}"), slot_of("b"));
    }
}
