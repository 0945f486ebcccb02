//! What a call does with a value it would rather not serve, and how long it waits for a better one.
//!
//! From first to last: in the window of `stale_while_revalidate` it serves what it has, at once. So it does in the window of
//! `stale_if_error` while the origin is left alone after a failure. Else it waits: for `soft_timeout`, if it has anything; for `hard_timeout`; and for the
//! load of another, at most for `wait_timeout`.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    call::{Call, Purpose, Step},
    chain::Old,
    read::{Stored, kept_in_memory, wants},
};
use crate::{
    entry::{Erased, Token},
    flight::{InHand, Source},
    observe::{Count, Served, Why},
    policy::StampedeProtection,
    tiers::memory::{Care, Due, Remembered},
};

impl Call {
    pub(super) fn is_refresh(&self) -> bool {
        self.purpose == Purpose::Refresh
    }

    /// The token of what a refresh is to replace.
    pub(super) fn seen(&self) -> Option<Token> {
        let in_hand = self.in_hand.as_ref().filter(|_| self.is_refresh())?;
        in_hand.token
    }

    /// What is in hand, unless it was evicted meanwhile.
    pub(super) fn in_hand(&self) -> Option<&InHand> {
        let overtaken = self.flight.as_ref().is_some_and(|it| it.is_marked());
        self.in_hand.as_ref().filter(|_| !overtaken)
    }

    /// What is in hand, for those who began to wait after it was taken: an eviction that was complete before they called has taken it away by
    /// now, or has marked the flight.
    pub(super) fn in_hand_for_all(&self) -> Option<InHand> {
        let in_hand = self.in_hand()?;
        match in_hand.source {
            Source::Redis => Some(in_hand.clone()),
            Source::Memory => self.kept_in_memory(),
        }
    }

    fn kept_in_memory(&self) -> Option<InHand> {
        let (key, labelling) = (&self.key, &self.labelling);
        kept_in_memory(&self.core, self.hash, key, &self.reader, labelling)
    }

    /// Whether a stored value is what a refresh wants; an answer takes every value that is fresh.
    pub(super) fn is_news(&self, stored: &Stored) -> bool {
        let Some(newer_than) = self.newer_than.filter(|_| self.is_refresh()) else {
            return true;
        };
        stored.in_hand(&self.core).born > newer_than
    }

    /// A value that memory keeps past its ttl. What another flight brought says nothing any more.
    pub(super) fn look_for_stale(&mut self) {
        self.flight = None;
        let looks = self.reads_memory() && self.policy.fresh.keeps_stale();
        self.in_hand = looks.then(|| self.kept_in_memory()).flatten();
    }

    /// Whether its caller may leave before its end.
    pub(super) fn has_timeouts(&self) -> bool {
        let fresh = &self.policy.fresh;
        self.purpose == Purpose::AnswerOwned
            && (fresh.soft_timeout.is_some() || fresh.hard_timeout.is_some())
    }

    /// Tells who waits for it what it has in hand.
    pub(super) fn show(&self) {
        if let Some(shown) = &self.shown {
            shown.show(self.in_hand.as_ref(), self.flight.as_ref());
        }
    }

    /// A load for one caller is of no use once he has left.
    pub(super) async fn wait_for_somebody(&self) {
        if let Some(shown) = &self.shown {
            shown.is_for_the_caller().await;
        }
    }

    /// Its flight has begun: what was in hand before may have been evicted since, and then no mark would tell. What memory has still is of use; the rest
    /// is looked for again.
    pub(super) fn look_at_hand_again(&mut self) {
        let Some(before) = self.in_hand.take() else {
            return;
        };
        let kept = self.kept_in_memory();
        self.in_hand = kept.filter(|kept| kept.is_same(&before));
    }

    /// Why what is in hand is served at once, if it is. A call whose load cannot go on without it loads, if nobody else does.
    pub(super) fn serves_in_hand(&self) -> Option<Why> {
        let in_hand = self.in_hand()?;
        if self.is_refresh() || self.refresh {
            return None;
        }
        let (fresh, now) = (&self.policy.fresh, self.core.clock.now());
        if self.purpose == Purpose::AnswerOwned && in_hand.revalidates(fresh, now) {
            return Some(Why::Revalidating);
        }
        let throttled = || self.core.failures.left(self.key.text(), now).is_some();
        (in_hand.hides_errors(fresh, now) && throttled()).then_some(Why::Throttled)
    }

    /// Whether it waits while another has the lease. Who asks for a new value must store it: the lease may be that of a load which it has just overtaken.
    /// Who can be served a stale value when the other fails does not try for itself: the origin is left alone by all.
    pub(super) fn waits_for_leases(&self) -> bool {
        self.policy.protection == StampedeProtection::Fleet
            || self.refresh
            || self.is_refresh()
            || self.hides_errors()
    }

