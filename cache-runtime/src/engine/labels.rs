//! What a call knows of labels: whether an entry is alive, and what a load's entry is going to carry.
//!
//! An entry remembers the generations of its labels from *before its load began*. It is alive if it carries every label its reader
//! would give it and all generations are current. A generation comes from a cell that knows it, or from Redis in the round trip
//! that is made anyway. One that a cell knows may be older than the entry (the message is on its way), so an entry that
//! disagrees with a cell is only suspect until the acquire has asked again.

use std::{sync::Arc, time::Duration};

use super::{Core, Journal};
use crate::{
    entry::{Carried, Header},
    key::{Key, regions},
    tags::{Before, Cell, Fold, Generation, Label, Labelling, Logical, Standing},
    tiers::{Labelled, Labels, Register},
};

/// The most tags an entry carries.
pub(super) const MOST_TAGS: usize = 64;

/// What a call has learned of labels.
#[derive(Debug, Default)]
pub(super) struct View {
    known: Vec<(Label, Standing, Source)>,
    /// What the cells knew of the other labels when a load was asked for: it is from before that load, though a cell may have forgotten it since.
    relied: Vec<(Arc<Cell>, Generation)>,
    /// The data connection the last question was asked over, or an earlier one.
    connection: Option<u64>,
}

/// Where a standing is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A cell: it may be older than what it is compared with.
    Cell,
    /// A read that was sent after what it is compared with had been received.
    Read,
}

/// Under which cells are asked.
#[derive(Clone, Copy)]
struct Present {
    epoch: Option<u64>,
    now: u64,
}

impl Present {
    fn of(core: &Core) -> Self {
        let now = core.clock.now();
        let epoch = core.coherence.listening(core.clock.of_signs(now));
        Self { epoch, now }
    }
}

/// What the labels say of an entry, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Alive,
    /// It counts as past its ttl.
    Expired,
    /// It disagrees with what cells know; one of the two is old.
    Suspect,
    Dead,
}

/// What is asked of Redis about labels, and the counts from before.
#[derive(Debug)]
pub(super) struct Question {
    labels: Vec<Label>,
    cells: Vec<(Arc<Cell>, Before)>,
    cache: Option<(Arc<Cell>, Before)>,
    /// What a load does not ask, because cells know it.
    relied: Vec<(Arc<Cell>, Generation)>,
    now: u64,
    epoch: Option<u64>,
    /// Taken before it is asked: an answer never comes over an earlier one.
    connection: u64,
    life: Duration,
    clock: bool,
}

/// What a load's entry is going to carry; read before its origin starts.
#[derive(Clone, Debug)]
pub(super) struct Burden {
    pub(super) fold: Fold,
    pub(super) tags: Vec<Carried>,
    /// The fleet's clock, where tags are still to come.
    pub(super) clock: Option<Logical>,
    /// The data connection it was read over, or an earlier one.
    pub(super) connection: u64,
    /// The labels live at least as long as an entry of this life.
    pub(super) life: Duration,
}

impl Core {
    /// Makes sure that the cache has a generation before the first load: to make it later would tell all who load that everything
    /// was evicted.
    pub(crate) async fn make_generation(&self, within: Duration) {
        let cache = self.cells.cell(&Label::cache());
        let (epoch, before) = (self.listening(), cache.before());
        let ask = Labels {
            register: Some(Register::Nothing),
            ..Labels::default()
        };
        // Without an answer the first load does it.
        if let Ok(Labelled {
            cache: Some(standing),
            ..
        }) = self.tier.labelled(ask, within).await
        {
            learn(
                &cache,
                before,
                standing,
                epoch,
                self.clock.now(),
                Duration::MAX,
            );
        }
    }
}

impl Question {
    /// What a hit has to ask: what no healthy cell knows, the cache's label included.
    pub(super) fn of_hit(core: &Core, labelling: &Labelling) -> Self {
        let mut question = Self::new(core, Duration::ZERO);
        for cell in labelling.cells() {
            question.add_unknown(cell);
        }
        question
    }

    /// What is asked of these labels of an entry.
    pub(super) fn of_labels(core: &Core, labels: &[Label]) -> Self {
        let mut question = Self::new(core, Duration::ZERO);
        labels
            .iter()
            .for_each(|label| question.add(core.cells.cell(label)));
        question
    }

