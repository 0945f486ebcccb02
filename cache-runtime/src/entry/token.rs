//! The mark of one load: the right to store is bound to it, and the stored value begins with it.

use std::fmt;

/// Sixteen random bytes, new for every load and every put.
///
/// Per load, not per client: with a token per client, a load begun before an eviction could store
/// under the lease of a load begun after it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token([u8; 16]);

impl Token {
    /// Bytes.
    pub const LEN: usize = 16;

    /// A token no other load in the fleet has.
    ///
    /// The generator's state is copied by `fork`, so the process id is part of the token.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&fastrand::u64(..).to_be_bytes());
        bytes[8..12].copy_from_slice(&fastrand::u32(..).to_be_bytes());
        bytes[12..].copy_from_slice(&std::process::id().to_be_bytes());
        Self(bytes)
    }

    /// A token that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The token a stored value begins with, whatever the rest of the value is.
    ///
    /// A foreign value has one too: it is how the caller says "not that one" when it asks for the lease.
    #[must_use]
    pub fn of_stored(value: &[u8]) -> Self {
        let mut bytes = [0; Self::LEN];
        let known = value.len().min(Self::LEN);
        bytes[..known].copy_from_slice(&value[..known]);
        Self(bytes)
    }

    /// As it is stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:032x})", u128::from_be_bytes(self.0))
    }
}
