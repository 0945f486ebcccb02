//! Tells what is at the top of a value: `None`, `Err`, or something worth keeping.
//!
//! A `None` is cached only by a policy that says so, an `Err` never; and for a type parameter only the value
//! itself can tell. Serde can be asked in constant time and without allocation: the serializer below
//! answers at the first call and stops.

use std::fmt;

use serde::ser::{Impossible, Serialize, Serializer};

/// The outermost layer of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Top {
    /// `Option::None`.
    None,
    /// `Option::Some`.
    Some,
    /// `Result::Err`.
    Err,
    /// Anything else, `()` and `null` included.
    Value,
}

/// What is at the top of `value`.
pub(crate) fn top<T: Serialize + ?Sized>(value: &T) -> Top {
    value.serialize(Peek).unwrap_or(Top::Value)
}

struct Peek;

/// "Neither an option nor an error": ends the walk.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }
}

impl std::error::Error for Stop {}

impl serde::ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! plain {
    ($($method:ident($($argument:ty),*);)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Top, Stop> { Err(Stop) })*
    };
}

impl Serializer for Peek {
    type Ok = Top;
    type Error = Stop;
    type SerializeSeq = Impossible<Top, Stop>;
    type SerializeTuple = Impossible<Top, Stop>;
    type SerializeTupleStruct = Impossible<Top, Stop>;
    type SerializeTupleVariant = Impossible<Top, Stop>;
    type SerializeMap = Impossible<Top, Stop>;
    type SerializeStruct = Impossible<Top, Stop>;
    type SerializeStructVariant = Impossible<Top, Stop>;

    plain! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_none(self) -> Result<Top, Stop> {
        Ok(Top::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Top, Stop> {
        Ok(Top::Some)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Top, Stop> {
        Err(Stop)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<Top, Stop> {
        match (name, variant) {
            ("Result", "Err") => Ok(Top::Err),
            _ => Err(Stop),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Stop> {
        Err(Stop)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Stop> {
        Err(Stop)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Stop> {
        Err(Stop)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Stop> {
        Err(Stop)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Stop> {
        Err(Stop)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Stop> {
        Err(Stop)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Stop> {
        Err(Stop)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<Top, Stop> {
        Err(Stop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::Serialize;

    use super::{Top, top};

    #[derive(Serialize)]
    struct Wrapped(Option<u8>);

    #[test]
    fn tells_none_some_and_err_apart_from_plain_values() {
        assert_eq!(top(&None::<u8>), Top::None);
        assert_eq!(top(&Some(1)), Top::Some);
        assert_eq!(top(&Arc::new(None::<u8>)), Top::None);
        assert_eq!(top(&Err::<u8, u8>(1)), Top::Err);
        assert_eq!(top(&Ok::<u8, u8>(1)), Top::Value);
        for plain in [
            top(&()),
            top(&serde_json::Value::Null),
            top(&Wrapped(None)),
            top(&vec![1]),
        ] {
            assert_eq!(plain, Top::Value);
        }
    }
}