    /// What a load has to ask, `life` being that of its longest entry. `more` is asked of an entry at hand.
    pub(super) fn of_load(
        core: &Core,
        labelling: &Labelling,
        life: Duration,
        more: &[Label],
    ) -> Self {
        let mut question = Self::new(core, life);
        question.add_region(labelling);
        if question.cache.is_none() {
            question.rely_on(&labelling.root.cells()[0]);
        }
        for cell in labelling.cells().skip(1) {
            if !question.rely_on(cell) {
                question.add(Arc::clone(cell));
            }
        }
        for label in more {
            question.add(core.cells.cell(label));
        }
        question.clock = labelling.late;
        question
    }

    /// What is asked of the tags a value has named, before it is stored under them.
    pub(super) fn of_tags(core: &Core, tags: &[Label], life: Duration) -> Self {
        let mut question = Self::new(core, life);
        for tag in tags {
            question.add_unknown(&core.cells.cell(tag));
        }
        question
    }

    /// What a load has to ask that Redis takes no part in; `None`: its template is known there.
    pub(super) fn of_template(core: &Core, labelling: &Labelling, life: Duration) -> Option<Self> {
        let mut question = Self::new(core, life);
        question.add_region(labelling);
        question.cache.is_some().then_some(question)
    }

    fn new(core: &Core, life: Duration) -> Self {
        let Present { epoch, now } = Present::of(core);
        Self {
            labels: Vec::new(),
            cells: Vec::new(),
            cache: None,
            relied: Vec::new(),
            now,
            epoch,
            connection: core.tier.connection(),
            life,
            clock: false,
        }
    }

    /// The region of a template that Redis is not known to know of.
    fn add_region(&mut self, labelling: &Labelling) {
        let (now, life) = (self.now, self.life);
        let registered = |epoch| labelling.root.is_registered(epoch, now, life);
        if !self.epoch.is_some_and(registered) {
            let cache = &labelling.root.cells()[0];
            self.cache = Some((Arc::clone(cache), cache.before()));
        }
    }

    /// All that can die out of what an entry depends on: it is to live longer.
    pub(super) fn add_all(&mut self, core: &Core, labelling: &Labelling) {
        self.add_region(labelling);
        for cell in labelling.cells().skip(1) {
            self.add(core.cells.cell(cell.label()));
        }
    }

    fn add_unknown(&mut self, cell: &Arc<Cell>) {
        if self.known(cell).is_none() {
            self.add(Arc::clone(cell));
        }
    }

    /// Keeps what a cell knows; `false` if it does not.
    fn rely_on(&mut self, cell: &Arc<Cell>) -> bool {
        let known = self.known(cell);
        self.relied
            .extend(known.map(|generation| (Arc::clone(cell), generation)));
        known.is_some()
    }

    fn known(&self, cell: &Cell) -> Option<Generation> {
        cell.known(self.epoch?, self.now, self.life)
    }

    fn add(&mut self, cell: Arc<Cell>) {
        if !self.labels.contains(cell.label()) {
            self.labels.push(cell.label().clone());
            let before = cell.before();
            self.cells.push((cell, before));
        }
    }

    pub(super) fn labels(&self) -> &[Label] {
        &self.labels
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.cache.is_none() && !self.clock
    }

    /// As a load asks it.
    pub(super) fn ask<'a>(&'a self, labelling: &'a Labelling) -> Labels<'a> {
        Labels {
            register: self
                .cache
                .as_ref()
                .map(|_| Register::Region(labelling.root.region())),
            labels: &self.labels,
            life: self.life,
            clock: self.clock,
        }
    }

    /// Takes in how the labels stand.
    pub(super) fn learn(self, core: &Core, standings: &[Standing], view: &mut View) {
        let now = core.clock.now();
        view.connection = Some(self.connection);
        for ((cell, before), standing) in self.cells.iter().zip(standings) {
            learn(cell, *before, *standing, self.epoch, now, self.life);
            view.put(cell.label(), *standing, Source::Read);
        }
    }

