//! The fragments of an expansion: one per capability, each a function from data to tokens that cannot fail.
//!
//! The attributes differ only in which fragments they put together. Another option adds a fragment here, or a row in the
//! option table where the policy fragment carries it already; it never adds a variant of an expansion.

pub(crate) mod body;
pub(crate) mod call;
mod computed;
pub(crate) mod key;
pub(crate) mod owned;
pub(crate) mod policy;
mod renamed;
pub(crate) mod shape;
pub(crate) mod tags;
