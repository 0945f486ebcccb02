//! The runtime side of the attributes: the types an expansion walks through.
//!
//! An expansion asks for the *shape* of the function's return type, *looks up* the key synchronously, and on a miss
//! hands over the body as a future. Nothing here decides anything: policy is data and the
//! engine does the work.

mod evict;
mod hit;
mod lookup;
mod owned;
mod put;
mod shape;
mod tags;
mod timeout;

pub use evict::{EvictGuard, EvictPlan, Opaque};
pub use lookup::{Call, Found, Miss, Ready};
pub use owned::{Argument, OptionalReference, Outlives, Reference, lend, lend_option};
pub use put::{PutGuard, PutPlan};
pub use shape::{Plain, Probe, Res, via};
pub use tags::TagBuf;
pub use timeout::{FromTimeout, OnTimeout, Times};

use crate::key::{Key, KeyBuf, fingerprint};

/// A key of a template; one that cannot be rendered knows why.
pub(crate) fn key(template: &'static str, render: impl FnOnce(&mut KeyBuf<'_>)) -> Key {
    // The bound of a cache is checked where the key meets it; this one keeps an argument from filling the memory.
    const LONGEST: usize = 1 << 20;
    let mut buffer = KeyBuf::new(LONGEST, None);
    render(&mut buffer);
    buffer.finish_key(fingerprint(template))
}
