//! Values whose type only their functions know.
//!
//! The engine is compiled once, not once per cached type: it passes values as [`Erased`] and
//! asks their [`ValueType`] for what depends on the type.

use std::{any::Any, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    codec::{EncodeError, encoded_size, from_json, to_json},
    peek::{Top, top},
};

/// What can be cached: anything that can be cloned, sent to another thread and serialized both ways.
///
/// Implemented for every such type. `Arc<T>` makes a hit in memory one reference count.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached",
    note = "a cached value is `Clone + Send + Sync + serde::Serialize + serde::de::DeserializeOwned + 'static`"
)]
pub trait CacheValue: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {}

impl<T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static> CacheValue for T {}

/// A value of a type the holder does not know.
pub(crate) type Erased = Arc<dyn Any + Send + Sync>;

/// What the engine asks of a value's type.
pub(crate) struct ValueType {
    /// The JSON form, bounded.
    pub(crate) encode: fn(&Erased, usize) -> Result<Vec<u8>, EncodeError>,
    /// The length of the JSON form, bounded.
    pub(crate) size: fn(&Erased, usize) -> Result<usize, EncodeError>,
    /// The value of a JSON form.
    pub(crate) decode: fn(&[u8]) -> Result<Erased, String>,
    /// The value's outermost layer.
    pub(crate) top: fn(&Erased) -> Top,
    /// Which type this is.
    pub(crate) id: fn() -> std::any::TypeId,
}

impl std::fmt::Debug for ValueType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValueType").finish_non_exhaustive()
    }
}

impl ValueType {
    /// The functions of `V`.
    pub(crate) const fn of<V: CacheValue>() -> &'static Self {
        &Self {
            encode: |value, limit| to_json(typed::<V>(value), limit),
            size: |value, limit| encoded_size(typed::<V>(value), limit),
            decode: |bytes| from_json::<V>(bytes).map(|value| Arc::new(value) as Erased),
            top: |value| top(typed::<V>(value)),
            id: std::any::TypeId::of::<V>,
        }
    }
}

fn typed<V: CacheValue>(value: &Erased) -> &V {
    value
        .downcast_ref()
        .expect("a value travels with the functions of its own type")
}
