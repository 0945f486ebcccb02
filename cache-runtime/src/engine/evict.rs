//! Evictions: Redis first, then this process; and the journal where Redis did not confirm.
//!
//! The order matters: in the other one a caller would promote the old value from Redis between the two. Once
//! begun, an eviction runs to its end in a task of its own, whether or not its caller still waits. Where no
//! task can be started (a dropped future) it goes into the journal, which blocks the reads it concerns, and
//! memory is marked and cleared before the replay and after it.

use std::{
    mem,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tracing::Instrument as _;

use super::{
    Core,
    around::Around,
    budget::count,
    read::millis,
    selection::{Item, Target, region_label},
    spans,
};
use crate::{
    bus::{Gone, Manner},
    entry::Erased,
    error::{CacheError, ErrorKind},
    key::{Below, Pattern, below},
    observe::{Count, Counters},
    tags::{Label, LabelKind, Standing},
    tiers::{Eviction, LabelEviction, Removal, Removed, TierError},
};

/// An eviction under way. Dropped before its end, it goes into the journal.
#[derive(Debug)]
pub(crate) struct EvictTask {
    core: Arc<Core>,
    items: Vec<Item>,
    counters: Option<Arc<Counters>>,
}

impl EvictTask {
    pub(crate) fn new(core: &Arc<Core>, items: Vec<Item>) -> Self {
        Self {
            core: Arc::clone(core),
            items,
            counters: None,
        }
    }

    pub(crate) fn counted_by(mut self, counters: Arc<Counters>) -> Self {
        self.counters = Some(counters);
        self
    }

    /// An eviction that somebody has asked for.
    pub(crate) fn asked_for(self, counters: Arc<Counters>) -> Self {
        counters.add(Count::Eviction);
        for item in &self.items {
            counters.add(item.target.kind());
        }
        self.counted_by(counters)
    }

    /// Runs to the end even if the caller stops waiting.
    pub(crate) async fn run_detached(self) -> Result<(), CacheError> {
        let span = spans::evict(&self.core, &self.items, self.counters.as_deref());
        let result = self.detached().instrument(span.clone()).await;
        spans::evicted(&span, &result);
        result
    }

    async fn detached(mut self) -> Result<(), CacheError> {
        if !self.core.tier.is_present() {
            settle(&self.core, &mem::take(&mut self.items));
            return Ok(());
        }
        if self.core.closed.load(Ordering::Acquire) {
            settle(&self.core, &mem::take(&mut self.items));
            return Err(CacheError::new(
                ErrorKind::Closed,
                "the cache is closed: only this process's memory was evicted",
            ));
        }
        self.core.wake();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return Err(queued("there is no tokio runtime to reach Redis from"));
        };
        // A caller that stops waiting may read at once, before Redis has answered: what it concerns must not
        // be read from Redis until then, so it goes into the journal as well.
        let mut unattended = Self::new(&self.core, self.items.clone());
        let result = runtime.spawn(self.run()).await.unwrap_or_else(|_| {
            Err(queued(
                "the runtime shut down before Redis confirmed the eviction",
            ))
        });
        unattended.items.clear();
        result
    }

    /// Runs in the caller's own future.
    pub(crate) async fn run(mut self) -> Result<(), CacheError> {
        let delivered = self.deliver().await;
        let items = mem::take(&mut self.items);
        if delivered.is_err() {
            self.core.queue(&items);
        }
        settle(&self.core, &items);
        delivered.map_err(|error| queued("Redis did not confirm the eviction").caused_by(error))
    }

    /// The eviction in Redis.
    async fn deliver(&self) -> Result<(), TierError> {
        let result = deliver(&self.core, &self.items).await;
        if let (Err(error), Some(counters)) = (&result, &self.counters) {
            count(error, counters);
        }
        result
    }
}

impl Drop for EvictTask {
    fn drop(&mut self) {
        let items = mem::take(&mut self.items);
        if items.is_empty() {
            return;
        }
        if self.core.tier.is_present() {
            self.core.queue(&items);
        }
        settle(&self.core, &items);
    }
}

fn queued(why: &str) -> CacheError {
    CacheError::new(
        ErrorKind::Queued,
        format!(
            "{why}; it is queued and will be replayed before this process reads what it concerns"
        ),
    )
}

