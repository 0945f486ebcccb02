//! What is stored: values with their type erased, and their form at rest.
//!
//! The memory tier keeps values as they are; Redis keeps [`Envelope`]s. Anything unreadable (a foreign
//! value, an older format, a truncation, a flipped bit) is a miss and a counter, never an error,
//! a panic or another value.

mod codec;
mod envelope;
mod faithful;
mod keep;
mod peek;
mod token;
mod value;

pub(crate) use codec::EncodeError;
pub(crate) use envelope::{Carried, Envelope, Header, Unreadable, encode};
pub use envelope::{mark_expired, schema_version};
pub use keep::{Counted, Keep, Whole};
pub(crate) use peek::{Top, top};
pub use token::Token;
pub use value::CacheValue;
pub(crate) use value::{Erased, ValueType};
