//! What the page shows of the time before it was opened.
//!
//! **Problem.** A page that begins with empty charts is of little use to somebody who was called because something is wrong. A task that samples for ever costs every
//! process something, for a page that is nearly never open.
//!
//! **Decision.** What a page is told is kept, at most once a second and 600 times: ten minutes. Who opens the page while another has it open, or again, sees
//! the last minutes; nothing runs while nobody looks. Beside it the last 100 things that were done from the page, or were noticed while it was looked at.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant, SystemTime},
};

use serde::Serialize;

use super::view::{CacheView, State, Totals, unix_ms};

const SAMPLES: usize = 600;
const EVENTS: usize = 100;
/// Less than a second: a page that polls once a second is sometimes early.
const BETWEEN: Duration = Duration::from_millis(800);
/// Of what a person typed.
const LONGEST_TEXT: usize = 300;

/// The figures of one moment.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sample {
    at_ms: u64,
    /// By the id of the cache.
    caches: Vec<(String, Totals)>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Happened {
    /// Counts from 1, so that a page can tell what it has.
    number: u64,
    at_ms: u64,
    cache: String,
    kind: &'static str,
    what: String,
    says: String,
}

#[derive(Debug, Default)]
pub(super) struct Watch {
    samples: VecDeque<Sample>,
    last: Option<Instant>,
    events: VecDeque<Happened>,
    numbered: u64,
    /// The health that was seen last.
    health: HashMap<String, State>,
}

impl Watch {
    /// Somebody is told this.
    pub(super) fn looked(&mut self, caches: &[CacheView]) {
        for cache in caches {
            let now = cache.health.state();
            let words = &cache.health.words;
            let says = match self.health.insert(cache.id.clone(), now) {
                Some(before) if before.words != now.words => words.clone(),
                // Shorter than the time between two looks.
                Some(before) if before.since_ms.is_some() && before.since_ms != now.since_ms => {
                    format!("{words}, anew: the connection was lost for a moment")
                }
                _ => continue,
            };
            self.note(&cache.id, "health", String::new(), says);
        }
        if self.last.is_some_and(|last| last.elapsed() < BETWEEN) {
            return;
        }
        self.last = Some(Instant::now());
        let totals = |cache: &CacheView| (cache.id.clone(), cache.total.clone());
        let sample = Sample {
            at_ms: unix_ms(SystemTime::now()),
            caches: caches.iter().map(totals).collect(),
        };
        push(&mut self.samples, sample, SAMPLES);
    }

    /// Something was done from the page.
    pub(super) fn acted(&mut self, cache: &str, what: &str, says: &str) {
        self.note(cache, "eviction", cut(what), cut(says));
    }

    pub(super) fn events(&self) -> Vec<Happened> {
        self.events.iter().cloned().collect()
    }

    pub(super) fn samples(&self) -> Vec<Sample> {
        self.samples.iter().cloned().collect()
    }

    fn note(&mut self, cache: &str, kind: &'static str, what: String, says: String) {
        self.numbered += 1;
        let event = Happened {
            number: self.numbered,
            at_ms: unix_ms(SystemTime::now()),
            cache: cache.to_owned(),
            kind,
            what,
            says,
        };
        push(&mut self.events, event, EVENTS);
    }
}

fn push<T>(ring: &mut VecDeque<T>, value: T, most: usize) {
    if ring.len() == most {
        ring.pop_front();
    }
    ring.push_back(value);
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cache_runtime::Cache;

    use super::{EVENTS, LONGEST_TEXT, Watch};
    use crate::admin::view::CacheView;

    fn seen() -> CacheView {
        let cache = Cache::builder("shop")
            .build()
            .expect("nothing is wrong with it");
        CacheView::of("shop", &cache, Vec::new())
    }

    #[test]
    fn samples_are_a_second_apart_however_many_look() {
        let mut watch = Watch::default();
        (0..5).for_each(|_| watch.looked(&[seen()]));
        assert_eq!(watch.samples().len(), 1);
    }

    #[test]
    fn a_change_of_health_is_an_event_once() {
        let mut watch = Watch::default();
        let mut view = seen();
        watch.looked(std::slice::from_ref(&view));
        assert!(watch.events().is_empty(), "the first look changes nothing");
        view.health.redis.words = "Down";
        for why in [
            "down (closed)",
            "down (refused)",
            "down (refused), 1 evictions queued",
        ] {
            view.health.words = why.to_owned();
            watch.looked(std::slice::from_ref(&view));
        }
        let says = |watch: &Watch| -> Vec<String> {
            watch.events().into_iter().map(|it| it.says).collect()
        };
        assert_eq!(
            says(&watch),
            ["down (closed)"],
            "another reason is no change"
        );

        view.health.redis.words = "Connected";
        view.health.words = "connected".to_owned();
        for since_ms in [1_000, 1_000, 2_000] {
            view.health.redis.since_ms = Some(since_ms);
            watch.looked(std::slice::from_ref(&view));
        }
        let says = says(&watch);
        assert_eq!(
            says[1..],
            [
                "connected",
                "connected, anew: the connection was lost for a moment"
            ]
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut watch = Watch::default();
        let long = "é".repeat(10_000);
        (0..EVENTS * 2).for_each(|_| watch.acted("shop", &long, "Evicted."));
        let events = watch.events();
        assert_eq!(events.len(), EVENTS);
        assert_eq!(events[0].what.chars().count(), LONGEST_TEXT + 1);
        assert_eq!(events.last().map(|it| it.number), Some(2 * EVENTS as u64));
    }
}
