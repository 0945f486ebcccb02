//! Arguments of a load that outlives its caller: owned before it begins, lent to each run of the body.
//!
//! The expansion makes a tuple of owned arguments and a closure over it; a body then sees what its signature promised it. What cannot be
//! owned is one error, on the argument, because every function here has one bound.

use std::borrow::Borrow;

/// What a background load can keep.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot outlive the call, which a load in the background needs",
    label = "not `Clone + Send + Sync + 'static`",
    note = "arguments may be `Clone + Send + Sync + 'static`, references to what is, `&str`, `&[T]` and their `Option`s; a receiver `&self` needs `Self: Clone`, or write `self: Arc<Self>`"
)]
pub trait Outlives: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Outlives for T {}

/// What a background load can keep an owned form of.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot outlive the call, which a load in the background needs",
    label = "has no owned form that is `Clone + Send + Sync + 'static`",
    note = "take the argument by value, as an `Arc`, or as a reference to something that is `Clone`"
)]
pub trait Lent {
    /// Its owned form.
    type Owned: Clone + Send + Sync + 'static;

    /// Makes one.
    fn own(&self) -> Self::Owned;

    /// Lends what was made.
    fn lend(owned: &Self::Owned) -> &Self;
}

impl<T: ToOwned + ?Sized> Lent for T
where
    T::Owned: Clone + Send + Sync + 'static,
{
    type Owned = T::Owned;

    fn own(&self) -> T::Owned {
        self.to_owned()
    }

    fn lend(owned: &T::Owned) -> &Self {
        owned.borrow()
    }
}

/// An argument that was passed by value, or a receiver.
pub fn own<T: Outlives>(value: &T) -> T {
    value.clone()
}

/// An argument `&T`.
pub fn own_ref<T: Lent + ?Sized>(value: &T) -> T::Owned {
    value.own()
}

/// An argument `Option<&T>`.
pub fn own_option<T: Lent + ?Sized>(value: Option<&T>) -> Option<T::Owned> {
    value.map(Lent::own)
}

/// An argument `&T`, for one run of the body.
pub fn lend<T: Lent + ?Sized>(owned: &T::Owned) -> &T {
    T::lend(owned)
}

/// An argument `Option<&T>`, for one run of the body.
pub fn lend_option<T: Lent + ?Sized>(owned: &Option<T::Owned>) -> Option<&T> {
    owned.as_ref().map(T::lend)
}
