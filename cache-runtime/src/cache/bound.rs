//! What a site is in one cache: who reads, where it is counted.
//!
//! **Problem.** A hit needs all of it, and to find it costs more than the hit.
//!
//! **Decision.** It is put together at the first call and remembered in the site itself, for the first cache and instantiation that call: most
//! programs have one of each. The others are remembered by the cache.

use std::{
    ops::Deref,
    sync::{Arc, Weak},
};

use once_cell::sync::OnceCell;

use crate::{engine::Core, observe::Counters, tiers::memory::Reader};

/// See the module.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) reader: Reader,
    /// See [`Reader::fingerprint`].
    pub(crate) fingerprint: u64,
    pub(crate) counters: Arc<Counters>,
    /// By the literal part of its policy it reads the memory tier.
    pub(crate) reads_memory: bool,
    /// See [`clones_at_once`].
    pub(crate) clones_at_once: bool,
}

/// Whether a clone of a value is a reference count and nothing else: it may be made where a lock is held.
///
/// Nothing but its name tells an `Arc` behind a type parameter, or of what has no size. The compiler does not promise what names look like: were it to change them, hits would be as
/// slow as those of other values, and no less right.
pub(crate) fn clones_at_once<V>() -> bool {
    let name = std::any::type_name::<V>();
    let value = name.strip_prefix("core::option::Option<").unwrap_or(name);
    value.starts_with("alloc::sync::Arc<")
}

/// What a site is in a cache, without counting a reference where none is needed.
pub(crate) enum BoundRef<'a> {
    First(&'a Bound),
    Other(Arc<Bound>),
}

impl Deref for BoundRef<'_> {
    type Target = Bound;

    #[inline]
    fn deref(&self) -> &Bound {
        match self {
            Self::First(bound) => bound,
            Self::Other(bound) => bound,
        }
    }
}

/// The cache and the instantiation that called a site first.
#[derive(Debug)]
pub(crate) struct FirstBound(OnceCell<First>);

#[derive(Debug)]
struct First {
    /// The cache's address, which is compared without asking `_core`: that would look first whether it dangles.
    at: usize,
    /// Keeps the address from being used again.
    _core: Weak<Core>,
    instance: &'static str,
    bound: Arc<Bound>,
}

impl First {
    #[inline]
    fn is_of(&self, core: &Arc<Core>, instance: &'static str) -> bool {
        self.at == Arc::as_ptr(core).addr()
            && (std::ptr::eq(self.instance, instance) || is_copy(self.instance, instance))
    }
}

/// The compiler may have several copies of a name.
#[inline(never)]
fn is_copy(one: &str, other: &str) -> bool {
    one == other
}

impl FirstBound {
    pub(crate) const fn new() -> Self {
        Self(OnceCell::new())
    }

    /// What the site is in `core`, instantiated as `instance`; `make` is asked at the first call.
    #[inline]
    pub(crate) fn of(
        &self,
        core: &Arc<Core>,
        instance: &'static str,
        make: impl Fn() -> Bound,
    ) -> BoundRef<'_> {
        match self.0.get() {
            Some(first) if first.is_of(core, instance) => BoundRef::First(&first.bound),
            _ => self.look_up(core, instance, make),
        }
    }

    #[cold]
    fn look_up(
        &self,
        core: &Arc<Core>,
        instance: &'static str,
        make: impl Fn() -> Bound,
    ) -> BoundRef<'_> {
        let site = std::ptr::from_ref(self).addr();
        let bound = core.sites.bound((site, instance), make);
        let _ = self.0.set(First {
            at: Arc::as_ptr(core).addr(),
            _core: Arc::downgrade(core),
            instance,
            bound: Arc::clone(&bound),
        });
        BoundRef::Other(bound)
    }
}

#[cfg(test)]
mod tests {
    use std::{rc::Rc, sync::Arc};

    use super::clones_at_once;

    #[derive(Clone)]
    struct Own;

    #[test]
    fn only_counts_of_references_are_cloned_at_once() {
        assert!(clones_at_once::<Arc<String>>());
        assert!(clones_at_once::<Arc<str>>());
        assert!(clones_at_once::<Arc<Own>>());
        assert!(clones_at_once::<Option<Arc<Own>>>());
        assert!(!clones_at_once::<Own>());
        assert!(!clones_at_once::<Option<Own>>());
        assert!(!clones_at_once::<Vec<Arc<Own>>>());
        assert!(!clones_at_once::<(Arc<Own>, Own)>());
        assert!(!clones_at_once::<Rc<Own>>());
        assert!(!clones_at_once::<Result<Arc<Own>, Own>>());
    }
}