    /// Whether a note of a failure keeps this call from the origin.
    pub(super) fn heeds_failures(&self) -> bool {
        let now = self.core.clock.now();
        let hides = |it: &InHand| it.hides_errors(&self.policy.fresh, now);
        self.is_refresh() || (!self.refresh && self.in_hand().is_some_and(hides))
    }

    /// The answer of a call that need not wait at all.
    pub(super) fn without_waiting(&mut self) -> Option<Step> {
        let why = self.serves_in_hand()?;
        self.serve_in_hand(why)
    }

    pub(super) fn serve_in_hand(&mut self, why: Why) -> Option<Step> {
        let value = self.in_hand()?.value.clone();
        self.served = Served::Stale(why);
        Some(Step::Serve(value))
    }

    /// When the caller would rather have what is in hand, or nothing, than wait any longer.
    pub(super) fn patience(&self) -> Option<Instant> {
        if self.is_refresh() || self.refresh {
            return self.hard_deadline();
        }
        match (self.soft_deadline(), self.hard_deadline()) {
            (Some(soft), Some(hard)) => Some(soft.min(hard)),
            (soft, hard) => soft.or(hard),
        }
    }

    fn soft_deadline(&self) -> Option<Instant> {
        let now = self.core.clock.now();
        let in_hand = self.in_hand()?;
        let soft = self.policy.fresh.soft_timeout?;
        in_hand
            .hides_delays(now)
            .then(|| self.began + bounded(soft))
    }

    /// A call whose load ends with it has no error for this.
    fn hard_deadline(&self) -> Option<Instant> {
        let hard = self.policy.fresh.hard_timeout?;
        (self.purpose == Purpose::AnswerOwned).then(|| self.began + bounded(hard))
    }

    pub(super) fn hides_errors(&self) -> bool {
        let now = self.core.clock.now();
        let hides = |it: &InHand| it.hides_errors(&self.policy.fresh, now);
        !self.refresh && self.in_hand().is_some_and(hides)
    }

    /// Whether another's value past its ttl may be the answer.
    pub(super) fn allows(&self, in_hand: &InHand, why: Why) -> bool {
        let (fresh, now) = (&self.policy.fresh, self.core.clock.now());
        !self.refresh
            && match why {
                Why::Revalidating => in_hand.revalidates(fresh, now),
                _ => in_hand.hides_errors(fresh, now),
            }
    }

    /// The answer when [`patience`](Self::patience) is over.
    pub(super) fn patience_is_over(&mut self) -> Option<Step> {
        let now = Instant::now();
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|it| it <= now);
        if !self.refresh && is_over(self.soft_deadline()) {
            return self.serve_in_hand(Why::SoftTimeout);
        }
        if !is_over(self.hard_deadline()) {
            return None;
        }
        if self.hides_errors() {
            self.counters.add(Count::Timeout);
            return self.serve_in_hand(Why::HardTimeout);
        }
        Some(Step::GiveUp)
    }

    /// What is served instead of an error, if anything.
    pub(super) fn stale_for_error(&mut self) -> Option<Erased> {
        if !self.hides_errors() {
            return None;
        }
        self.served = Served::Stale(Why::Failed);
        self.in_hand().map(|it| it.value.clone())
    }

    /// The value that a load is to replace, as the load may know it.
    pub(super) fn old(&self) -> Option<Old> {
        let in_hand = self.in_hand().filter(|_| !self.refresh)?;
        let age = self.core.clock.now().saturating_sub(in_hand.born);
        Some(Old {
            value: in_hand.value.clone(),
            age,
        })
    }

    /// The answer when `wait_timeout` is over; `None`: a load that is not stored.
    pub(super) fn wait_is_over(&mut self) -> Option<Step> {
        if self.hides_errors() {
            self.counters.add(Count::WaitTimeout);
            return self.serve_in_hand(Why::WaitTimeout);
        }
        self.give_up_waiting();
        None
    }

    /// What a hit of this entry calls for.
    pub(super) fn due_of(&self, entry: &Remembered) -> Option<Due> {
        wants(&self.policy, None)?;
        match self.core.memory.care(&entry.entry) {
            Some(care) => care.due(self.core.clock.now(), fastrand::f64),
            None => Some(Due::Watch),
        }
    }

    /// What a value that was found in Redis calls for.
    pub(super) fn look_at(&mut self, stored: &Stored) {
        if self.purpose == Purpose::Refresh {
            return;
        }
        let Some(wants) = wants(&self.policy, None) else {
            return;
        };
        let term = stored.term(&self.core, u64::MAX);
        let care = Care::new(&wants, &term, Some(stored.header.token));
        self.due = care.due(self.core.clock.now(), fastrand::f64);
        if self.due == Some(Due::Refresh) {
            self.in_hand = Some(stored.in_hand(&self.core));
        }
    }
}

/// Timers cannot count beyond this.
fn bounded(timeout: Duration) -> Duration {
    timeout.min(Duration::from_secs(24 * 3600))
}
