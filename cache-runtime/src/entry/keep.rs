//! What memory has of a value.
//!
//! **Problem.** Memory does not know the types of its values, so it has them behind a count of references. A value that is itself a count of references, an
//! `Arc<T>`, would be a pointer to a pointer: another block of memory for each entry, and for each hit another line that is in no cache.
//!
//! **Decision.** Of an `Arc<T>`, or an `Option` of one, memory has what it counts references to. Only who names the type can tell that it is one, so the compiler is asked
//! where the function is annotated ([`via`](crate::door::via)). Everything else, and every value of who does not name its type, is kept as it is.

use std::any::Any;
use std::sync::Arc;

use super::Erased;

/// How values of `V` are kept.
pub trait Keep<V>: Copy + 'static {
    /// What the value counts references to, if it does nothing else.
    fn inner(value: &V) -> Option<Erased>;
    /// The value that counts references to this, if that can be.
    fn around(inner: &Erased) -> Option<V>;
}

/// As it is.
#[derive(Clone, Copy, Debug)]
pub struct Whole;

/// By what it counts references to.
#[derive(Clone, Copy, Debug)]
pub struct Counted;

impl<V> Keep<V> for Whole {
    #[inline]
    fn inner(_: &V) -> Option<Erased> {
        None
    }

    #[inline]
    fn around(_: &Erased) -> Option<V> {
        None
    }
}

impl<T: Any + Send + Sync> Keep<Arc<T>> for Counted {
    #[inline]
    fn inner(value: &Arc<T>) -> Option<Erased> {
        Some(Arc::clone(value) as Erased)
    }

    #[inline]
    fn around(inner: &Erased) -> Option<Arc<T>> {
        Arc::clone(inner).downcast().ok()
    }
}

impl<T: Any + Send + Sync> Keep<Option<Arc<T>>> for Counted {
    #[inline]
    fn inner(value: &Option<Arc<T>>) -> Option<Erased> {
        Self::inner(value.as_ref()?)
    }

    #[inline]
    fn around(inner: &Erased) -> Option<Option<Arc<T>>> {
        <Self as Keep<Arc<T>>>::around(inner).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Counted, Erased, Keep, Whole};

    #[test]
    fn what_counts_references_is_what_it_counts() {
        let value = Arc::new(7_u8);
        let inner = Counted::inner(&value).expect("it is counted");
        assert!(inner.is::<u8>());
        let around = <Counted as Keep<Arc<u8>>>::around(&inner).expect("it was put in");
        assert!(Arc::ptr_eq(&around, &value));
        let around = <Counted as Keep<Option<Arc<u8>>>>::around(&inner).flatten();
        assert!(Arc::ptr_eq(&around.expect("it was put in"), &value));
        assert!(<Counted as Keep<Arc<u16>>>::around(&inner).is_none());
    }

    #[test]
    fn what_counts_nothing_is_kept_as_it_is() {
        assert!(Counted::inner(&None::<Arc<u8>>).is_none());
        assert!(Whole::inner(&Arc::new(7_u8)).is_none());
        let kept: Erased = Arc::new(7_u8);
        assert!(<Whole as Keep<Arc<u8>>>::around(&kept).is_none());
    }
}