    /// Takes in what a load was answered.
    pub(super) fn learn_all(
        mut self,
        core: &Core,
        labelling: &Labelling,
        answer: &Labelled,
        view: &mut View,
    ) {
        let now = core.clock.now();
        if let (Some((cell, before)), Some(standing)) = (&self.cache, answer.cache) {
            if let (Some(epoch), Standing::Is(generation)) = (self.epoch, standing) {
                let root = &labelling.root;
                root.registered(epoch, now, generation, self.life);
            }
            // The cache's generation has no end: it is good for every life.
            learn(cell, *before, standing, self.epoch, now, Duration::MAX);
            view.put(cell.label(), standing, Source::Read);
        }
        view.relied = std::mem::take(&mut self.relied);
        self.learn(core, &answer.labels, view);
    }
}

fn learn(
    cell: &Cell,
    before: Before,
    standing: Standing,
    epoch: Option<u64>,
    now: u64,
    life: Duration,
) {
    if let (Standing::Is(generation), Some(epoch)) = (standing, epoch) {
        cell.learn(before, generation, epoch, now, life);
    }
}

impl View {
    fn put(&mut self, label: &Label, standing: Standing, source: Source) {
        self.known.retain(|(known, ..)| known != label);
        self.known.push((label.clone(), standing, source));
    }

    fn get(&self, present: Present, cell: &Cell) -> Option<(Standing, Source)> {
        let read = self.known.iter().find(|(known, ..)| known == cell.label());
        let read = read.map(|(_, standing, source)| (*standing, *source));
        read.or_else(|| {
            let known = cell.known(present.epoch?, present.now, Duration::ZERO)?;
            Some((Standing::Is(known), Source::Cell))
        })
    }

    /// Whether an entry is alive; else the labels that nothing is known of yet.
    pub(super) fn judge(
        &self,
        core: &Core,
        key: &Key,
        labelling: &Labelling,
        entry: &Entry<'_>,
    ) -> Result<Verdict, Vec<Label>> {
        let present = Present::of(core);
        let mut unknown = Vec::new();
        let mut worst = self.common(core, key, labelling, entry.header, present, &mut unknown);
        for tag in entry.tags {
            let cell = labelling.tags.iter().find(|it| *it.label() == tag.label);
            let cell = cell.map_or_else(|| core.cells.cell(&tag.label), Arc::clone);
            let of_tag = match self.get(present, &cell) {
                Some((Standing::Is(is), source)) => suspect(
                    source == Source::Cell,
                    verdict((tag.evict, tag.expire), (is.evict, is.expire)),
                ),
                Some(_) => Verdict::Dead,
                None => {
                    unknown.push(tag.label.clone());
                    continue;
                }
            };
            worst = worst.max(of_tag);
        }
        if unknown.is_empty() {
            Ok(worst)
        } else {
            Err(unknown)
        }
    }

    /// What the labels every entry has say.
    fn common(
        &self,
        core: &Core,
        key: &Key,
        labelling: &Labelling,
        header: &Header,
        present: Present,
        unknown: &mut Vec<Label>,
    ) -> Verdict {
        // Usually those of who reads it; an entry of another depth has cells of its own.
        let same = usize::from(header.region) == labelling.root.region().len();
        let lent = same.then_some(labelling);
        let own: Vec<Arc<Cell>> = if same {
            Vec::new()
        } else {
            let labels = common(key, header.region);
            labels.map(|label| core.cells.cell(&label)).collect()
        };
        let lent = lent.map(|it| it.root.cells().iter().chain(&it.scope));
        let (mut is, mut from_cells, mut dead) = (Fold::of([]), false, false);
        for cell in lent.into_iter().flatten().chain(&own) {
            match self.get(present, cell) {
                Some((Standing::Is(generation), source)) => {
                    from_cells |= source == Source::Cell;
                    is = is.and(&generation);
                }
                Some(_) => dead = true,
                None => unknown.push(cell.label().clone()),
            }
        }
        if dead {
            return Verdict::Dead;
        }
        let has = header.fold;
        suspect(
            from_cells,
            verdict((has.evict, has.expire), (is.evict, is.expire)),
        )
    }

    /// What an entry disagrees with is to be asked again.
    pub(super) fn forget(&mut self, core: &Core, key: &Key, entry: &Entry<'_>) {
        for label in entry.all(key) {
            core.cells.cell(&label).forget();
        }
        self.known.clear();
    }

