//! The canonical text of a value.
//!
//! **Problem.** Two values of one type must never share a text, equal values always must, and a person should be able to
//! read it. JSON does none of the three: a `HashMap` has no order, `Some(None)` is `null`, and every string is in quotes.
//!
//! **Decision.** A serializer of our own. `s` is escaped text, `v` an encoded value:
//!
//! | value | text |
//! | --- | --- |
//! | integer, `bool` | `42`, `true` |
//! | float | shortest that reads back: `0.1`, `2.0`, `1e300`; `-0.0` is `0.0`; `NaN`, `inf`, `-inf` |
//! | string, `char` | `s`, the empty one `'`; inside a container `'s` |
//! | bytes | `=` and hexadecimal |
//! | `None`, `Some(v)` | `~`, `v`; but each `Some` around a `None` adds a `~` |
//! | unit, unit struct | `()` |
//! | sequence, tuple | `(v,v,)`, an element is terminated, not separated: `()` is not `(',)` |
//! | map | `(v=v,)`, entries ordered by the bytes of the key |
//! | struct | `(name=v,)` in order of declaration |
//! | newtype struct | `v` |
//! | variants | `Name`, `Name(v,)`, `Name(v,v,)`, `Name(name=v,)` |
//!
//! **Injective within a type.** Take two values of one type (its `Serialize` then asks for the same shape at the same place,
//! unless the type is untagged or dynamic; see below) and read a text from the left:
//!
//! 1. `s`, names, numbers and hexadecimal contain none of `( ) , = ~ '` unescaped, so brackets balance, and inside a
//!    bracket the first `,` at its own depth ends an element, the first `=` at its depth after the start of an entry ends a
//!    name or map key. (An `=` at the start is the mark of bytes, which only a value or a map key of bytes has.) A
//!    container thus splits into its elements in one way only, and their number is the number of terminators.
//! 2. A scalar is read back by its shape: escaping is reversible, numbers are printed to read back, `'` cannot come out of
//!    escaping. Equal for floats means equal as keys: the two zeros are one key, and so are all NaN.
//! 3. `n` nested options hold a value or end in a `None` at some depth `1..=n`; the latter are `n` different runs of `~`,
//!    which no value begins with, so the depth is read back. Newtype structs pass the count on.
//! 4. A variant's name is escaped and ends at the first `(` or the end of the element, so variants stay apart, and
//!    1 applies to what is in the bracket.
//! 5. Map entries are ordered by the bytes of their keys, which are unique if the map's keys are, so two orders of
//!    one set of entries have one text, and different sets differ by 1.
//!
//! By induction over the depth, equal texts mean equal values. What is as ambiguous in the text as in `Serialize`: skipped
//! fields, untagged enums and dynamic types (`1` and `"1"` at the top of a placeholder), sets that iterate at random.

mod compound;
mod scalar;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::escape::{Colon, escape};
use super::text::{Full, Text};
use compound::{Elements, Entries};

/// Appends the encoding of a value as it stands in a placeholder.
#[inline]
pub(super) fn encode<T: Serialize + ?Sized>(value: &T, text: &mut Text) -> Result<(), EncodeError> {
    value.serialize(Encoder {
        text,
        place: Place::Top,
        somes: 0,
    })
}

/// Why a value has no text.
#[derive(Debug)]
pub(super) enum EncodeError {
    /// The text passed its limit.
    TooLong,
    /// The value's own `Serialize` failed.
    Custom(Box<str>),
}

impl From<Full> for EncodeError {
    fn from(Full: Full) -> Self {
        Self::TooLong
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the text is too long"),
            Self::Custom(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for EncodeError {}

impl ser::Error for EncodeError {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self::Custom(why.to_string().into())
    }
}

/// Whether a value stands alone in its placeholder; inside a container strings must differ from numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Inside,
}

struct Encoder<'a> {
    text: &'a mut Text,
    place: Place,
    /// How many `Some` were opened around this value; they show only if it is a `None`.
    somes: usize,
}

impl<'a> Encoder<'a> {
    /// For a part of a container.
    fn inside(text: &'a mut Text) -> Self {
        Self {
            text,
            place: Place::Inside,
            somes: 0,
        }
    }

