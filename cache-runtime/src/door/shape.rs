//! What a return type is, found out by the type checker.
//!
//! `Result<V, E>` caches `V`; anything else is cached whole. What counts references, memory keeps by what it counts. Method resolution decides, through aliases: of what
//! can be called as `(&&&probe).shape()`, the method of `&&Probe` is found first, then that of `&Probe`, and that of `Probe` last (autoref specialization). The probe holds a function pointer, so it is
//! `Send`, `Sync` and `'static` whatever the return type is, and no level asks what a value needs to be cached: that is
//! checked once, by `can_be_cached`, where the compiler lists all that are missing in one error.

use std::{convert::Infallible, marker::PhantomData};

use super::lookup::Ready;
use crate::{
    engine::{unwrap, wrap},
    entry::{CacheValue, Keep, Whole},
    flight::SharedError,
    site::Share,
};

/// Asks what `R` is.
#[derive(Debug)]
pub struct Probe<R>(PhantomData<fn() -> R>);

impl<R> Probe<R> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

/// A function that returns `Result<V, E>`: `V` is cached.
#[derive(Debug)]
pub struct Res<V, E, K = Whole>(PhantomData<fn(K) -> Result<V, E>>);

/// A function that returns `V`.
#[derive(Debug)]
pub struct Plain<V, K = Whole>(PhantomData<fn(K) -> V>);

/// Asks whether `E` can be shared by cloning.
#[derive(Debug)]
pub struct Errors<E>(PhantomData<fn() -> E>);

impl<V, E, K> Clone for Res<V, E, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, E, K> Copy for Res<V, E, K> {}

impl<V, K> Clone for Plain<V, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, K> Copy for Plain<V, K> {}

/// The traits whose methods answer; imported by a glob in a block of their own.
pub mod via {
    use std::{any::Any, marker::PhantomData, sync::Arc};

    use super::{Errors, Plain, Probe, Res, SharedError};
    use crate::{entry::Counted, site::Share};

    /// Those that ask no more of a type than it shows: one with holes would be taken for whatever fits.
    pub mod holes {
        pub use super::{ShapeOfResult, ShapeOfValue};
    }

    /// First choice.
    pub trait ShapeOfCounted {
        /// What it is.
        type Shape;
        /// `Arc<T>` or `Option<Arc<T>>`, or a `Result` of one.
        fn shape(&self) -> Self::Shape;
    }

    impl<T: Any + Send + Sync> ShapeOfCounted for &&Probe<Arc<T>> {
        type Shape = Plain<Arc<T>, Counted>;
        fn shape(&self) -> Self::Shape {
            Plain(PhantomData)
        }
    }

    impl<T: Any + Send + Sync> ShapeOfCounted for &&Probe<Option<Arc<T>>> {
        type Shape = Plain<Option<Arc<T>>, Counted>;
        fn shape(&self) -> Self::Shape {
            Plain(PhantomData)
        }
    }

    impl<T: Any + Send + Sync, E> ShapeOfCounted for &&Probe<Result<Arc<T>, E>> {
        type Shape = Res<Arc<T>, E, Counted>;
        fn shape(&self) -> Self::Shape {
            Res(PhantomData)
        }
    }

    impl<T: Any + Send + Sync, E> ShapeOfCounted for &&Probe<Result<Option<Arc<T>>, E>> {
        type Shape = Res<Option<Arc<T>>, E, Counted>;
        fn shape(&self) -> Self::Shape {
            Res(PhantomData)
        }
    }

    /// Second choice.
    pub trait ShapeOfResult<V, E> {
        /// `Result<V, E>`.
        fn shape(&self) -> Res<V, E>;
    }

    impl<V, E> ShapeOfResult<V, E> for &Probe<Result<V, E>> {
        fn shape(&self) -> Res<V, E> {
            Res(PhantomData)
        }
    }

    /// Third choice.
    pub trait ShapeOfValue<V> {
        /// Anything.
        fn shape(&self) -> Plain<V>;
    }

    impl<V> ShapeOfValue<V> for Probe<V> {
        fn shape(&self) -> Plain<V> {
            Plain(PhantomData)
        }
    }

    /// First choice.
    pub trait SharedByClone<E> {
        /// Waiters get clones.
        fn sharing(&self) -> Share<E>;
    }

    impl<E: Clone + Send + Sync + 'static> SharedByClone<E> for Errors<E> {
        fn sharing(&self) -> Share<E> {
            Share::Clone {
                give: |error| Arc::new(error.clone()) as SharedError,
                receive: |error| error.downcast_ref::<E>().cloned(),
            }
        }
    }

    /// Second choice.
    pub trait NotShared<E> {
        /// Waiters see for themselves.
        fn sharing(&self) -> Share<E>;
    }

    impl<E> NotShared<E> for &Errors<E> {
        fn sharing(&self) -> Share<E> {
            Share::Not
        }
    }
}

impl<V, E, K> Res<V, E, K> {
    /// The question how errors are shared.
    #[must_use]
    pub fn errors(self) -> Errors<E> {
        Errors(PhantomData)
    }

    /// Errors are not shared.
    #[must_use]
    pub fn share_none(self) -> Share<E> {
        Share::Not
    }

    /// Waiters get errors made from the leader's.
    #[must_use]
    pub fn share_with(self, make: fn(&E) -> E) -> Share<E>
    where
        E: Send + 'static,
    {
        Share::With {
            make,
            wrap: wrap::<E>,
            unwrap: unwrap::<E>,
        }
    }

