//! The text of a key as an entry keeps it.
//!
//! **Problem.** A hit compares it, so it has to be where the hit reads anyway; and a pointer to text elsewhere is as many bytes as most keys.
//!
//! **Decision.** The first 16 bytes are among what a hit reads. Of a longer key the last 16 or 32 are in a block of their own ([`Rest`](super::tail::Rest)),
//! though some of them are in both places: what has a fixed length is compared without a loop or a call. Beyond 48 bytes the others are a block of their own.

use crate::key::Beginning;

/// So much of a key is at its entry's beginning.
pub(super) const SHORT: usize = Beginning::BYTES;
/// Stands for the length of a key whose end knows its own.
pub(super) const LONG: u8 = 63;