    fn name(&mut self, name: &str) -> Result<(), Full> {
        escape(self.text, name, Colon::IsData)
    }

    /// A text at the top that came out empty would vanish between two `:`.
    fn mark_empty(text: &mut Text, place: Place, start: usize) -> Result<(), Full> {
        if place == Place::Top && text.len() == start {
            text.push("'")
        } else {
            Ok(())
        }
    }

    fn string(
        self,
        write: impl FnOnce(&mut Text) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        if self.place == Place::Inside {
            self.text.push("'")?;
        }
        let start = self.text.len();
        write(self.text)?;
        Ok(Self::mark_empty(self.text, self.place, start)?)
    }
}

type Done = Result<(), EncodeError>;

impl<'a> Serializer for Encoder<'a> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Elements<'a>;
    type SerializeStructVariant = Elements<'a>;

    fn serialize_bool(self, v: bool) -> Done {
        Ok(self.text.push(if v { "true" } else { "false" })?)
    }
    fn serialize_i8(self, v: i8) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Done {
        Ok(scalar::push_i64(self.text, v)?)
    }
    fn serialize_i128(self, v: i128) -> Done {
        Ok(scalar::push_display(self.text, v)?)
    }
    fn serialize_u8(self, v: u8) -> Done {
        self.serialize_u64(v.into())
    }
    fn serialize_u16(self, v: u16) -> Done {
        self.serialize_u64(v.into())
    }
    fn serialize_u32(self, v: u32) -> Done {
        self.serialize_u64(v.into())
    }
    #[inline]
    fn serialize_u64(self, v: u64) -> Done {
        Ok(scalar::push_u64(self.text, v)?)
    }
    fn serialize_u128(self, v: u128) -> Done {
        Ok(scalar::push_display(self.text, v)?)
    }
    fn serialize_f32(self, v: f32) -> Done {
        Ok(scalar::push_f32(self.text, v)?)
    }
    fn serialize_f64(self, v: f64) -> Done {
        Ok(scalar::push_f64(self.text, v)?)
    }

    fn serialize_char(self, v: char) -> Done {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    #[inline]
    fn serialize_str(self, v: &str) -> Done {
        self.string(|text| Ok(escape(text, v, Colon::IsData)?))
    }
    fn collect_str<T: fmt::Display + ?Sized>(self, v: &T) -> Done {
        self.string(|text| scalar::escape_display(text, v))
    }
    fn serialize_bytes(self, v: &[u8]) -> Done {
        Ok(scalar::push_bytes(self.text, v)?)
    }

    fn serialize_none(self) -> Done {
        Ok((0..=self.somes).try_for_each(|_| self.text.push("~"))?)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Done {
        v.serialize(Encoder {
            somes: self.somes + 1,
            ..self
        })
    }
    fn serialize_unit(self) -> Done {
        Ok(self.text.push("()")?)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Done {
        v.serialize(self)
    }

    fn serialize_unit_variant(mut self, _: &'static str, _: u32, name: &'static str) -> Done {
        let start = self.text.len();
        self.name(name)?;
        Ok(Self::mark_empty(self.text, self.place, start)?)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        kind: &'static str,
        index: u32,
        name: &'static str,
        v: &T,
    ) -> Done {
        let mut elements = self.serialize_tuple_variant(kind, index, name, 1)?;
        ser::SerializeTupleVariant::serialize_field(&mut elements, v)?;
        ser::SerializeTupleVariant::end(elements)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a>, EncodeError> {
        Elements::open(self.text)
    }
    fn serialize_tuple(self, _: usize) -> Result<Elements<'a>, EncodeError> {
        Elements::open(self.text)
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, EncodeError> {
        Elements::open(self.text)
    }
    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, EncodeError> {
        self.name(name)?;
        Elements::open(self.text)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Entries<'a>, EncodeError> {
        Entries::open(self.text, len)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Elements<'a>, EncodeError> {
        Elements::open(self.text)
    }
    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, EncodeError> {
        self.name(name)?;
        Elements::open(self.text)
    }
}
