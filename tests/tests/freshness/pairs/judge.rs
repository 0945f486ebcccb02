//! What has to hold, whatever the pair.

use std::time::Duration;

use cache_runtime::{Served, Why};
use tokio::time::Instant;

use super::options::{HARD, PAUSE, Pair, SOFT, TTL};
use super::record::{Answered, Call, Failure, Load, Notes, Way};
use crate::origin::MILLI;

/// Clocks count milliseconds, and timers ring a little late.
const SLACK: Duration = MILLI.saturating_mul(10);

/// What is being judged.
struct Case<'a> {
    pair: &'a Pair,
    notes: &'a Notes,
    about: &'a str,
}

pub(super) fn judge(pair: &Pair, notes: &Notes, about: &str) {
    let case = Case { pair, notes, about };
    for call in &notes.calls {
        case.answer(call);
        case.length(call);
    }
    if !pair.has("consistency_check") {
        case.one_load_at_a_time();
        case.pauses();
    }
}

impl Case<'_> {
    fn answer(&self, call: &Call) {
        let Self { pair, about, .. } = self;
        match &call.answered {
            Answered::With(Ok(number), served) => {
                let load = &self.notes.loads[usize::try_from(*number).expect("a number")];
                let served = served.expect("a call says how it was served");
                self.value(call, load, served);
            }
            Answered::With(Err(failure), _) => {
                let hidden = self.in_hand(call, pair.hides());
                assert!(
                    !hidden,
                    "{about}: an error in spite of a value in hand: {call:?}"
                );
                if let Failure::Late(after) = failure {
                    assert!(
                        pair.has("hard_timeout") && *after == HARD,
                        "{about}: {call:?}"
                    );
                    assert!(
                        call.ended.at - call.begun.at + MILLI >= HARD,
                        "{about}: {call:?}"
                    );
                }
            }
            Answered::Panicked => assert!(
                !self.in_hand(call, pair.revalidates()),
                "{about}: a panic in spite of a value to serve: {call:?}"
            ),
        }
    }

    fn value(&self, call: &Call, load: &Load, served: Served) {
        let Self { pair, about, .. } = self;
        let about = format!("{about}: {call:?} of {load:?}");
        assert_eq!(call.key, load.key, "{about}");
        let before = |evicts: bool| {
            let mut changes = self.notes.changes.iter();
            changes.any(|it| {
                it.evicts == evicts
                    && load.begun.order < it.begun.order
                    && it.ended.order < call.begun.order
            })
        };
        assert!(!before(true), "loaded before an eviction. {about}");
        let expired = before(false);
        let (ended, _) = load.ended.expect("it has brought a value");
        let dead = ended.at + TTL;
        let in_window = |window: Duration| {
            assert!(
                call.ended.at <= dead + window + SLACK,
                "past its window. {about}"
            );
        };
        match served {
            Served::Memory | Served::Redis => {
                assert!(call.begun.at <= dead + SLACK, "past its ttl. {about}");
                assert!(!expired, "expired and served as fresh. {about}");
            }
            Served::Loaded => {
                assert!(
                    call.begun.at <= ended.at,
                    "not of this call's time. {about}"
                );
            }
            // Of a load, or of one who found it in Redis.
            Served::Shared => {
                assert!(call.begun.at <= dead + SLACK, "past its ttl. {about}");
                assert!(!expired, "expired and shared. {about}");
            }
            Served::Stale(why) => {
                let changed = self
                    .notes
                    .changes
                    .iter()
                    .any(|it| load.begun.order < it.ended.order && !it.evicts);
                assert!(
                    call.ended.at + SLACK >= dead || changed,
                    "not stale. {about}"
                );
                match why {
                    Why::Revalidating => in_window(pair.revalidates()),
                    Why::SoftTimeout => in_window(pair.window()),
                    _ => in_window(pair.hides()),
                }
            }
            Served::Bypassed(_) => panic!("bypassed. {about}"),
            _ => panic!("served in a way the judge does not know. {about}"),
        }
    }

    /// Whether a value was stored before the call, and could be served until after its end.
    fn in_hand(&self, call: &Call, window: Duration) -> bool {
        !window.is_zero() && self.kept_until(call, window, call.ended.at + SLACK)
    }

    fn kept_until(&self, call: &Call, window: Duration, until: Instant) -> bool {
        // The runs of a check store nothing, and nothing tells them from others.
        if self.pair.has("consistency_check") {
            return false;
        }
        let overtaken = |load: &Load, ended: usize| {
            let mut changes = self.notes.changes.iter();
            changes.any(|it| {
                let since = load.begun.order < it.ended.order && it.begun.order < call.ended.order;
                since && (it.evicts || it.begun.order < ended)
            })
        };
        self.notes.loads.iter().any(|load| {
            let Some((ended, true)) = load.ended else {
                return false;
            };
            load.key == call.key
                && ended.order < call.begun.order
                && !overtaken(load, ended.order)
                && until < ended.at + TTL + window
        })
    }

    fn length(&self, call: &Call) {
        let Self { pair, about, .. } = self;
        let length = call.ended.at - call.begun.at;
        if pair.has("hard_timeout") {
            assert!(length <= HARD + SLACK, "{about}: {length:?} {call:?}");
        }
        if pair.has("soft_timeout") && self.in_hand(call, pair.window()) {
            assert!(length <= SOFT + SLACK, "{about}: {length:?} {call:?}");
        }
        if self.in_hand(call, pair.revalidates()) {
            assert!(length <= SLACK, "{about}: {length:?} {call:?}");
        }
        // It may have joined a load that came to nothing, in either process, before its own.
        let longest = 3 * Way::Slow.takes();
        let loads = self.notes.loads.iter();
        let during = loads.filter(|load| {
            load.key == call.key && load.ended.is_some_and(|it| it.0.order > call.begun.order)
        });
        let slowest = during.map(|load| load.ended.expect("seen").0.at - load.begun.at);
        let slowest = slowest.max().unwrap_or_default().min(longest);
        assert!(
            length <= 3 * slowest + SLACK,
            "{about}: {length:?} {call:?}"
        );
    }

    /// In the whole fleet; what an eviction has overtaken does not count.
    fn one_load_at_a_time(&self) {
        let loads = &self.notes.loads;
        for (number, one) in loads.iter().enumerate() {
            let (ended, _) = one.ended.expect("all have ended");
            let later = loads[number + 1..].iter();
            let beside = later.take_while(|it| it.begun.order < ended.order);
            for other in beside.filter(|it| it.key == one.key) {
                let mut changes = self.notes.changes.iter();
                let overtaken = changes.any(|it| {
                    one.begun.order < it.ended.order && it.begun.order < other.begun.order
                });
                assert!(
                    overtaken,
                    "{}: two loads at a time: {one:?} {other:?}",
                    self.about
                );
            }
        }
    }

    /// After a failure that a stale value hid the origin is left alone.
    fn pauses(&self) {
        let Self { pair, about, notes } = self;
        if !pair.has("stale_if_error") {
            return;
        }
        for (number, failed) in notes.loads.iter().enumerate() {
            let Some((ended, false)) = failed.ended else {
                continue;
            };
            let as_call = Call {
                key: failed.key,
                begun: failed.begun,
                ended,
                answered: Answered::Panicked,
            };
            // Until the end of the pause, because a note holds back only those who have something.
            let until = ended.at + PAUSE;
            if failed.way == Way::Panics || !self.kept_until(&as_call, pair.hides(), until) {
                continue;
            }
            let next = notes.loads[number + 1..]
                .iter()
                .find(|it| it.key == failed.key);
            let Some(next) = next else { continue };
            let changed = notes
                .changes
                .iter()
                .any(|it| failed.begun.order < it.ended.order && it.begun.order < next.begun.order);
            assert!(
                changed || next.begun.at + SLACK >= until,
                "{about}: no pause between {failed:?} and {next:?}"
            );
        }
    }
}
