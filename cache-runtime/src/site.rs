//! One annotated function, as data: what generated code hands to the engine.

use std::{fmt, time::Duration};

use once_cell::sync::OnceCell;

use crate::{flight::SharedError, key, policy::Policy};

/// An annotated function: its name, its key's template and its policy. One static per function.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) template: u64,
    policy: Policy,
    /// The first instantiation, and its fingerprint.
    first: OnceCell<(&'static str, u64)>,
    pub(crate) counted: super::cache::FirstCounters,
}

impl Site {
    /// A site with its literals; `template` has `{}` for every placeholder.
    #[must_use]
    pub const fn new(name: &'static str, template: &'static str, policy: Policy) -> Self {
        Self {
            name,
            template: key::fingerprint(template),
            policy,
            first: OnceCell::new(),
            counted: super::cache::FirstCounters::new(),
        }
    }

    /// A copy of the literal policy.
    pub fn policy(&self) -> Policy {
        self.policy.clone()
    }

    pub(crate) fn literal_policy(&self) -> &Policy {
        &self.policy
    }

    /// The fingerprint of an instantiation: of its generic arguments, so that a put of another function of
    /// the same arguments agrees; zero where there are none.
    pub(crate) fn fingerprint(&self, instance: &'static str) -> u64 {
        let &(first, fingerprint) = self
            .first
            .get_or_init(|| (instance, generics_fingerprint(instance)));
        if std::ptr::eq(first, instance) {
            fingerprint
        } else {
            generics_fingerprint(instance)
        }
    }
}

/// A function that evicts.
#[derive(Debug)]
pub struct EvictSite {
    pub(crate) name: &'static str,
}

impl EvictSite {
    /// A site by its name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name }
    }
}

/// The path of the function whose body made `closure`: module, type, generic arguments.
pub fn instance<F>(_: &F) -> &'static str {
    std::any::type_name::<F>().trim_end_matches("::{{closure}}")
}

/// FNV-1a of everything between the outermost angle brackets of a path; lifetimes say nothing.
fn generics_fingerprint(instance: &str) -> u64 {
    let Some(start) = instance.find('<') else {
        return key::UNSPECIFIED;
    };
    let end = instance.rfind('>').map_or(instance.len(), |end| end + 1);
    let generics = without_lifetimes(&instance[start..end]);
    if generics == "<>" {
        key::UNSPECIFIED
    } else {
        key::fingerprint(&generics)
    }
}

fn without_lifetimes(generics: &str) -> String {
    let mut kept = String::with_capacity(generics.len());
    let mut rest = generics;
    while let Some(quote) = rest.find('\'') {
        kept.push_str(&rest[..quote]);
        let name = rest[quote + 1..].find(|c: char| !c.is_alphanumeric() && c != '_');
        rest = name.map_or("", |end| &rest[quote + 1 + end..]);
        rest = rest.strip_prefix(", ").unwrap_or(rest);
    }
    kept.push_str(rest);
    kept
}

/// What a site does with a value it has loaded; closures over the value that capture nothing.
pub struct Hooks<V> {
    pub(crate) ttl_from: Option<fn(&V) -> Duration>,
    pub(crate) unless: Option<fn(&V) -> bool>,
}

impl<V> Hooks<V> {
    pub(crate) const fn none() -> Self {
        Self {
            ttl_from: None,
            unless: None,
        }
    }

    /// The value's own ttl; zero: do not store.
    #[must_use]
    pub fn ttl_from(mut self, ttl_from: fn(&V) -> Duration) -> Self {
        self.ttl_from = Some(ttl_from);
        self
    }

    /// True: do not store.
    #[must_use]
    pub fn unless(mut self, unless: fn(&V) -> bool) -> Self {
        self.unless = Some(unless);
        self
    }
}

impl<V> fmt::Debug for Hooks<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("ttl_from", &self.ttl_from.is_some())
            .field("unless", &self.unless.is_some())
            .finish()
    }
}

/// Makes a waiter's error from the shared one.
type Unwrap<E> = fn(&SharedError, fn(&E) -> E) -> Option<E>;

/// How waiters get the leader's error.
pub enum Share<E> {
    /// They do not: each runs the origin.
    Not,
    /// A clone each.
    Clone {
        #[doc(hidden)]
        give: fn(&E) -> SharedError,
        #[doc(hidden)]
        receive: fn(&SharedError) -> Option<E>,
    },
    /// One made from the leader's, and from that one for each.
    With {
        #[doc(hidden)]
        make: fn(&E) -> E,
        #[doc(hidden)]
        wrap: fn(E) -> SharedError,
        #[doc(hidden)]
        unwrap: Unwrap<E>,
    },
}

impl<E> fmt::Debug for Share<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Not => "Not",
            Self::Clone { .. } => "Clone",
            Self::With { .. } => "With",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{generics_fingerprint, instance};

    struct Repo<T>(std::marker::PhantomData<T>);

    impl<T> Repo<T> {
        fn load() -> &'static str {
            instance(&|| {})
        }
    }

    fn plain() -> &'static str {
        instance(&|| {})
    }

    fn generic<T, const N: usize>(_: [T; N]) -> &'static str {
        instance(&|| {})
    }

    #[test]
    fn an_instantiation_is_named_with_its_type_and_arguments() {
        assert!(plain().ends_with("site::tests::plain"), "{}", plain());
        assert!(
            Repo::<u8>::load().ends_with("Repo<u8>::load"),
            "{}",
            Repo::<u8>::load()
        );
        assert!(generic([0u8; 7]).ends_with("generic<u8, 7>"));
    }

    #[test]
    fn only_generic_arguments_make_a_fingerprint() {
        assert_eq!(generics_fingerprint(plain()), 0);
        assert_ne!(generics_fingerprint(Repo::<u8>::load()), 0);
        assert_ne!(
            generics_fingerprint(Repo::<u8>::load()),
            generics_fingerprint(Repo::<u16>::load())
        );
        let of = generics_fingerprint;
        assert_eq!(of("a::Repo<u8>::get"), of("b::Repo<u8>::put"));
        assert_eq!(of("a::Repo<'_>::get"), 0);
        assert_eq!(of("a::Repo<'_, u8>::get"), of("b::Repo<u8>::put"));
    }
}