/// All parts are tried until one has no answer: to wait for each of them would add up. The first error is told.
pub(super) async fn deliver(core: &Arc<Core>, items: &[Item]) -> Result<(), TierError> {
    core.lately.note(items, core.clock.now());
    let mut result = Ok(());
    for manner in [Manner::Evict, Manner::Expire] {
        let items: Vec<_> = items.iter().filter(|item| item.manner == manner).collect();
        if items.is_empty() || result.as_ref().is_err_and(TierError::is_silence) {
            continue;
        }
        result = result.and(deliver_as(core, manner, &items).await);
    }
    result
}

/// One round trip for keys and labels; then the scans of those patterns that labels do not cover.
async fn deliver_as(core: &Arc<Core>, manner: Manner, items: &[&Item]) -> Result<(), TierError> {
    let within = core.settings.evict_deadline;
    let what = Parts::of(items);
    let mut result = what.remove(core, manner, within).await;
    if let Ok(removed) = &result {
        doubt(core, removed);
    }
    for item in items {
        let Target::Pattern(pattern) = &item.target else {
            continue;
        };
        if result.as_ref().is_err_and(TierError::is_silence) {
            break;
        }
        let covered = result
            .as_ref()
            .is_ok_and(|removed| is_covered(pattern, removed.regions.as_deref()));
        if !covered {
            let around = Around {
                pattern,
                hold: item.hold,
                registered: result.as_ref().ok().and_then(|it| it.regions.clone()),
            };
            let done = around.sweep(core, manner, within).await;
            result = result.and_then(|removed| done.map(|()| removed));
        }
    }
    if result.is_ok() && manner == Manner::Evict {
        reclaim_later(core, items);
    }
    result.map(drop)
}

/// A registry of another generation than the one that is known here was lost and made anew, and the message has not come yet: a region that
/// this process has registered may be missing there, and an entry that carries the old generation is not alive.
pub(super) fn doubt(core: &Core, removed: &Removed) {
    let known = core.listening().and_then(|epoch| {
        let cache = core.cells.cell(&Label::cache());
        cache.known(epoch, core.clock.now(), Duration::ZERO)
    });
    if let (Some(Standing::Is(there)), Some(known)) = (removed.cache, known)
        && there.evict != known.evict
    {
        core.coherence.anew();
    }
}

/// What one round trip takes.
struct Parts<'a> {
    keys: Vec<(&'a str, Duration)>,
    labels: Vec<(Label, Duration)>,
    /// Whether a label covers a pattern, or what has to be held instead.
    registry: bool,
}

impl<'a> Parts<'a> {
    fn of(items: &[&'a Item]) -> Self {
        let mut parts = Self {
            keys: Vec::new(),
            labels: Vec::new(),
            registry: false,
        };
        for item in items {
            match &item.target {
                Target::Key(key) => parts.keys.push((key.text(), item.hold)),
                Target::Pattern(pattern) => {
                    parts.registry |= pattern.as_region().is_some() || !item.hold.is_zero();
                    // The key that is called like the region has no region of that name if it has no template.
                    if let Some(region) = pattern.as_region().filter(|region| !region.is_empty()) {
                        parts.keys.push((region, item.hold));
                    }
                }
                Target::Label(_) => {}
            }
            if let Some(label) = item.target.label() {
                parts.labels.push((label, item.hold));
            }
        }
        parts
    }

    async fn remove(
        &self,
        core: &Core,
        manner: Manner,
        within: Duration,
    ) -> Result<Removed, TierError> {
        if self.keys.is_empty() && self.labels.is_empty() && !self.registry {
            return Ok(Removed::default());
        }
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|(key, hold)| Eviction { key, hold: *hold })
            .collect();
        let labels: Vec<_> = self
            .labels
            .iter()
            .map(|(label, hold)| LabelEviction { label, hold: *hold })
            .collect();
        let what = Removal {
            manner,
            keys: &keys,
            labels: &labels,
            registry: self.registry,
        };
        core.tier.remove(what, within).await
    }
}

/// Whether the generation of its region, which is replaced, covers all that a pattern can match: every registered template
/// that could make such a key has the region in front of its first value.
fn is_covered(pattern: &Pattern, registered: Option<&[Box<str>]>) -> bool {
    match (pattern.as_region(), registered) {
        (None, _) => false,
        (Some(""), _) => true,
        (Some(_), None) => false,
        (Some(region), Some(registered)) => registered
            .iter()
            .all(|other| below(other, region) != Below::Perhaps),
    }
}

