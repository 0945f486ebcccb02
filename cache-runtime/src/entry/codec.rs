//! Values to bytes and back: JSON, with the two places where JSON would change a value refused.

use std::io::{self, Write};

use serde::{Serialize, de::DeserializeOwned};

use super::peek::{Top, top};

/// Why a value has no form at rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EncodeError {
    /// The value's `Serialize` failed, or JSON cannot tell it from another value.
    Unserializable(String),
    /// More bytes than `max_value_bytes`.
    TooLarge,
}

/// `value` as JSON, at most `limit` bytes.
pub(crate) fn to_json<T: Serialize>(value: &T, limit: usize) -> Result<Vec<u8>, EncodeError> {
    let mut sink = Bounded {
        bytes: Vec::new(),
        written: 0,
        limit,
        keep: true,
    };
    write_json(value, &mut sink)?;
    // `Some(())` and `Some(None)` are `null` in JSON, and so is `None`.
    if sink.bytes == b"null" && top(value) == Top::Some {
        return Err(EncodeError::Unserializable(
            "JSON cannot tell this `Some` from `None`".to_owned(),
        ));
    }
    Ok(sink.bytes)
}

/// How long [`to_json`] would be, without keeping the text.
pub(crate) fn encoded_size<T: Serialize>(value: &T, limit: usize) -> Result<usize, EncodeError> {
    let mut sink = Bounded {
        bytes: Vec::new(),
        written: 0,
        limit,
        keep: false,
    };
    write_json(value, &mut sink)?;
    Ok(sink.written)
}

/// The value of a JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn write_json<T: Serialize>(value: &T, sink: &mut Bounded) -> Result<(), EncodeError> {
    serde_json::to_writer(&mut *sink, value).map_err(|error| {
        if error.is_io() {
            EncodeError::TooLarge
        } else {
            EncodeError::Unserializable(error.to_string())
        }
    })
}

/// Stops a value that is too large where it becomes too large, not after it has filled the memory.
struct Bounded {
    bytes: Vec<u8>,
    written: usize,
    limit: usize,
    keep: bool,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.written = self.written.saturating_add(part.len());
        if self.written > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.keep {
            self.bytes.extend_from_slice(part);
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{EncodeError, encoded_size, from_json, to_json};

    #[test]
    fn a_value_over_the_limit_is_refused_while_it_is_written() {
        let value = "x".repeat(1_000);
        assert_eq!(to_json(&value, 1_001), Err(EncodeError::TooLarge));
        assert_eq!(to_json(&value, 1_002).map(|bytes| bytes.len()), Ok(1_002));
        assert_eq!(encoded_size(&value, 1_001), Err(EncodeError::TooLarge));
        assert_eq!(encoded_size(&value, 1_002), Ok(1_002));
    }

    #[test]
    fn values_that_json_would_change_are_refused() {
        assert!(matches!(
            to_json(&Some(()), 99),
            Err(EncodeError::Unserializable(_))
        ));
        assert!(matches!(
            to_json(&Some(None::<u8>), 99),
            Err(EncodeError::Unserializable(_))
        ));
        assert_eq!(to_json(&None::<u8>, 99), Ok(b"null".to_vec()));
        assert_eq!(to_json(&(), 99), Ok(b"null".to_vec()));
        let map = HashMap::from([((1, 2), 3)]);
        assert!(matches!(
            to_json(&map, 99),
            Err(EncodeError::Unserializable(_))
        ));
    }

    #[test]
    fn a_text_of_another_shape_is_an_error_not_a_value() {
        assert!(from_json::<u8>(b"\"x\"").is_err());
        assert!(from_json::<u8>(b"7 7").is_err());
        assert_eq!(from_json::<u8>(b"7"), Ok(7));
    }
}
