//! How a call that gives up waiting is answered.

use std::fmt;

use crate::error::LoadTimeout;

/// An error that a [`LoadTimeout`] becomes.
#[diagnostic::on_unimplemented(
    message = "`hard_timeout` needs to make a `{Self}` of a `LoadTimeout`",
    label = "does not implement `From<cache_runtime::LoadTimeout>`",
    note = "implement it, or write `on_timeout = |timeout| …`"
)]
pub trait FromTimeout {
    /// The error.
    fn from_timeout(timeout: LoadTimeout) -> Self;
}

impl<E: From<LoadTimeout>> FromTimeout for E {
    fn from_timeout(timeout: LoadTimeout) -> Self {
        timeout.into()
    }
}

/// A return type that can say that a call gave up.
#[diagnostic::on_unimplemented(
    message = "`hard_timeout` needs a function that returns a `Result`",
    label = "has no place for the error of a call that gives up",
    note = "return `Result<_, E>` with `E: From<cache_runtime::LoadTimeout>`, or leave `hard_timeout` out"
)]
pub trait Times {}

/// What a timeout becomes; nothing where there is none.
pub struct OnTimeout<E>(pub(crate) Option<fn(LoadTimeout) -> E>);

impl<E> Clone for OnTimeout<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for OnTimeout<E> {}

impl<E> fmt::Debug for OnTimeout<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnTimeout").field(&self.0.is_some()).finish()
    }
}
