//! The serializer: which call of serde's data model writes what of the table in [`super`].

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::compound::{Elements, Entries};
use super::{Done, EncodeError, scalar};
use crate::key::escape::{Colon, escape};
use crate::key::text::{Full, Text};

/// Whether a value stands alone in its placeholder; inside a container strings must differ from numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Inside,
}

pub(super) struct Encoder<'a> {
    text: &'a mut Text,
    place: Place,
    /// How many `Some` were opened around this value; they show only if it is a `None`.
    somes: usize,
}

impl<'a> Encoder<'a> {
    /// For the value of a placeholder.
    #[inline]
    pub(super) fn top(text: &'a mut Text) -> Self {
        Self {
            text,
            place: Place::Top,
            somes: 0,
        }
    }

    /// For a part of a container.
    pub(super) fn inside(text: &'a mut Text) -> Self {
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
