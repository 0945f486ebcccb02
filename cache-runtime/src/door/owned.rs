//! Arguments of a load that outlives its caller: owned before it begins, lent to each run of the body.
//!
//! The expansion makes a tuple of owned arguments and a closure over it; a body then sees what its signature promised it. What cannot be
//! owned is one error, on the argument: owning it is a method that exists for what has all the bounds, so that the compiler lists those that
//! are missing, and the type of the tuple is unknown after it. Nothing else in an expansion has a bound on an argument.

use std::borrow::Borrow;

use super::{
    lookup::Ready,
    shape::{Plain, Res},
};
use crate::entry::{CacheValue, Keep};

/// What a background load can keep.
pub trait Outlives: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Outlives for T {}

/// An argument that was passed by value, or a receiver.
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

impl<T: Clone + Send + Sync + 'static> Argument<'_, T> {
    /// Its owned form.
    #[must_use]
    pub fn can_outlive_the_call(self) -> T {
        self.0.clone()
    }
}

/// An argument `&T`.
#[derive(Debug)]
pub struct Reference<'a, T: ?Sized>(pub &'a T);

impl<T: ToOwned + ?Sized> Reference<'_, T>
where
    T::Owned: Clone + Send + Sync + 'static,
{
    /// Its owned form.
    #[must_use]
    pub fn can_outlive_the_call(self) -> T::Owned {
        self.0.to_owned()
    }
}

/// An argument `Option<&T>`.
#[derive(Debug)]
pub struct OptionalReference<'a, T: ?Sized>(pub Option<&'a T>);

impl<T: ToOwned + ?Sized> OptionalReference<'_, T>
where
    T::Owned: Clone + Send + Sync + 'static,
{
    /// Its owned form.
    #[must_use]
    pub fn can_outlive_the_call(self) -> Option<T::Owned> {
        self.0.map(ToOwned::to_owned)
    }
}

/// An argument `&T`, for one run of the body.
pub fn lend<T: ?Sized, O: Borrow<T>>(owned: &O) -> &T {
    owned.borrow()
}

/// An argument `Option<&T>`, for one run of the body.
pub fn lend_option<T: ?Sized, O: Borrow<T>>(owned: &Option<O>) -> Option<&T> {
    owned.as_ref().map(Borrow::borrow)
}

impl<V: CacheValue, E: Send + 'static, K: Keep<V>> Ready<Res<V, E, K>> {
    /// The one place where it is checked that an error can come from another task.
    #[must_use]
    pub fn error_can_be_sent(self) -> Self {
        self
    }
}

impl<V: CacheValue, K: Keep<V>> Ready<Plain<V, K>> {
    /// There are no errors to send.
    #[must_use]
    pub fn error_can_be_sent(self) -> Self {
        self
    }
}
