//! What a programmatic call says beside what a function's policy says: labels and owner, what its values decide, and under what name it is counted.
//!
//! An annotated function's closures are compiled with it ([`Hooks`](crate::site::Hooks)). A policy has no type of value, so its functions are kept without
//! theirs, and who has a value finds those that are meant for its type.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use crate::entry::CacheValue;

/// A function over values of one type.
type Asks<T, A> = Box<dyn Fn(&T) -> A + Send + Sync>;
/// One of them, of whatever type.
type Asked = Arc<dyn Any + Send + Sync>;

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Own {
    pub(super) tags: Vec<String>,
    pub(super) scope: Option<String>,
    pub(super) site: Option<Box<str>>,
    ttl_from: Option<Asked>,
    tags_from: Option<Asked>,
    unless: Option<Asked>,
}

impl Own {
    pub(super) fn set_ttl_from<T: CacheValue>(
        &mut self,
        f: impl Fn(&T) -> Duration + Send + Sync + 'static,
    ) {
        self.ttl_from = Some(kept::<T, _>(Box::new(f)));
    }

    pub(super) fn set_tags_from<T: CacheValue>(
        &mut self,
        f: impl Fn(&T) -> Vec<String> + Send + Sync + 'static,
    ) {
        self.tags_from = Some(kept::<T, _>(Box::new(f)));
    }

    pub(super) fn set_unless<T: CacheValue>(
        &mut self,
        f: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) {
        self.unless = Some(kept::<T, _>(Box::new(f)));
    }

    /// Whether it may not be stored; asked first.
    pub(crate) fn refuses<T: CacheValue>(&self, value: &T) -> bool {
        ask(self.unless.as_ref(), value).unwrap_or(false)
    }

    pub(crate) fn ttl_of<T: CacheValue>(&self, value: &T) -> Option<Duration> {
        ask(self.ttl_from.as_ref(), value)
    }

    pub(crate) fn tags_of<T: CacheValue>(&self, value: &T) -> Vec<String> {
        ask(self.tags_from.as_ref(), value).unwrap_or_default()
    }

    /// Whether a value of this type may name tags.
    pub(crate) fn names_tags_of<T: CacheValue>(&self) -> bool {
        let asks = self.tags_from.as_ref();
        asks.is_some_and(|asks| asks.is::<Asks<T, Vec<String>>>())
    }

    /// The first option here, by the name of its setter.
    pub(super) fn first(&self) -> Option<&'static str> {
        let given = [
            ("tags", !self.tags.is_empty()),
            ("scope", self.scope.is_some()),
            ("site", self.site.is_some()),
            ("ttl_from", self.ttl_from.is_some()),
            ("tags_from", self.tags_from.is_some()),
            ("unless", self.unless.is_some()),
        ];
        let first = given.into_iter().find(|(_, given)| *given);
        first.map(|(name, _)| name)
    }
}

fn kept<T: CacheValue, A: 'static>(asks: Asks<T, A>) -> Asked {
    Arc::new(asks)
}

/// The answer, if it is a question about values of this type.
fn ask<T: CacheValue, A: 'static>(asked: Option<&Asked>, value: &T) -> Option<A> {
    let asks = asked?.downcast_ref::<Asks<T, A>>()?;
    Some(asks(value))
}

impl PartialEq for Own {
    /// Functions are the same if they are the same one.
    fn eq(&self, other: &Self) -> bool {
        let same = |one: &Option<Asked>, other: &Option<Asked>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        (&self.tags, &self.scope, &self.site) == (&other.tags, &other.scope, &other.site)
            && same(&self.ttl_from, &other.ttl_from)
            && same(&self.tags_from, &other.tags_from)
            && same(&self.unless, &other.unless)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own")
            .field("tags", &self.tags)
            .field("scope", &self.scope)
            .field("site", &self.site)
            .field("ttl_from", &self.ttl_from.is_some())
            .field("tags_from", &self.tags_from.is_some())
            .field("unless", &self.unless.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_over_the_values_type_are_asked() {
        let mut own = Own::default();
        own.set_unless(|text: &String| text.is_empty());
        own.set_ttl_from(|text: &String| Duration::from_secs(text.len() as u64));
        own.set_tags_from(|text: &String| vec![text.clone()]);
        assert!(own.refuses(&String::new()));
        assert_eq!(own.ttl_of(&"abc".to_owned()), Some(Duration::from_secs(3)));
        assert_eq!(own.tags_of(&"a".to_owned()), ["a"]);
        assert!(own.names_tags_of::<String>());
        assert!(!own.refuses(&None::<String>));
        assert_eq!(own.ttl_of(&7_u64), None);
        assert!(own.tags_of(&7_u64).is_empty() && !own.names_tags_of::<u64>());
    }
}
