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
mod encoder;
mod scalar;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Serialize, ser};

use super::text::{Full, Text};
use encoder::Encoder;

/// Appends the encoding of a value as it stands in a placeholder.
#[inline]
pub(super) fn encode<T: Serialize + ?Sized>(value: &T, text: &mut Text) -> Result<(), EncodeError> {
    value.serialize(Encoder::top(text))
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

type Done = Result<(), EncodeError>;