/// What lost its region is dead; the memory it takes in Redis is freed in the background.
fn reclaim_later(core: &Arc<Core>, items: &[&Item]) {
    for item in items {
        let label = item.target.label();
        let region = match label
            .as_ref()
            .map(|label| (label.kind(), label.as_region()))
        {
            Some((LabelKind::Cache, _)) => "",
            Some((_, Some(region))) => region,
            _ => continue,
        };
        core.background.reclaim(core, region);
    }
}

/// Until when stores are refused, by the memory clock; zero for not at all.
pub(super) fn held_until(now: u64, hold: Duration) -> u64 {
    if hold.is_zero() {
        0
    } else {
        now.saturating_add(millis(hold))
    }
}

/// The eviction in this process: holds, then marks, then memory.
pub(super) fn settle(core: &Core, items: &[Item]) {
    let now = core.clock.now();
    // Values are dropped at the end: their own code must not come between two removals.
    let mut removed = Vec::new();
    for item in items {
        let until = held_until(now, item.hold);
        let how = Settling {
            manner: item.manner,
            now,
            until,
        };
        match &item.target {
            Target::Key(key) => removed.extend(settle_key(core, key.text(), how)),
            Target::Pattern(pattern) => removed.extend(settle_pattern(core, pattern, how)),
            Target::Label(label) => removed.extend(settle_label(core, label, how)),
        }
    }
}

/// What another process evicted.
pub(super) fn settle_news(core: &Core, gone: &Gone) {
    let now = core.clock.now();
    let how = Settling {
        manner: gone.manner,
        now,
        until: held_until(now, gone.hold),
    };
    let mut removed: Vec<Erased> = Vec::new();
    for label in &gone.labels {
        // An entry that an argument led there may not carry the region, and this process may not have registered its template.
        match label.as_region().map(Pattern::region) {
            Some(region) => removed.append(&mut settle_pattern(core, &region, how)),
            None => removed.append(&mut settle_label(core, label, how)),
        }
    }
    for key in &gone.keys {
        removed.extend(settle_key(core, key, how));
    }
    for pattern in &gone.patterns {
        removed.append(&mut settle_pattern(core, pattern, how));
    }
}

/// What becomes of what is selected, when, and until when stores of it are refused.
#[derive(Clone, Copy)]
pub(super) struct Settling {
    pub(super) manner: Manner,
    pub(super) now: u64,
    pub(super) until: u64,
}

fn settle_key(core: &Core, text: &str, how: Settling) -> Option<Erased> {
    core.holds.hold_key(text, how.now, how.until);
    let hash = core.hash(text);
    core.failures.forget(text);
    core.flights.mark(hash, text, || match how.manner {
        Manner::Evict => core.memory.remove(hash, text),
        Manner::Expire => {
            core.memory.expire(hash, text);
            None
        }
    })
}

fn settle_pattern(core: &Core, pattern: &Pattern, how: Settling) -> Vec<Erased> {
    let region = pattern.as_region();
    let mut removed = Vec::new();
    if let Some(region) = region {
        if !region.is_empty() {
            removed.extend(settle_key(core, region, how));
        }
        removed.append(&mut settle_label(core, &region_label(region), how));
        // A hold is for templates as well that come later.
        if how.until <= how.now
            && core
                .cells
                .all_regions(|other| below(other, region) != Below::Perhaps)
        {
            return removed;
        }
    }
    core.holds.hold_pattern(pattern, how.now, how.until);
    let matches = |text: &str| pattern.matches(text);
    let mark = || {
        core.flights.mark_where(|flight| matches(flight.key.text()));
    };
    mark();
    match how.manner {
        Manner::Evict => removed.append(&mut core.memory.remove_where(matches)),
        Manner::Expire => removed.append(&mut core.memory.expire_where(matches)),
    }
    // A flight that has begun between may have in hand what was removed then.
    mark();
    removed
}

/// The count of a label puts all that carries it out of use; what nothing else will ever reach is removed as well.
pub(super) fn settle_label(core: &Core, label: &Label, how: Settling) -> Vec<Erased> {
    core.cells.gone(label, how.manner, how.now, how.until);
    core.flights.mark_outdated();
    if label.kind() == LabelKind::Cache && how.manner == Manner::Evict {
        core.memory.remove_all()
    } else {
        Vec::new()
    }
}
