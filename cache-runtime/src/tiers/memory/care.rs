//! What the hits of an entry call for: a refresh before its ttl ends, or a comparison with the origin.
//!
//! **Problem.** Whether a value is to be refreshed is asked at every hit, and has to be done once.
//!
//! **Decision.** An entry knows the earliest moment at which a hit can call for anything; until then a hit compares one number. The one hit
//! that calls for a refresh *claims* it, which puts that moment out of reach, until the refresh has replaced the entry or gives the claim back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Term;
use crate::entry::Token;

const NEVER: u64 = u64::MAX;
/// -ln of the smallest number that is drawn: no early refresh is earlier than this many times its scale.
const EARLIEST: f64 = 36.8;
/// The largest number that is drawn: no other one refreshes earlier.
const LAST: f64 = 1.0 - f64::EPSILON / 2.0;

/// What the site of an entry wants of its hits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
    /// Refresh after this share of the life.
    pub(crate) background: Option<f64>,
    /// Refresh early at random, with this beta.
    pub(crate) early: Option<f64>,
    /// Compare this share of the hits with the origin.
    pub(crate) check: f64,
    /// Note when it was used last.
    pub(crate) used: Option<Arc<AtomicU64>>,
    /// Refresh so long after its birth, milliseconds.
    pub(crate) after: Option<u64>,
}

/// What one hit calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Refresh,
    Check,
    /// The site wants to know of the use, and nobody notes it any more.
    Watch,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Care {
    /// The earliest moment at which a hit may call for a refresh; never while one is claimed.
    look_at: AtomicU64,
    refresh_at: u64,
    /// delta times beta, milliseconds.
    scale: f64,
    ttl_until: u64,
    check: f64,
    used: Option<Arc<AtomicU64>>,
    /// Of the value, where Redis has it.
    pub(crate) token: Option<Token>,
}

/// The last use of an entry that is not watched any more.
pub(crate) const UNWATCHED: u64 = NEVER;

impl Care {
    pub(crate) fn new(wants: &Wants, term: &Term, token: Option<Token>) -> Self {
        let background = wants.background.filter(|share| *share > 0.0);
        let refresh_at = background.map_or(NEVER, |share| share_of(term, share));
        let refresh_at = match wants.after {
            Some(after) => refresh_at.min(term.born.saturating_add(after)),
            None => refresh_at,
        };
        let scale = wants
            .early
            .map_or(0.0, |beta| f64::from(term.took) / 1_000.0 * beta);
        let early_at = if scale > 0.0 {
            term.ttl_until.saturating_sub(to_millis(scale * EARLIEST))
        } else {
            NEVER
        };
        Self {
            look_at: AtomicU64::new(refresh_at.min(early_at)),
            refresh_at,
            scale,
            ttl_until: term.ttl_until,
            check: wants.check,
            used: wants.used.clone(),
            token,
        }
    }

    /// What a hit at `now` calls for; `random` gives numbers in `0.0..1.0`.
    #[inline]
    pub(crate) fn due(&self, now: u64, random: impl FnMut() -> f64) -> Option<Due> {
        let plain = self.check <= 0.0 && self.used.is_none();
        if plain && now < self.look_at.load(Ordering::Relaxed) {
            return None;
        }
        self.due_after_all(now, random)
    }

    /// Whether a hit at `now` may call for something, whatever it draws. Who asks [`due`](Self::due) afterwards draws once, not twice.
    pub(crate) fn may_be_due(&self, now: u64) -> bool {
        self.check > 0.0 || self.due(now, || LAST).is_some()
    }