    /// The value inside, if there is one.
    pub fn ok(self, out: &Result<V, E>) -> Option<&V> {
        out.as_ref().ok()
    }
}

impl<V, K> Plain<V, K> {
    /// There are no errors to share.
    #[must_use]
    pub fn errors(self) -> Errors<Infallible> {
        Errors(PhantomData)
    }

    /// There are no errors to share.
    #[must_use]
    pub fn share_none(self) -> Share<Infallible> {
        Share::Not
    }

    /// The value.
    pub fn ok(self, out: &V) -> Option<&V> {
        Some(out)
    }
}

impl<V: CacheValue, E, K: Keep<V>> Res<V, E, K> {
    /// The one place where the bounds of a cached value are checked.
    #[must_use]
    pub fn can_be_cached(self) -> Ready<Self> {
        Ready(self)
    }
}

impl<V: CacheValue, K: Keep<V>> Plain<V, K> {
    /// The one place where the bounds of a cached value are checked.
    #[must_use]
    pub fn can_be_cached(self) -> Ready<Self> {
        Ready(self)
    }
}

/// A shape whose values can be cached.
pub(super) trait Shape: Copy {
    type Value: CacheValue;
    type Error;
    type Return;

    fn join(value: Self::Value) -> Self::Return;
    fn pack(result: Result<Self::Value, Self::Error>) -> Self::Return;
    fn split(out: Self::Return) -> Result<Self::Value, Self::Error>;
}

impl<V: CacheValue, E, K: Keep<V>> Shape for Res<V, E, K> {
    type Value = V;
    type Error = E;
    type Return = Result<V, E>;

    fn join(value: V) -> Self::Return {
        Ok(value)
    }

    fn pack(result: Result<V, E>) -> Self::Return {
        result
    }

    fn split(out: Self::Return) -> Result<V, E> {
        out
    }
}

impl<V: CacheValue, K: Keep<V>> Shape for Plain<V, K> {
    type Value = V;
    type Error = Infallible;
    type Return = V;

    fn join(value: V) -> V {
        value
    }

    fn pack(result: Result<V, Infallible>) -> V {
        match result {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    fn split(out: V) -> Result<V, Infallible> {
        Ok(out)
    }
}

#[cfg(test)]
#[expect(clippy::needless_borrow, reason = "it is asked as expansions ask")]
mod tests {
    use std::{cell::Cell, convert::Infallible, fmt::Display, ops::Deref, sync::Arc};

    use super::{Plain, Probe, Res};
    use crate::entry::{CacheValue, Counted, Whole};

    type Alias = Result<Arc<u8>, Infallible>;

    struct Own(Arc<u8>);

    impl Deref for Own {
        type Target = Arc<u8>;

        fn deref(&self) -> &Arc<u8> {
            &self.0
        }
    }

    fn of_any<T: CacheValue>() -> Plain<Arc<T>, Counted> {
        use super::via::*;
        (&&&Probe::<Arc<T>>::NEW).shape()
    }

    fn of_whatever<V: CacheValue>() -> Plain<V, Whole> {
        use super::via::*;
        (&&&Probe::<V>::NEW).shape()
    }

    #[test]
    fn what_counts_references_is_told_from_everything_else() {
        use super::via::*;
        let _: Plain<Arc<u8>, Counted> = (&&&Probe::<Arc<u8>>::NEW).shape();
        let _: Plain<Option<Arc<u8>>, Counted> = (&&&Probe::<Option<Arc<u8>>>::NEW).shape();
        let _: Res<Arc<u8>, Infallible, Counted> = (&&&Probe::<Alias>::NEW).shape();
        let _: Res<Option<Arc<u8>>, (), Counted> =
            (&&&Probe::<Result<Option<Arc<u8>>, ()>>::NEW).shape();
        let _: Plain<Arc<Arc<u8>>, Counted> = (&&&Probe::<Arc<Arc<u8>>>::NEW).shape();
        let _ = (of_any::<u8>(), of_whatever::<Arc<u8>>());

        let _: Plain<u8, Whole> = (&&&Probe::<u8>::NEW).shape();
        let _: Plain<Option<u8>, Whole> = (&&&Probe::<Option<u8>>::NEW).shape();
        let _: Res<u8, (), Whole> = (&&&Probe::<Result<u8, ()>>::NEW).shape();
        let _: Plain<Arc<str>, Whole> = (&&&Probe::<Arc<str>>::NEW).shape();
        let _: Res<Arc<[u8]>, (), Whole> = (&&&Probe::<Result<Arc<[u8]>, ()>>::NEW).shape();
        let _: Plain<Arc<dyn Display>, Whole> = (&&&Probe::<Arc<dyn Display>>::NEW).shape();
        let _: Plain<Arc<Cell<u8>>, Whole> = (&&&Probe::<Arc<Cell<u8>>>::NEW).shape();
        let _: Plain<Own, Whole> = (&&&Probe::<Own>::NEW).shape();
    }

    #[test]
    fn a_hole_is_not_taken_for_what_counts_references() {
        use super::via::holes::*;
        // What no name is written for is only known from the value.
        let hidden = || 7_u8;
        let (out, none) = (Ok::<_, ()>(Some(hidden)), (0, None));
        let shape = (&&&Probe::<Result<Option<_>, ()>>::NEW).shape();
        assert!(shape.ok(&out).is_some());
        let shape = (&&&Probe::<(u8, Option<_>)>::NEW).shape();
        assert!(
            shape
                .ok(&none)
                .is_some_and(|(_, none)| none.is_none_or(|it: u8| it > 0))
        );
    }
}
