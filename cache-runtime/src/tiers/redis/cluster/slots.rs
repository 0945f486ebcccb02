//! Which slot a key is in: CRC16 (XMODEM) of its hash tag, modulo 16,384, as the Redis Cluster specification has it.

use std::ops::RangeInclusive;

pub(in crate::tiers::redis) const SLOTS: usize = 16_384;

/// The slot of a key.
pub(in crate::tiers::redis) fn slot(key: &[u8]) -> u16 {
    crc16(hashed(key)) % SLOTS as u16
}

/// The least number whose text is in one of these slots; none if there are no slots.
pub(super) fn tag_in(slots: &[RangeInclusive<u16>]) -> Option<u32> {
    let within = |tag: &u32| {
        let slot = slot(tag.to_string().as_bytes());
        slots.iter().any(|range| range.contains(&slot))
    };
    // Below this number every slot has one.
    let most = 200_000;
    let some = !slots.is_empty();
    (0..most).take_while(|_| some).find(within)
}

/// What stands between the first `{` and the next `}`, if that is anything; else all of it.
fn hashed(key: &[u8]) -> &[u8] {
    let tag = || {
        let begin = key.iter().position(|byte| *byte == b'{')? + 1;
        let length = key[begin..].iter().position(|byte| *byte == b'}')?;
        (length > 0).then(|| &key[begin..begin + length])
    };
    tag().unwrap_or(key)
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    })
}

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = ((byte as u16) << 8, 0);
        while bit < 8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"shop:{foo}:lease"), 12182);
        assert_eq!(slot(b"{}foo"), slot(b"{}foo"));
        assert_ne!(slot(b"{}foo"), slot(b"foo"));
        assert_eq!(slot(b"{foo"), crc16(b"{foo") % 16_384);
    }

    #[test]
    fn every_slot_has_a_tag() {
        for of in [0..=0, 16_383..=16_383, 5_461..=10_922] {
            let tag = tag_in(std::slice::from_ref(&of)).unwrap();
            assert!(of.contains(&slot(format!("shop:#beat:{{{tag}}}").as_bytes())));
        }
        assert_eq!(tag_in(&[]), None);
        assert!(
            (0..SLOTS as u16)
                .step_by(7)
                .all(|slot| tag_in(&[slot..=slot]).is_some())
        );
    }
}
