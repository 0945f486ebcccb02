//! Whether JSON gives a value back as it was.
//!
//! JSON has one `null` for `None`, for `()` and for what is no number, so `Some(())`, `Some(None)`, infinities and NaN would
//! come back as something else, at any depth. A value that holds one of them has no form at rest. The walk below writes
//! nothing; it finds out what JSON would write as `null` and refuses where that would be a lie.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// Refuses `value` if JSON would change it.
pub(super) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), Unfaithful> {
    value.serialize(Walk).map(drop)
}

/// Why JSON would change a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfaithful(String);

impl fmt::Display for Unfaithful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfaithful {}

impl ser::Error for Unfaithful {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

/// What JSON writes for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Json {
    Null,
    Other,
}

struct Walk;

/// The inside of a container: its parts are walked, itself it is not `null`.
struct Parts;

fn number(is_finite: bool) -> Result<Json, Unfaithful> {
    if is_finite {
        return Ok(Json::Other);
    }
    Err(Unfaithful("JSON has no infinities and no NaN".to_owned()))
}

macro_rules! written {
    ($json:ident: $($method:ident($($argument:ty),*);)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Json, Unfaithful> { Ok(Json::$json) })*
    };
}

macro_rules! container {
    ($($method:ident($($argument:ty),*);)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Parts, Unfaithful> { Ok(Parts) })*
    };
}

impl Serializer for Walk {
    type Ok = Json;
    type Error = Unfaithful;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    written! { Null:
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
    }

    written! { Other:
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
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    container! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }

    fn serialize_f32(self, value: f32) -> Result<Json, Unfaithful> {
        number(value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result<Json, Unfaithful> {
        number(value.is_finite())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Json, Unfaithful> {
        match value.serialize(Self)? {
            Json::Null => Err(Unfaithful(
                "JSON cannot tell this `Some` from `None`".to_owned(),
            )),
            Json::Other => Ok(Json::Other),
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Json, Unfaithful> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Json, Unfaithful> {
        value.serialize(self)?;
        Ok(Json::Other)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<Json, Unfaithful> {
        Ok(Json::Other)
    }
}

macro_rules! parts {
    ($($kind:ident: $part:ident($($name:ty)?);)*) => {
        $(impl ser::$kind for Parts {
            type Ok = Json;
            type Error = Unfaithful;

            fn $part<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Result<(), Unfaithful> {
                check(value)
            }

            fn end(self) -> Result<Json, Unfaithful> {
                Ok(Json::Other)
            }
        })*
    };
}

parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}

impl ser::SerializeMap for Parts {
    type Ok = Json;
    type Error = Unfaithful;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Unfaithful> {
        // Keys are strings in JSON; what cannot be one is refused where it is written.
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfaithful> {
        check(value)
    }

    fn end(self) -> Result<Json, Unfaithful> {
        Ok(Json::Other)
    }
}