    /// What an entry loaded from now on carries; `None` if a label has no generation, or is held.
    pub(super) fn burden(
        &self,
        core: &Core,
        labelling: &Labelling,
        clock: Option<Logical>,
        life: Duration,
    ) -> Option<Burden> {
        if labelling.late && clock.is_none() {
            return None;
        }
        let present = Present::of(core);
        let generation = |cell: &Arc<Cell>| match self.get(present, cell) {
            Some((Standing::Is(generation), _)) => Some(generation),
            Some(_) => None,
            // Forgotten since, because an entry disagreed with it. If it was old after all, what carries it is dead.
            None => self.relied_on(cell),
        };
        let common = labelling.root.cells().iter().chain(&labelling.scope);
        let common: Option<Vec<_>> = common.map(generation).collect();
        let tags = labelling
            .tags
            .iter()
            .map(|cell| Some(carried(cell.label(), generation(cell)?)));
        Some(Burden {
            fold: Fold::of(&common?),
            tags: tags.collect::<Option<_>>()?,
            clock,
            connection: self.connection?,
            life,
        })
    }

    fn relied_on(&self, cell: &Arc<Cell>) -> Option<Generation> {
        let of = |(it, _): &&(Arc<Cell>, Generation)| Arc::ptr_eq(it, cell);
        self.relied
            .iter()
            .find(of)
            .map(|(_, generation)| *generation)
    }

    /// The generations of tags that a value has named, if it may be stored under them: they were not evicted, nor made, after the clock
    /// showed `clock`.
    pub(super) fn late_tags(
        &self,
        core: &Core,
        tags: &[Label],
        clock: Logical,
    ) -> Option<Vec<Carried>> {
        let present = Present::of(core);
        let tag = |label: &Label| match self.get(present, &core.cells.cell(label)) {
            Some((Standing::Is(generation), _)) if generation.made.not_after(clock) => {
                Some(carried(label, generation))
            }
            _ => None,
        };
        tags.iter().map(tag).collect()
    }
}

/// What of an entry its life depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) header: &'a Header,
    pub(super) tags: &'a [Carried],
}

impl Entry<'_> {
    fn all(&self, key: &Key) -> impl Iterator<Item = Label> {
        let tags = self.tags.iter().map(|tag| tag.label.clone());
        common(key, self.header.region).chain(tags)
    }

    pub(super) fn tag_labels(&self) -> Vec<Label> {
        self.tags.iter().map(|tag| tag.label.clone()).collect()
    }

    /// Whether an eviction of one of its labels waits to be delivered.
    pub(super) fn is_named_in(&self, journal: &Journal, key: &Key) -> bool {
        journal.len() > 0 && journal.names(&self.all(key).collect::<Vec<_>>())
    }

    /// Whether it carries every label that its reader would give it: older builds knew fewer.
    pub(super) fn carries(&self, key: &Key, labelling: &Labelling) -> bool {
        let region = key.template() == crate::key::UNSPECIFIED
            || usize::from(self.header.region) >= labelling.root.region().len();
        let has = |cell: &Arc<Cell>| self.tags.iter().any(|tag| tag.label == *cell.label());
        region && labelling.tags.iter().all(has)
    }
}

/// The labels every entry has, in the order in which their generations are folded.
fn common(key: &Key, region: u16) -> impl Iterator<Item = Label> {
    let region = key.text().get(..region.into()).unwrap_or_default();
    let regions = regions(region).map(Label::region).collect::<Vec<_>>();
    std::iter::once(Label::cache())
        .chain(regions)
        .chain(key.scope().map(Label::scope))
}

fn carried(label: &Label, generation: Generation) -> Carried {
    Carried {
        label: label.clone(),
        evict: generation.evict,
        expire: generation.expire,
    }
}

fn verdict((has_evict, has_expire): (u64, u64), (evict, expire): (u64, u64)) -> Verdict {
    match (has_evict == evict, has_expire == expire) {
        (true, true) => Verdict::Alive,
        (true, false) => Verdict::Expired,
        (false, _) => Verdict::Dead,
    }
}

fn suspect(from_cells: bool, verdict: Verdict) -> Verdict {
    if from_cells && verdict != Verdict::Alive {
        Verdict::Suspect
    } else {
        verdict
    }
}
