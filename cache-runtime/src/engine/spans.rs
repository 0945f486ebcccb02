//! Spans around what is not a hit in memory, under names that stay: `docs/observability.md` has them.
//!
//! While nobody wants them, asking costs one relaxed load. They name a cache, a site and a region; a key only where
//! [`show_keys`](crate::CacheBuilder::show_keys) says so.

use std::fmt;

use tracing::{
    Span,
    field::{Empty, debug, display},
};

use super::{
    Core,
    call::Call,
    selection::{Item, Target},
};
use crate::{bus::Manner, error::CacheError, key::Key, observe::Counters};

/// A call that memory did not answer, until it is answered.
pub(super) fn fill(call: &mut Call) -> Span {
    let span = tracing::info_span!(
        target: "cache_runtime",
        "cache.fill",
        cache = call.core.settings.name,
        site = call.counters.name(),
        region = call.key.region(),
        key = shown(&call.core, &call.key),
        leader = Empty,
        served = Empty,
        outcome = Empty,
    );
    call.spanned = !span.is_disabled();
    span
}

/// The call leads the load of its key.
pub(super) fn leads(call: &Call) {
    if call.spanned {
        Span::current().record("leader", true);
    }
}

/// How a call was answered, into the span around it.
pub(super) fn answered<T, E>(call: &Call, result: &Result<T, E>) {
    if call.spanned {
        let span = Span::current();
        span.record("served", debug(call.served));
        span.record("outcome", outcome(result));
    }
}

/// One run of the origin. What the origin does is within.
pub(super) fn load(call: &Call) -> Span {
    tracing::info_span!(
        target: "cache_runtime",
        "cache.load",
        cache = call.core.settings.name,
        site = call.counters.name(),
        region = call.key.region(),
        key = shown(&call.core, &call.key),
    )
}

/// A refresh, mostly in the background: then it has no parent.
pub(super) fn refresh(call: &Call) -> Span {
    tracing::info_span!(
        target: "cache_runtime",
        "cache.refresh",
        cache = call.core.settings.name,
        site = call.counters.name(),
        region = call.key.region(),
        key = shown(&call.core, &call.key),
        outcome = Empty,
    )
}

/// An eviction, until it is confirmed or queued.
pub(super) fn evict(core: &Core, items: &[Item], counters: Option<&Counters>) -> Span {
    tracing::info_span!(
        target: "cache_runtime",
        "cache.evict",
        cache = core.settings.name,
        site = counters.map(Counters::name),
        what = %What(items, core.settings.show_keys),
        expires = items.iter().any(|item| item.manner == Manner::Expire),
        outcome = Empty,
    )
}

/// How an eviction ended, into the span around it.
pub(super) fn evicted(span: &Span, result: &Result<(), CacheError>) {
    match result {
        Ok(()) => span.record("outcome", "ok"),
        Err(error) => span.record("outcome", debug(error.kind())),
    };
}

fn outcome<T, E>(result: &Result<T, E>) -> &'static str {
    if result.is_ok() { "ok" } else { "error" }
}

/// A key, where it may be shown.
pub(super) fn shown<'k>(core: &Core, key: &'k Key) -> Option<impl tracing::Value + use<'k>> {
    core.settings.show_keys.then(|| display(key))
}

/// What an eviction selects: how many of each kind, or by their names.
struct What<'i>(&'i [Item], bool);

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(items, named) = *self;
        if named {
            for (at, item) in items.iter().enumerate() {
                let comma = if at == 0 { "" } else { ", " };
                match &item.target {
                    Target::Key(key) => write!(f, "{comma}key {key}")?,
                    Target::Pattern(pattern) => {
                        let kind = item.target.kind_name();
                        write!(f, "{comma}{kind} {pattern}")?;
                    }
                    Target::Label(label) => {
                        let kind = item.target.kind_name();
                        write!(f, "{comma}{kind} {}", label.as_str())?;
                    }
                }
            }
            return Ok(());
        }
        let mut comma = "";
        for kind in ["key", "pattern", "region", "tag", "scope", "all"] {
            let of_it = |item: &&Item| item.target.kind_name() == kind;
            let number = items.iter().filter(of_it).count();
            if number > 0 {
                write!(f, "{comma}{number} {kind}")?;
                comma = ", ";
            }
        }
        Ok(())
    }
}
