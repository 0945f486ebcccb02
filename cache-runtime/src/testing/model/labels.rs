//! What the scripts do to labels: generations, the registry, the logical clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::slot::until;
use crate::{
    bus::Manner,
    tags::{Generation, Label, LabelKind, Logical, Standing},
    tiers::{LabelEviction, Labelled, Labels, Register},
};

/// How much longer than the entries under it a label lives.
const LONGER: Duration = Duration::from_secs(2 * 3_600);

/// Everything the server knows of labels.
#[derive(Debug, Default)]
pub(super) struct LabelStore {
    labels: BTreeMap<Label, (Held, Instant)>,
    /// Goes with the registry, not with the labels.
    cache: Option<Held>,
    regions: BTreeSet<Box<str>>,
    clock: Option<Logical>,
}

#[derive(Clone, Copy, Debug)]
enum Held {
    Is(Generation),
    Until(Instant),
}

impl Held {
    fn standing(self) -> Standing {
        match self {
            Self::Is(generation) => Standing::Is(generation),
            Self::Until(until) if Instant::now() < until => Standing::Held,
            Self::Until(_) => Standing::Missing,
        }
    }
}

impl LabelStore {
    pub(super) fn standing(&self, label: &Label) -> Standing {
        if label.kind() == LabelKind::Cache {
            return self.cache.map_or(Standing::Missing, Held::standing);
        }
        let alive = |(_, until): &&(Held, Instant)| Instant::now() < *until;
        let found = self.labels.get(label).filter(alive);
        found.map_or(Standing::Missing, |(held, _)| held.standing())
    }

    /// What a load asks; the second value says that the cache's generation was made.
    pub(super) fn ask(&mut self, ask: Labels<'_>) -> (Labelled, bool) {
        let mut answer = Labelled::default();
        let mut made = false;
        if let Some(register) = ask.register {
            if let Register::Region(region) = register {
                self.regions.insert(region.into());
            }
            (answer.cache, made) = self.generation();
        }
        let clock = self.clock();
        answer.clock = ask.clock.then_some(clock);
        answer.labels = ask
            .labels
            .iter()
            .map(|label| self.create(label, ask.life))
            .collect();
        (answer, made)
    }

    fn generation(&mut self) -> (Option<Standing>, bool) {
        let standing = self.standing(&Label::cache());
        if standing != Standing::Missing {
            return (Some(standing), false);
        }
        let made = self.tick();
        let generation = random(made);
        self.cache = Some(Held::Is(generation));
        (Some(Standing::Is(generation)), true)
    }

    fn create(&mut self, label: &Label, life: Duration) -> Standing {
        let era = self.clock().era;
        let until = until(life.saturating_add(LONGER));
        match self.standing(label) {
            Standing::Held => Standing::Held,
            Standing::Is(generation) if generation.made.era == era => {
                if let Some((_, end)) = self.labels.get_mut(label) {
                    *end = until.max(*end);
                }
                Standing::Is(generation)
            }
            _ => {
                let generation = random(self.tick());
                self.labels
                    .insert(label.clone(), (Held::Is(generation), until));
                Standing::Is(generation)
            }
        }
    }

    pub(super) fn evict(&mut self, what: LabelEviction<'_>, manner: Manner) {
        let label = what.label;
        let old = self.standing(label);
        let new = match (old, what.hold) {
            (Standing::Held, hold) => Held::Until(self.held_until(label).max(until(hold))),
            (_, hold) if !hold.is_zero() => Held::Until(until(hold)),
            (Standing::Is(old), _) if manner == Manner::Expire => Held::Is(Generation {
                evict: old.evict,
                ..random(self.tick())
            }),
            _ => Held::Is(random(self.tick())),
        };
        let until = match new {
            Held::Until(until) => until,
            Held::Is(_) => until(LONGER),
        };
        if label.kind() == LabelKind::Cache {
            self.cache = Some(new);
        } else {
            self.labels.insert(label.clone(), (new, until));
        }
    }

    fn held_until(&self, label: &Label) -> Instant {
        let held = match label.kind() {
            LabelKind::Cache => self.cache,
            _ => self.labels.get(label).map(|(held, _)| *held),
        };
        match held {
            Some(Held::Until(until)) => until,
            _ => Instant::now(),
        }
    }

    /// The registered regions; `None` where the registry may have been lost.
    pub(super) fn registry(&self) -> Option<Vec<Box<str>>> {
        self.cache
            .is_some()
            .then(|| self.regions.iter().cloned().collect())
    }

    pub(super) fn lose(&mut self, label: &Label) {
        self.labels.remove(label);
    }

    pub(super) fn lose_registry(&mut self) {
        self.cache = None;
        self.regions.clear();
    }

    pub(super) fn lose_clock(&mut self) {
        self.clock = None;
    }

    fn clock(&mut self) -> Logical {
        *self.clock.get_or_insert_with(|| Logical {
            era: fastrand::u64(..),
            n: 0,
        })
    }

    fn tick(&mut self) -> Logical {
        let mut clock = self.clock();
        clock.n += 1;
        self.clock = Some(clock);
        clock
    }
}

fn random(made: Logical) -> Generation {
    Generation {
        evict: fastrand::u64(..),
        expire: fastrand::u64(..),
        made,
    }
}
