//! One annotated function, as data: what generated code hands to the engine.

mod instance;

use std::{fmt, time::Duration};

pub use instance::instance;

use crate::{
    flight::SharedError,
    key::{self, Holes},
    policy::Policy,
};

/// An annotated function: its name, its key's template and its policy. One static per function.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) template: u64,
    /// Fingerprint of the templates of its tags; zero without any.
    pub(crate) tags: u64,
    /// Of those that wait for the value.
    pub(crate) late_tags: u64,
    /// Some tags are known only with the value.
    pub(crate) late: bool,
    /// Its hits may call for a refresh or a check.
    pub(crate) watched: bool,
    policy: Policy,
    pub(crate) bound: super::cache::FirstBound,
}

impl Site {
    /// A site with its literals; `template` has `{}` for every placeholder.
    #[must_use]
    pub const fn new(name: &'static str, template: &'static str, policy: Policy) -> Self {
        Self {
            name,
            template: key::fingerprint(template),
            tags: key::UNSPECIFIED,
            late_tags: key::UNSPECIFIED,
            late: false,
            watched: false,
            policy,
            bound: super::cache::FirstBound::new(),
        }
    }

    /// The templates of its tags. A placeholder is `{}`, or where its value stands in the key.
    #[must_use]
    pub const fn tags(mut self, templates: &'static [&'static str]) -> Self {
        self.tags = key::fingerprint_all(key::UNSPECIFIED, templates);
        self
    }

    /// The same, and the templates of those that wait for the value: none where only a function names them.
    #[must_use]
    pub const fn late_tags(
        mut self,
        templates: &'static [&'static str],
        late: &'static [&'static str],
    ) -> Self {
        self = self.tags(templates);
        self.tags = key::fingerprint_all(self.tags, late);
        self.late_tags = key::fingerprint_all(key::UNSPECIFIED, late);
        self.late = true;
        self
    }

    /// Its hits may call for a refresh or a check, by options of its policy, literal or not.
    #[must_use]
    pub const fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    /// A copy of the literal policy.
    pub fn policy(&self) -> Policy {
        self.policy.clone()
    }

    pub(crate) fn literal_policy(&self) -> &Policy {
        &self.policy
    }
}

/// The fingerprint of an instantiation: of its generic arguments, so that a put of another function of
/// the same arguments agrees; zero where there are none.
pub(crate) fn fingerprint(instance: &str) -> u64 {
    instance::fingerprint(instance)
}

/// The name of a site's counters: functions of one name in two types of a module are two.
pub(crate) fn counters_name(instance: &str) -> String {
    instance::name(instance)
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

/// What a site does with a value it has loaded; closures over the value that capture nothing.
pub struct Hooks<V> {
    pub(crate) ttl_from: Option<fn(&V) -> Duration>,
    pub(crate) unless: Option<fn(&V) -> bool>,
    pub(crate) tags_from: Option<fn(&V) -> Vec<String>>,
    pub(crate) late_tags: Option<fn(&V, &mut Holes)>,
}

impl<V> Hooks<V> {
    pub(crate) const fn none() -> Self {
        Self {
            ttl_from: None,
            unless: None,
            tags_from: None,
            late_tags: None,
        }
    }

    /// The value's own ttl; zero: do not store.
    #[must_use]
    pub fn ttl_from(mut self, ttl_from: fn(&V) -> Duration) -> Self {
        self.ttl_from = Some(ttl_from);
        self
    }

    /// The value's own tags.
    #[must_use]
    pub fn tags_from(mut self, tags_from: fn(&V) -> Vec<String>) -> Self {
        self.tags_from = Some(tags_from);
        self
    }

    /// Fills what the tags' templates have of the value.
    #[must_use]
    pub fn late_tags(mut self, fill: fn(&V, &mut Holes)) -> Self {
        self.late_tags = Some(fill);
        self
    }

    /// True: do not store.
    #[must_use]
    pub fn unless(mut self, unless: fn(&V) -> bool) -> Self {
        self.unless = Some(unless);
        self
    }
}

impl<V> Clone for Hooks<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Hooks<V> {}

impl<V> fmt::Debug for Hooks<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("ttl_from", &self.ttl_from.is_some())
            .field("unless", &self.unless.is_some())
            .field(
                "tags",
                &(self.tags_from.is_some() || self.late_tags.is_some()),
            )
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

impl<E> Clone for Share<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Share<E> {}

impl<E> fmt::Debug for Share<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Not => "Not",
            Self::Clone { .. } => "Clone",
            Self::With { .. } => "With",
        })
    }
}