    fn due_after_all(&self, now: u64, mut random: impl FnMut() -> f64) -> Option<Due> {
        if let Some(used) = &self.used
            && used
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                    (last != UNWATCHED).then_some(now)
                })
                .is_err()
        {
            return Some(Due::Watch);
        }
        if now >= self.look_at.load(Ordering::Relaxed) && self.is_due(now, &mut random) {
            return Some(Due::Refresh);
        }
        (self.check > 0.0 && random() < self.check).then_some(Due::Check)
    }

    /// After the share of the life, or by XFetch: if `-delta * beta * ln(u)` is at least what remains, u in (0, 1].
    fn is_due(&self, now: u64, random: &mut impl FnMut() -> f64) -> bool {
        if now >= self.refresh_at {
            return true;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "lives of a hundred years are 42 bits of milliseconds"
        )]
        let remaining = self.ttl_until.saturating_sub(now) as f64;
        self.scale > 0.0 && -self.scale * (1.0 - random()).ln() >= remaining
    }

    /// The last use, if it is noted.
    pub(crate) fn used(&self) -> Option<&Arc<AtomicU64>> {
        self.used.as_ref()
    }

    /// Takes the refresh that is due; false if another hit has.
    pub(crate) fn claim(&self, now: u64) -> bool {
        let due = |at: u64| (at <= now).then_some(NEVER);
        self.look_at
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, due)
            .is_ok()
    }

    /// Gives the refresh back: hits may call for it from then on.
    pub(crate) fn look_again_at(&self, at: u64) {
        self.look_at.store(at, Ordering::Release);
    }
}

/// The moment at which so much of a life is over.
fn share_of(term: &Term, share: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "lives of a hundred years are 42 bits of milliseconds"
    )]
    let life = term.ttl_until.saturating_sub(term.born) as f64;
    term.born.saturating_add(to_millis(life * share.min(1.0)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not negative, and what is too large becomes the largest"
)]
fn to_millis(millis: f64) -> u64 {
    millis.max(0.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::{Care, Due, Term, Wants};

    /// A value born at zero that lives a hundred seconds, after a load of one.
    fn care(wants: &Wants) -> Care {
        let term = Term::new(0, (100_000, 100_000), u64::MAX, 1_000_000);
        Care::new(wants, &term, None)
    }

    #[test]
    fn one_hit_claims_a_refresh_and_the_others_go_on_until_it_is_given_back() {
        let care = care(&Wants {
            background: Some(0.8),
            ..Wants::default()
        });
        assert_eq!(care.due(79_999, || 0.5), None);
        assert_eq!(care.due(80_000, || 0.5), Some(Due::Refresh));
        assert!(!care.claim(79_999), "nothing is due yet");
        assert!(care.claim(80_000));
        assert!(!care.claim(80_000));
        assert_eq!(care.due(99_999, || 0.5), None);
        care.look_again_at(95_000);
        assert_eq!(care.due(94_999, || 0.5), None);
        assert_eq!(care.due(95_000, || 0.5), Some(Due::Refresh));
    }

    #[test]
    fn early_refreshes_are_drawn_where_one_is_possible_and_nowhere_else() {
        let care = care(&Wants {
            early: Some(1.0),
            ..Wants::default()
        });
        let never = || -> f64 { panic!("no draw can be early enough") };
        assert_eq!(care.due(63_000, never), None);
        // exp(-1) of all draws are early enough a second before the end.
        assert_eq!(care.due(99_000, || 0.64), Some(Due::Refresh));
        assert_eq!(care.due(99_000, || 0.63), None);
    }

    #[test]
    fn what_some_draw_calls_for_may_be_due() {
        let early = care(&Wants {
            early: Some(1.0),
            ..Wants::default()
        });
        assert!(!early.may_be_due(63_000));
        // One of two million billions.
        assert!(early.may_be_due(65_000) && early.may_be_due(99_000));
        assert!(early.claim(99_000) && !early.may_be_due(99_000));
        let checked = care(&Wants {
            check: 0.01,
            ..Wants::default()
        });
        assert!(checked.may_be_due(0));
        assert!(!care(&Wants::default()).may_be_due(99_000));
    }

    #[test]
    fn what_nobody_wants_is_never_due() {
        let care = care(&Wants::default());
        assert_eq!(care.due(u64::MAX - 1, || 0.999), None);
    }
}
