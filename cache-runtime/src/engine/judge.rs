//! What a leader makes of what Redis has: serve it, have it in hand, or load.
//!
//! A readable entry is alive if all its labels say so; what no cell knows of them is asked. One that cells do not agree with is *suspect* until the acquire has
//! asked again. What is past its ttl, or not newer than what a refresh has seen, is kept in hand.

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    call::Call,
    labels::{Question, Verdict},
    lead::{Lead, Right},
    read::{Examined, Stored, Unfit, examine, promote},
};
use crate::{tags::Label, tiers::memory::NewEntry};

/// An entry that cells do not agree with.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) stored: Stored,
    is_stale: bool,
}

impl Lead {
    /// A value that may be served; else notes what was seen.
    pub(super) async fn judge(&mut self, call: &mut Call, bytes: &Bytes) -> Result<Stored, ()> {
        let keeps_stale = call.policy.fresh.keeps_stale() && !call.refresh;
        let (core, key, reader) = (&call.core, &call.key, &call.reader);
        match examine(core, bytes, key, reader, &call.counters, keeps_stale) {
            Examined::Usable(stored) => self.alive(call, stored, false).await,
            Examined::Stale(stored) => self.alive(call, stored, true).await,
            Examined::Unusable { token, why } => {
                self.seen = Some(token);
                self.damaged = why == Unfit::Damaged;
                if why == Unfit::Newer {
                    self.right = self.right.at_most(Right::Memory);
                }
                Err(())
            }
        }
    }

    /// A readable value, if its labels say that it is alive, and it is fresh, and for a refresh news.
    async fn alive(
        &mut self,
        call: &mut Call,
        stored: Stored,
        is_stale: bool,
    ) -> Result<Stored, ()> {
        self.seen = Some(stored.header.token);
        self.damaged = false;
        let entry = stored.entry();
        let waiting = entry.is_named_in(&call.core.journal, &call.key);
        let elsewhere = self.moves != call.core.lately.moves();
        if waiting || elsewhere || !entry.carries(&call.key, &call.labelling) {
            return Err(());
        }
        let unknown = self.view.unknown(&call.core, &call.key, &entry);
        if !unknown.is_empty() {
            self.read_labels(call, &unknown).await?;
        }
        match self.view.judge(&call.core, &call.key, &entry) {
            Verdict::Alive if !is_stale && call.is_news(&stored) => Ok(stored),
            verdict @ (Verdict::Alive | Verdict::Expired) => {
                self.keep(call, stored, is_stale || verdict == Verdict::Expired);
                Err(())
            }
            Verdict::Dead => Err(()),
            Verdict::Suspect => {
                self.view.forget(&call.core, &call.key, &entry);
                self.suspect = Some(Suspect { stored, is_stale });
                Err(())
            }
        }
    }

    /// The labels that only the entry could tell of.
    async fn read_labels(&mut self, call: &mut Call, labels: &[Label]) -> Result<(), ()> {
        let within = call.budget.left().ok_or(())?;
        let question = Question::of_labels(&call.core, labels);
        let asked = Instant::now();
        let answer = call.core.tier.standings(question.labels(), within).await;
        let Some(standings) = call.budget.book(asked, answer, &call.counters) else {
            self.without_redis();
            return Err(());
        };
        question.learn(&call.core, &standings, &mut self.view);
        Ok(())
    }

    /// What was suspect, if the answer shows that it is alive and fresh. If it was expired it is in hand.
    pub(super) fn cleared(&mut self, call: &mut Call) -> Option<Stored> {
        let Suspect { stored, is_stale } = self.suspect.take()?;
        let entry = stored.entry();
        let elsewhere = self.moves != call.core.lately.moves();
        if elsewhere || entry.is_named_in(&call.core.journal, &call.key) {
            return None;
        }
        match self.view.judge(&call.core, &call.key, &entry) {
            Verdict::Alive if !is_stale && call.is_news(&stored) => Some(stored),
            verdict @ (Verdict::Alive | Verdict::Expired) => {
                self.keep(call, stored, is_stale || verdict == Verdict::Expired);
                None
            }
            Verdict::Suspect | Verdict::Dead => None,
        }
    }

    /// What is stored is past its ttl, or about to be refreshed: it is in hand, if that may be of use.
    fn keep(&mut self, call: &mut Call, mut stored: Stored, is_stale: bool) {
        if !call.policy.fresh.keeps_stale() && !call.is_refresh() {
            return;
        }
        if is_stale {
            // Whatever its clock says.
            stored.header.expired = true;
        }
        let in_hand = stored.in_hand(&call.core);
        self.guard.flight().offer(in_hand.clone());
        self.stale = self.promoted(call, &stored);
        call.in_hand = Some(in_hand);
        call.show();
    }

    pub(super) fn promoted(&self, call: &Call, stored: &Stored) -> Option<NewEntry> {
        if self.right == Right::Nothing {
            return None;
        }
        let labelled = (&**self.guard.flight(), &call.labelling);
        let (core, key) = (&call.core, &call.key);
        let watch = call.watch.as_ref();
        promote(
            core,
            stored,
            key,
            &call.reader,
            &call.policy,
            labelled,
            watch,
        )
    }
}
