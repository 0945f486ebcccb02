//! Values to bytes and back: JSON, with what JSON would change refused.

use std::io::{self, Write};

use serde::{Serialize, de::DeserializeOwned};

use super::faithful;

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
    faithful::check(value).map_err(|why| EncodeError::Unserializable(why.to_string()))?;
    let mut sink = Bounded {
        bytes: Vec::new(),
        written: 0,
        limit,
        keep: true,
    };
    write_json(value, &mut sink)?;
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

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::{EncodeError, encoded_size, from_json, to_json};

    #[test]
    fn a_value_over_the_limit_is_refused_while_it_is_written() {
        let value = "x".repeat(1_000);
        assert_eq!(to_json(&value, 1_001), Err(EncodeError::TooLarge));
        assert_eq!(to_json(&value, 1_002).map(|bytes| bytes.len()), Ok(1_002));
        assert_eq!(encoded_size(&value, 1_001), Err(EncodeError::TooLarge));
        assert_eq!(encoded_size(&value, 1_002), Ok(1_002));
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(Option<f64>);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Nothing,
        One(Option<Vec<f64>>),
        Two(f32, Option<bool>),
        Named { x: f64, y: Option<Box<Shape>> },
    }

    fn refused<T: Serialize>(value: &T) -> bool {
        matches!(to_json(value, 999), Err(EncodeError::Unserializable(_)))
    }

    #[test]
    fn values_that_json_would_change_are_refused_at_any_depth() {
        assert!(refused(&Some(())) && refused(&Some(None::<u8>)) && refused(&Some(Unit)));
        assert!(refused(&vec![Some(())]) && refused(&(1, Some(Some(None::<u8>)))));
        assert!(refused(&HashMap::from([("key", f64::NAN)])));
        assert!(refused(&Wrapped(Some(f64::INFINITY))));
        assert!(refused(&Shape::Two(f32::NEG_INFINITY, None)));
        let inner = Box::new(Shape::One(Some(vec![f64::NAN])));
        assert!(refused(&Shape::Named {
            x: 0.0,
            y: Some(inner)
        }));
        assert!(
            refused(&HashMap::from([((1, 2), 3)])),
            "a key that is no string"
        );
    }

    #[test]
    fn what_is_null_without_a_lie_is_written() {
        assert_eq!(to_json(&None::<u8>, 99), Ok(b"null".to_vec()));
        assert_eq!(to_json(&(), 99), Ok(b"null".to_vec()));
        assert_eq!(to_json(&vec![None, Some(1)], 99), Ok(b"[null,1]".to_vec()));
        assert_eq!(to_json(&Wrapped(None), 99), Ok(b"null".to_vec()));
        assert_eq!(to_json(&serde_json::Value::Null, 99), Ok(b"null".to_vec()));
    }

    fn shapes() -> impl Strategy<Value = Shape> {
        let leaf = prop_oneof![
            Just(Shape::Nothing),
            proptest::option::of(proptest::collection::vec(any::<f64>(), 0..4))
                .prop_map(Shape::One),
            (any::<f32>(), any::<Option<bool>>()).prop_map(|(x, y)| Shape::Two(x, y)),
        ];
        leaf.prop_recursive(3, 12, 2, |inner| {
            (any::<f64>(), proptest::option::of(inner)).prop_map(|(x, y)| Shape::Named {
                x,
                y: y.map(Box::new),
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back_as_it_was(shape in shapes(), x: u64, small: f32) {
            let float = f64::from_bits(x);
            if let Ok(bytes) = to_json(&float, 999) {
                prop_assert_eq!(from_json::<f64>(&bytes).map(f64::to_bits), Ok(x));
            }
            if let Ok(bytes) = to_json(&small, 999) {
                prop_assert_eq!(from_json::<f32>(&bytes).map(f32::to_bits), Ok(small.to_bits()));
            }
            if let Ok(bytes) = to_json(&shape, 9_999) {
                prop_assert_eq!(from_json::<Shape>(&bytes), Ok(shape.clone()));
            }
        }
    }

    #[test]
    fn a_text_of_another_shape_is_an_error_not_a_value() {
        assert!(from_json::<u8>(b"\"x\"").is_err());
        assert!(from_json::<u8>(b"7 7").is_err());
        assert_eq!(from_json::<u8>(b"7"), Ok(7));
    }
}
