//! What stands for a session, and for a user, wherever others can read.

use std::fmt;
use std::str::FromStr;

use tower_sessions_core::session::Id;

/// Stands for a session where its id must not: in Redis, in lists, on a page.
///
/// Whoever knows the id of a session has the session; this is a digest of it, from which nobody gets the id. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionDigest([u8; 16]);

/// Stands for a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UserDigest([u8; 16]);

impl SessionDigest {
    /// Of the session with this id.
    #[must_use]
    pub fn of(id: &Id) -> Self {
        Self(digest("cache-http session", &id.0.to_le_bytes()))
    }

    pub(super) const fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }
}

impl UserDigest {
    pub(super) fn of(user: &str) -> Self {
        Self(digest("cache-http user", user.as_bytes()))
    }

    pub(super) const fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }
}

/// Half of a BLAKE3 digest: an id has 128 random bits, so there is nothing to guess.
fn digest(kind: &str, bytes: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key(kind);
    hasher.update(bytes);
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

macro_rules! shown_as_digits {
    ($($digest:ty)*) => {
        $(impl fmt::Display for $digest {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $digest {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $digest {
            type Err = NoDigest;

            fn from_str(text: &str) -> Result<Self, NoDigest> {
                let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
                Ok(Self(number.ok_or(NoDigest)?.to_be_bytes()))
            }
        })*
    };
}

shown_as_digits!(SessionDigest UserDigest);

/// A text that is no [`SessionDigest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDigest;

impl fmt::Display for NoDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no digest of a session: 32 hexadecimal digits")
    }
}

impl std::error::Error for NoDigest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_back_and_does_not_show_the_id() {
        let id = Id(0x0123_4567_89ab_cdef);
        let digest = SessionDigest::of(&id);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_ne!(digest, SessionDigest::of(&Id(0)));
        assert!(!digest.to_string().contains("89abcdef"));
        assert_ne!(digest.bytes(), id.0.to_le_bytes());
        for text in ["", "+1", "0123", &format!("+{}", &digest.to_string()[1..])] {
            assert_eq!(text.parse::<SessionDigest>(), Err(NoDigest), "{text}");
        }
    }
}
