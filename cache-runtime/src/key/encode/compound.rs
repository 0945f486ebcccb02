//! Containers: a bracket around terminated elements.
//!
//! A map is written into the same buffer in the order it comes and put in order at its end, so the common case (a
//! `BTreeMap`, already in order) moves nothing.

use std::ops::Range;

use serde::Serialize;
use serde::ser;

use super::encoder::Encoder;
use super::{Done, EncodeError};
use crate::key::escape::{Colon, escape};
use crate::key::text::Text;

/// Sequences, tuples, structs and the variants that hold them.
pub(super) struct Elements<'a> {
    text: &'a mut Text,
}

impl<'a> Elements<'a> {
    pub(super) fn open(text: &'a mut Text) -> Result<Self, EncodeError> {
        text.push("(")?;
        Ok(Self { text })
    }

    fn element<T: Serialize + ?Sized>(&mut self, v: &T) -> Done {
        v.serialize(Encoder::inside(self.text))?;
        Ok(self.text.push(",")?)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, v: &T) -> Done {
        escape(self.text, name, Colon::IsData)?;
        self.text.push("=")?;
        self.element(v)
    }

    fn close(self) -> Done {
        Ok(self.text.push(")")?)
    }
}

impl ser::SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = EncodeError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, v: &T) -> Done {
        self.element(v)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeTuple for Elements<'_> {
    type Ok = ();
    type Error = EncodeError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, v: &T) -> Done {
        self.element(v)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Elements<'_> {
    type Ok = ();
    type Error = EncodeError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, v: &T) -> Done {
        self.element(v)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Elements<'_> {
    type Ok = ();
    type Error = EncodeError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, v: &T) -> Done {
        self.element(v)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeStruct for Elements<'_> {
    type Ok = ();
    type Error = EncodeError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, v: &T) -> Done {
        self.field(name, v)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeStructVariant for Elements<'_> {
    type Ok = ();
    type Error = EncodeError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, v: &T) -> Done {
        self.field(name, v)
    }
    fn end(self) -> Done {
        self.close()
    }
}

/// A map: its entries are put in the order of their keys when it ends.
pub(super) struct Entries<'a> {
    text: &'a mut Text,
    start: usize,
    entries: Vec<Entry>,
}

/// Positions relative to the start of the map.
struct Entry {
    key: Range<usize>,
    end: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn open(text: &'a mut Text, len: Option<usize>) -> Result<Self, EncodeError> {
        text.push("(")?;
        let start = text.len();
        // The length is the word of the value; a lie must cost no memory.
        let entries = Vec::with_capacity(len.unwrap_or(0).min(64));
        Ok(Self {
            text,
            start,
            entries,
        })
    }

    fn put_in_order(&mut self) {
        let written = &self.text.as_bytes()[self.start..];
        let key = |entry: &Entry| &written[entry.key.clone()];
        if self.entries.is_sorted_by_key(key) {
            return;
        }
        // Stable: entries of equal keys (a multimap) keep their order, which is part of the value.
        self.entries.sort_by(|a, b| key(a).cmp(key(b)));
        let mut ordered = Vec::with_capacity(written.len());
        for entry in &self.entries {
            ordered.extend_from_slice(&written[entry.key.start..entry.end]);
        }
        self.text.rewrite_from(self.start, &ordered);
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let start = self.text.len() - self.start;
        key.serialize(Encoder::inside(self.text))?;
        let end = self.text.len() - self.start;
        self.entries.push(Entry {
            key: start..end,
            end,
        });
        Ok(self.text.push("=")?)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(Encoder::inside(self.text))?;
        self.text.push(",")?;
        let end = self.text.len() - self.start;
        let Some(entry) = self.entries.last_mut() else {
            return Err(ser::Error::custom("a map value came without its key"));
        };
        entry.end = end;
        Ok(())
    }

    fn end(mut self) -> Done {
        self.put_in_order();
        Ok(self.text.push(")")?)
    }
}
