//! What a leader makes of what Redis has: serve it, have it in hand, or load.
//!
//! A readable entry is alive if all its labels say so; what no cell knows of them is asked. One that cells do not agree with is *suspect* until the acquire has
//! asked again. What is past its ttl, or not newer than what a refresh has seen, is kept in hand.

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    call::Call,
    labels::{Entry, Question, Verdict},
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

/// What stored bytes turn out to be.
pub(super) enum Judged {
    /// A value that may be served.
    Alive(Stored),
    /// What was seen is noted.
    Useless,
    /// It depends on labels that only it could tell of.
    Asks(Box<Asks>),
}

/// A readable entry, and what has to be known of it.
pub(super) struct Asks {
    stored: Stored,
    is_stale: bool,
    unknown: Vec<Label>,
}

impl Lead {
    /// A value that may be served; else notes what was seen.
    pub(super) async fn judge(&mut self, call: &mut Call, bytes: &Bytes) -> Result<Stored, ()> {
        match self.judge_now(call, bytes) {
            Judged::Alive(stored) => Ok(stored),
            Judged::Useless => Err(()),
            Judged::Asks(asks) => self.ask_labels(call, *asks).await,
        }
    }

    /// The same, as far as it can be told without asking again.
    pub(super) fn judge_now(&mut self, call: &mut Call, bytes: &Bytes) -> Judged {
        let keeps_stale = call.policy.fresh.keeps_stale() && !call.refresh;
        let (core, key, reader) = (&call.core, &call.key, &call.reader);
        match examine(core, bytes, key, reader, &call.counters, keeps_stale) {
            Examined::Usable(stored) => self.alive(call, stored, false),
            Examined::Stale(stored) => self.alive(call, stored, true),
            Examined::Unusable { token, why } => {
                self.seen = Some(token);
                self.damaged = why == Unfit::Damaged;
                if why == Unfit::Newer {
                    self.right = self.right.at_most(Right::Memory);
                }
                Judged::Useless
            }
        }
    }

    /// A readable value, if its labels say that it is alive, and it is fresh, and for a refresh news.
    fn alive(&mut self, call: &mut Call, stored: Stored, is_stale: bool) -> Judged {
        self.seen = Some(stored.header.token);
        self.damaged = false;
        let entry = stored.entry();
        let waiting = entry.is_named_in(&call.core.journal, &call.key);
        let elsewhere = self.moves != call.core.lately.moves();
        if waiting || elsewhere || !entry.carries(&call.key, &call.labelling) {
            return Judged::Useless;
        }
        match self.judge_labels(call, &entry) {
            Ok(verdict) => match self.found(call, stored, is_stale, verdict) {
                Ok(stored) => Judged::Alive(stored),
                Err(()) => Judged::Useless,
            },
            Err(unknown) => Judged::Asks(Box::new(Asks {
                stored,
                is_stale,
                unknown,
            })),
        }
    }

    /// Asks what only the entry could tell of, and judges it by that.
    pub(super) async fn ask_labels(&mut self, call: &mut Call, asks: Asks) -> Result<Stored, ()> {
        let Asks {
            stored,
            is_stale,
            unknown,
        } = asks;
        self.read_labels(call, &unknown).await?;
        // What has no generation after all has none that an entry could carry.
        let verdict = self.judge_labels(call, &stored.entry());
        self.found(call, stored, is_stale, verdict.unwrap_or(Verdict::Dead))
    }

    fn found(
        &mut self,
        call: &mut Call,
        stored: Stored,
        is_stale: bool,
        verdict: Verdict,
    ) -> Result<Stored, ()> {
        match verdict {
            Verdict::Alive if !is_stale && call.is_news(&stored) => Ok(stored),
            verdict @ (Verdict::Alive | Verdict::Expired) => {
                self.keep(call, stored, is_stale || verdict == Verdict::Expired);
                Err(())
            }
            Verdict::Dead => Err(()),
            Verdict::Suspect => {
                self.view.forget(&call.core, &call.key, &stored.entry());
                self.suspect = Some(Box::new(Suspect { stored, is_stale }));
                Err(())
            }
        }
    }

    fn judge_labels(&self, call: &Call, entry: &Entry<'_>) -> Result<Verdict, Vec<Label>> {
        let (core, key) = (&call.core, &call.key);
        self.view.judge(core, key, &call.labelling, entry)
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
        let Suspect { stored, is_stale } = *self.suspect.take()?;
        let entry = stored.entry();
        let elsewhere = self.moves != call.core.lately.moves();
        if elsewhere || entry.is_named_in(&call.core.journal, &call.key) {
            return None;
        }
        match self.judge_labels(call, &entry).unwrap_or(Verdict::Dead) {
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
        self.stale = self.promoted(call, &stored).map(Box::new);
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
